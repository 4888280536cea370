import ONNXLoader

/// A graph with its operators made: what passes turn into better graphs.
struct OperatorGraph: Sendable {
    struct Element: Sendable {
        /// The node as a file would say it; what a fused operator stands for, by its first node's name, once lowered.
        var node: Node
        var operation: any Operator
        /// What the node's graphs capture, as they call it; the node's last inputs are these values.
        var captured: [String] = []

        var inputs: [String] { node.inputs.filter { !$0.isEmpty } }
        var outputs: [String] { node.outputs.filter { !$0.isEmpty } }

        /// The node as a file says it: its graphs name what they capture, it is not among the inputs.
        var portableNode: Node {
            let declared = node.inputs.count - captured.count
            let names = Dictionary(uniqueKeysWithValues: zip(captured, node.inputs[declared...]))
            var portable = node
            portable.inputs.removeLast(captured.count)
            for (name, graph) in node.subgraphs {
                portable.attributes[name] = .graph(
                    graph.replacing(captured: { names[$0] ?? $0 }, attribute: { $0 }))
            }
            return portable
        }
    }

    /// In topological order.
    var elements: [Element]
    var constants: [String: Tensor]
    var opsets: [String: Int]

    /// Makes the operators of a model.
    ///
    /// - Parameter believesDeclarations: whether an element type that the file declares for a value, and that the operator
    ///   which reads it is not computed in, is an obstacle too; a run would meet it if the file is right.
    /// - Throws: `RuntimeError.unsupported` that lists every obstacle once.
    init(_ model: Model, believesDeclarations: Bool = false) throws {
        var model = model
        try model.inlineFunctions()
        var obstacles = ObstacleList(opsets: model.opsets)
        self.init(model.graph, opsets: model.opsets, scope: [:], depth: 0, &obstacles)
        if believesDeclarations {
            let types = model.graph.declaredElementTypes
            for element in elements { obstacles.add(element, elementType: { types[$0] }) }
        }
        if !obstacles.all.isEmpty { throw RuntimeError.unsupported(obstacles.all) }
    }

    /// - Parameter scope: constants of the graphs around this one.
    private init(
        _ graph: Graph, opsets: [String: Int], scope: [String: Tensor], depth: Int, _ obstacles: inout ObstacleList
    ) {
        self.opsets = opsets
        constants = graph.initializers.mapValues { Tensor($0) }
        elements = []
        elements.reserveCapacity(graph.nodes.count)
        // An input with an initializer may be given another value: it is no constant for the graphs inside.
        let replaceable = Set(graph.inputs.map(\.name))
        for node in graph.nodes {
            if node.domain.isEmpty, node.operatorName == "Constant" {
                do {
                    if let name = node.outputs.first { constants[name] = try constantValue(of: node) }
                } catch {
                    obstacles.add(node, error)
                }
                continue
            }
            do {
                var element = Element(node: node, operation: NoOperation())
                var subgraphs: [String: Subgraph] = [:]
                if !node.subgraphs.isEmpty {
                    guard depth < Self.deepestNesting else { throw OperatorError("graphs are nested too deep") }
                    let inner = scope.merging(constants.filter { !replaceable.contains($0.key) }) { $1 }
                    for (name, body) in node.subgraphs.sorted(by: { $0.key < $1.key }) {
                        let captured = body.capturedNames
                        var graph = OperatorGraph(body, opsets: opsets, scope: inner, depth: depth + 1, &obstacles)
                        for name in captured { graph.constants[name] = inner[name] }
                        subgraphs[name] = Subgraph(graph, inputs: body.inputs, outputs: body.outputs)
                        element.captured += captured.filter { !element.captured.contains($0) }
                    }
                    element.node.inputs += element.captured
                }
                if let name = GradientOperator.differentiated(node) {
                    element.captured = [name]
                    element.node.inputs.append(name)
                }
                element.operation = try Registry.makeOperator(
                    node, opsets: opsets, subgraphs: subgraphs, captured: element.captured)
                elements.append(element)
            } catch {
                obstacles.add(node, error)
            }
        }
    }

    private static let deepestNesting = 32

    /// Removes what no value of `outputs` needs.
    mutating func prune(keeping outputs: some Sequence<String>) {
        var needed = Set(outputs)
        var kept: [Element] = []
        for element in elements.reversed() where element.outputs.contains(where: needed.contains) {
            needed.formUnion(element.inputs)
            kept.append(element)
        }
        elements = kept.reversed()
        constants = constants.filter { needed.contains($0.key) }
    }

    /// Positions of the elements that read each value.
    func consumers() -> [String: [Int]] {
        var consumers: [String: [Int]] = [:]
        for (position, element) in elements.enumerated() {
            for name in element.inputs { consumers[name, default: []].append(position) }
        }
        return consumers
    }
}

extension Graph {
    /// The element types that the file declares for tensors.
    fileprivate var declaredElementTypes: [String: ElementType] {
        var types = initializers.mapValues(\.elementType)
        for (name, kind) in valueTypes.map({ ($0, $1) }) + (inputs + outputs).map({ ($0.name, $0.kind) }) {
            if case .tensor(let elementType, _) = kind { types[name] = elementType }
        }
        return types
    }
}

extension OperatorGraph {
    /// - Throws: `RuntimeError.unsupported` that lists the nodes whose inputs have element types that they are not computed in.
    func checkElementTypes(_ known: Inference) throws {
        var obstacles = ObstacleList(opsets: opsets)
        for element in elements {
            obstacles.add(element) { constants[$0]?.elementType ?? known.types[$0]?.elementType }
        }
        if !obstacles.all.isEmpty { throw RuntimeError.unsupported(obstacles.all) }
    }
}

/// Collects obstacles, each kind once.
private struct ObstacleList {
    let opsets: [String: Int]
    private(set) var all: [RuntimeError.Obstacle] = []

    init(opsets: [String: Int]) { self.opsets = opsets }

    /// Adds an element whose input has a type that it is not computed in.
    mutating func add(_ element: OperatorGraph.Element, elementType: (String) -> ElementType?) {
        guard let (input, types) = element.operation.computedElements, input < element.node.inputs.count,
            let own = elementType(element.node.inputs[input]), !types.contains(own)
        else { return }
        add(element.node, OperatorError("\(own.name) is not supported"))
    }

    mutating func add(_ node: Node, _ error: any Error) {
        let reason = String(describing: error)
        if let index = all.firstIndex(where: {
            $0.operatorName == node.operatorName && $0.domain == node.domain && $0.reason == reason
        }) {
            all[index].count += 1
        } else {
            all.append(
                .init(
                    operatorName: node.operatorName, domain: node.domain, opset: opsets[node.domain] ?? 1,
                    reason: reason, count: 1, firstNode: node.name.isEmpty ? node.outputs.first ?? "" : node.name))
        }
    }
}

/// The value of a `Constant` node.
private func constantValue(of node: Node) throws -> Tensor {
    guard node.attributes.count == 1, let (name, attribute) = node.attributes.first else {
        throw OperatorError("exactly one attribute is wanted, not \(node.attributes.keys.sorted())")
    }
    switch attribute {
    case .tensor(let value): return Tensor(value)
    case .float(let value): return Tensor(value)
    case .floats(let values): return try Tensor(values, shape: [values.count])
    case .int(let value): return Tensor(value)
    case .ints(let values): return try Tensor(values, shape: [values.count])
    case .string(let value): return try Tensor(strings: [String(decoding: value, as: UTF8.self)], shape: [])
    case .strings(let values):
        return try Tensor(strings: values.map { String(decoding: $0, as: UTF8.self) }, shape: [values.count])
    default: throw OperatorError("attribute \(name) is not a constant's value")
    }
}

/// Stands in while an operator is being made.
private struct NoOperation: LoweredOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [] }
}
