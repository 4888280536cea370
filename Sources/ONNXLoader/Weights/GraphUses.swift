/// Which nodes take which values of a graph.
struct GraphUses {
    struct Use: Hashable {
        let node: Int
        let input: Int
    }

    private(set) var uses: [String: [Use]] = [:]
    /// Names that inner graphs capture, or that the graph gives out.
    private(set) var otherUses: Set<String> = []

    init(_ graph: Graph) {
        for (index, node) in graph.nodes.enumerated() {
            for (input, name) in node.inputs.enumerated() where !name.isEmpty {
                uses[name, default: []].append(Use(node: index, input: input))
            }
            for inner in Self.graphs(of: node) { otherUses.formUnion(Self.names(in: inner)) }
        }
        otherUses.formUnion(graph.outputs.map(\.name))
    }

    /// Whether only this node takes the value, and only once.
    func isOnly(_ use: Use, of name: String) -> Bool { uses[name] == [use] && !otherUses.contains(name) }

    private static func graphs(of node: Node) -> [Graph] {
        node.attributes.values.flatMap { attribute -> [Graph] in
            switch attribute {
            case .graph(let graph): return [graph]
            case .graphs(let graphs): return graphs
            default: return []
            }
        }
    }

    private static func names(in graph: Graph) -> Set<String> {
        var names = Set(graph.outputs.map(\.name))
        for node in graph.nodes {
            names.formUnion(node.inputs)
            for inner in graphs(of: node) { names.formUnion(Self.names(in: inner)) }
        }
        return names
    }
}
