/// Turns plain values into messages.
struct ModelWriter {
    /// Where the data of large initializers goes; nil for into the model's own file.
    let externalData: ExternalDataWriter?

    func write(_ model: Model, to message: MessageBuilder) throws {
        typealias Field = Fields.Model
        try message.add(Field.irVersion, max(model.irVersion, model.neededIRVersion))
        try message.addUnlessEmpty(Field.producerName, model.producerName)
        try message.addUnlessEmpty(Field.producerVersion, model.producerVersion)
        try message.addUnlessEmpty(Field.domain, model.domain)
        if model.version != 0 { try message.add(Field.version, model.version) }
        try message.addUnlessEmpty(Field.documentation, model.documentation)
        try write(model.graph, to: message.add(Field.graph), function: nil)
        try write(opsets: model.opsets, to: message, Field.opsetImport)
        for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
            try write(key, value, to: message.add(Field.metadata))
        }
        for function in model.functions {
            try write(function, to: message.add(Field.functions))
        }
    }

    private func write(opsets: [String: Int], to message: MessageBuilder, _ field: Int32) throws {
        for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) {
            let entry = try message.add(field)
            try entry.add(Fields.OperatorSet.domain, domain)
            try entry.add(Fields.OperatorSet.version, version)
        }
    }

    private func write(_ key: String, _ value: String, to entry: MessageBuilder) throws {
        try entry.add(Fields.Entry.key, key)
        try entry.add(Fields.Entry.value, value)
    }

    private func write(_ function: Function, to message: MessageBuilder) throws {
        typealias Field = Fields.Function
        try message.add(Field.name, function.name)
        try message.add(Field.domain, function.domain)
        try message.addUnlessEmpty(Field.overload, function.overload)
        try message.addEach(Field.input, function.inputs)
        try message.addEach(Field.output, function.outputs)
        try message.addEach(Field.attribute, function.attributes)
        for (name, value) in function.defaults.sorted(by: { $0.key < $1.key }) {
            try write(value, named: name, to: message.add(Field.attributeProto), function: function)
        }
        try write(opsets: function.opsets, to: message, Field.opsetImport)
        for node in function.nodes {
            try write(node, to: message.add(Field.node), function: function)
        }
        try message.addUnlessEmpty(Field.documentation, function.documentation)
    }

    /// - Parameter function: the function that the graph is in, if any.
    func write(_ graph: Graph, to message: MessageBuilder, function: Function?) throws {
        typealias Field = Fields.Graph
        // The specification demands a name.
        try message.add(Field.name, graph.name)
        for node in graph.nodes {
            try write(node, to: message.add(Field.node), function: function)
        }
        for name in graph.initializerNames {
            guard let tensor = graph.initializers[name] else { continue }
            try write(tensor, named: name, to: message.add(Field.initializer), externalData: externalData)
        }
        for input in graph.inputs { try write(input, to: message.add(Field.input)) }
        for output in graph.outputs { try write(output, to: message.add(Field.output)) }
        for (name, kind) in graph.valueTypes.sorted(by: { $0.key < $1.key }) {
            try write(ValueDeclaration(name: name, kind: kind), to: message.add(Field.valueInfo))
        }
        try message.addUnlessEmpty(Field.documentation, graph.documentation)
    }

    private func write(_ node: Node, to message: MessageBuilder, function: Function?) throws {
        typealias Field = Fields.Node
        try message.addUnlessEmpty(Field.name, node.name)
        try message.add(Field.operatorType, node.operatorName)
        try message.addUnlessEmpty(Field.domain, node.domain)
        try message.addUnlessEmpty(Field.overload, node.overload)
        try message.addEach(Field.input, node.inputs)
        try message.addEach(Field.output, node.outputs)
        for (name, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
            try write(value, named: name, to: message.add(Field.attribute), function: function)
        }
        try message.addUnlessEmpty(Field.documentation, node.documentation)
        for (key, value) in node.metadata.sorted(by: { $0.key < $1.key }) {
            try write(key, value, to: message.add(Field.metadata))
        }
    }
}

extension Graph {
    /// The initializers in the order in which the nodes use them, then the others.
    fileprivate var initializerNames: [String] {
        var seen: Set<String> = []
        let used = nodes.flatMap(\.inputs).filter { initializers[$0] != nil && seen.insert($0).inserted }
        return used + initializers.keys.filter { !seen.contains($0) }.sorted()
    }
}

extension Model {
    /// The first IR version that has everything that the model uses.
    fileprivate var neededIRVersion: Int {
        if functions.contains(where: { !$0.overload.isEmpty }) { return 10 }
        if functions.contains(where: { !$0.defaults.isEmpty }) { return 9 }
        if !functions.isEmpty { return 8 }
        // Before version 4 every initializer had to be an input as well.
        return Set(graph.initializers.keys).isSubset(of: graph.inputs.map(\.name)) ? 1 : 4
    }
}
