extension ModelReader {
    /// - Parameter location: what contains the graph; empty for the main graph.
    func graph(_ message: Message, at location: String) -> Graph {
        typealias Field = Fields.Graph
        var graph = Graph(
            name: message.string(Field.name),
            nodes: nodes(message, Field.node, at: location),
            inputs: declarations(message, Field.input, what: "input", at: location),
            outputs: declarations(message, Field.output, what: "output", at: location),
            documentation: message.string(Field.documentation))
        for declaration in declarations(message, Field.valueInfo, what: "value", at: location) {
            graph.valueTypes[declaration.name] = declaration.kind
        }
        for initializer in message.children(Field.initializer) {
            let name = initializer.string(Fields.Tensor.name)
            let place = joined(location, "initializer \(quoted(name))")
            add(tensor(initializer, at: place), named: name, to: &graph, at: place)
        }
        for initializer in message.children(Field.sparseInitializer) {
            let name = initializer.child(Fields.SparseTensor.values)?.string(Fields.Tensor.name) ?? ""
            let place = joined(location, "sparse initializer \(quoted(name))")
            add(sparseTensor(initializer, at: place), named: name, to: &graph, at: place)
        }
        return graph
    }

    private func add(_ tensor: ConstantTensor?, named name: String, to graph: inout Graph, at location: String) {
        if name.isEmpty { problems.add(.missing, at: location, "has no name") }
        // The problem is noted; an empty tensor keeps the name defined, so that its users are not problems as well.
        let placeholder = try? ConstantTensor(elementType: .string, shape: [0], payload: .strings([]))
        guard let tensor = tensor ?? placeholder else { return }
        if graph.initializers.updateValue(tensor, forKey: name) != nil {
            problems.add(.duplicate, at: location, "is defined more than once")
        }
    }

    private func declarations(
        _ message: Message, _ field: Int32, what: String, at location: String
    ) -> [ValueDeclaration] {
        message.children(field).map { declaration in
            let name = declaration.string(Fields.ValueInfo.name)
            return ValueDeclaration(
                name: name,
                kind: kind(declaration.child(Fields.ValueInfo.type), at: joined(location, "\(what) \(quoted(name))")),
                documentation: declaration.string(Fields.ValueInfo.documentation))
        }
    }

    func nodes(_ message: Message, _ field: Int32, at location: String) -> [Node] {
        message.children(field).enumerated().map { index, message in
            typealias Field = Fields.Node
            var node = Node(
                name: message.string(Field.name), operatorName: message.string(Field.operatorType),
                domain: canonicalDomain(message.string(Field.domain)), overload: message.string(Field.overload),
                inputs: message.strings(Field.input), outputs: message.strings(Field.output),
                documentation: message.string(Field.documentation), metadata: entries(message, Field.metadata))
            let place = joined(location, node.place(index))
            if node.operatorName.isEmpty { problems.add(.missing, at: place, "has no operator") }
            node.attributes = attributes(message, Field.attribute, at: place)
            if node.operatorName == "Constant", node.domain.isEmpty,
                let value = node.attributes.removeValue(forKey: "sparse_value")
            {
                // Sparse tensors arrive as dense ones, whose attribute has another name.
                node.attributes["value"] = value
            }
            return node
        }
    }
}

extension Node {
    /// The node as errors name it: `node 3 'conv1' (Conv)`; without a name, by its first output.
    func place(_ index: Int) -> String {
        let label = name.isEmpty ? outputs.first { !$0.isEmpty }.map { "that gives \(quoted($0))" } : quoted(name)
        return ["node \(index)", label, "(\(printable(operatorName)))"].compactMap { $0 }
            .joined(separator: " ")
    }
}

/// A place inside another one.
func joined(_ location: String, _ place: String) -> String { location.isEmpty ? place : "\(location), \(place)" }
