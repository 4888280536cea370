extension Graph {
    /// The number of elements of all weights, whether they are initializers or `Constant` nodes.
    public var parameterCount: Int {
        var graph = self
        graph.nodes = []
        for node in nodes {
            if node.operatorName == "Constant", node.domain.isEmpty, let output = node.outputs.first,
                case .tensor(let value) = node.attributes["value"]
            {
                graph.initializers[output] = value
            } else {
                graph.nodes.append(node)
            }
        }
        return ExpectedWeights.names(in: graph, uses: GraphUses(graph)).reduce(0) {
            $0 + (graph.initializers[$1]?.count ?? 0)
        }
    }
}
