import ONNXLoader

extension Graph {
    /// Names that nodes, or outputs, refer to and that neither this graph nor a graph inside it defines, in the order of
    /// their first use: values of the graph around it.
    var capturedNames: [String] {
        var defined = Set(inputs.map(\.name) + initializers.keys + [""])
        var captured: [String] = []
        func use(_ name: String) {
            if defined.insert(name).inserted { captured.append(name) }
        }
        for node in nodes {
            node.inputs.forEach(use)
            for graph in node.subgraphs.values { graph.capturedNames.forEach(use) }
            defined.formUnion(node.outputs)
        }
        outputs.map(\.name).forEach(use)
        return captured
    }

    /// The graph with other names for the values that it captures, and for attributes that refer to a function's.
    func replacing(
        captured rename: (String) -> String, attribute: (Attribute) -> Attribute?
    ) -> Graph {
        let captured = Set(capturedNames)
        func renamed(_ name: String) -> String { captured.contains(name) ? rename(name) : name }
        var copy = self
        copy.nodes = nodes.map { $0.replacing(inputs: renamed, outputs: { $0 }, attribute: attribute) }
        for index in copy.outputs.indices { copy.outputs[index].name = renamed(copy.outputs[index].name) }
        return copy
    }
}

extension Node {
    /// The graphs among the attributes, by the attribute's name.
    var subgraphs: [String: Graph] {
        attributes.compactMapValues { if case .graph(let graph) = $0 { graph } else { nil } }
    }

    /// The node with other names for its inputs and outputs, those that its graphs capture included.
    ///
    /// - Parameter attribute: what to have in place of an attribute; nil to leave it out.
    func replacing(
        inputs renameInput: (String) -> String, outputs renameOutput: (String) -> String,
        attribute replace: (Attribute) -> Attribute?
    ) -> Node {
        var copy = self
        copy.inputs = inputs.map(renameInput)
        copy.outputs = outputs.map(renameOutput)
        copy.attributes = attributes.compactMapValues { value in
            guard case .graph(let graph) = value else { return replace(value) }
            return .graph(graph.replacing(captured: renameInput, attribute: replace))
        }
        return copy
    }
}
