import ONNXLoader

/// What is known of a graph's values for given input types.
struct Inference: Sendable {
    var types: [String: ValueType]

    /// Walks the graph in order, infers every type that follows from the inputs' types, and replaces nodes whose outputs
    /// are thereby known (constants, shapes) by constants.
    ///
    /// - Parameters:
    ///   - inputTypes: types of graph inputs; a missing one leaves what depends on it unknown.
    ///   - largestConstant: bytes that a folded value may have.
    /// - Throws: `RuntimeError.node` for a node whose inputs break its specification.
    init(
        folding graph: inout OperatorGraph, inputTypes: [String: ValueType], largestConstant: Int, context: RunContext
    ) throws {
        types = inputTypes
        var remaining: [OperatorGraph.Element] = []
        remaining.reserveCapacity(graph.elements.count)
        for element in graph.elements {
            try context.checkpoint()
            let node = element.node
            guard let infos = infos(of: node.inputs, constants: graph.constants) else {
                remaining.append(element)
                continue
            }
            do {
                if let known = try element.operation.valuesKnownFromTypes(infos) {
                    for (name, value) in zip(node.outputs, known) { graph.constants[name] = value }
                    continue
                }
                let outputTypes = try element.operation.types(of: infos, arity: node.outputs.count)
                let bytes = try outputTypes.reduce(0) { try $0.adding($1.byteCount) }
                if element.operation.isDeterministic, bytes <= largestConstant,
                    infos.allSatisfy({ $0 == nil || $0!.value != nil })
                {
                    let values = try element.run(inputs: infos.map(\.?.value), types: outputTypes, context: context)
                    for (name, value) in zip(node.outputs, values) where !name.isEmpty { graph.constants[name] = value }
                    continue
                }
                for (name, type) in zip(node.outputs, outputTypes) where !name.isEmpty { types[name] = type }
                remaining.append(element)
            } catch is DataDependentTypes {
                remaining.append(element)
            } catch {
                throw RuntimeError.failure(error, in: node, inputs: infos.map { $0?.type })
            }
        }
        graph.elements = remaining
    }

    /// What is known of a node's inputs; nil when the type of one is not.
    func infos(of inputs: [String], constants: [String: Tensor]) -> [ValueInfo?]? {
        var infos: [ValueInfo?] = []
        for name in inputs {
            if name.isEmpty {
                infos.append(nil)
            } else if let constant = constants[name] {
                infos.append(ValueInfo(constant))
            } else if let type = types[name] {
                infos.append(ValueInfo(type))
            } else {
                return nil
            }
        }
        return infos
    }
}

extension OperatorGraph.Element {
    /// Runs the operator by itself.
    func run(inputs: [Tensor?], types: [ValueType], context: RunContext) throws -> [Tensor] {
        if operation.isView, let input = inputs[0] { return [try input.reshaped(to: types[0].shape)] }
        let bytes = try operation.workspaceByteCount(
            inputs: inputs.map { $0.map { ValueInfo($0) } }, outputs: types, threads: context.pool.threads)
        var step = Step(
            name: node.name, operatorName: node.operatorName, inputs: inputs.map { $0.map(Value.tensor) },
            outputs: try types.map { .tensor(try context.budget.allocate($0)) }, arity: node.outputs.count,
            context: context, workspace: bytes > 0 ? try context.budget.allocate(byteCount: bytes) : nil)
        try operation.run(&step)
        return try types.indices.map { try step.output($0) }
    }
}

extension RuntimeError {
    /// Any error with the node in which it happened; errors about the run as a whole stay as they are.
    static func failure(_ error: any Error, in node: Node, inputs: [ValueType?]) -> RuntimeError {
        switch error {
        case RuntimeError.cancelled: return .cancelled
        case RuntimeError.deadlineExceeded: return .deadlineExceeded
        case let error as RuntimeError: return .nodeFailed(node.displayName, error)
        default:
            return .node(
                node.displayName, operatorName: node.operatorName,
                inputs: zip(node.inputs, inputs).map { name, type in
                    "\(name.isEmpty ? "–" : name) \(type.map(\.description) ?? "")"
                }, reason: String(describing: error))
        }
    }
}

extension Node {
    /// The node's name, or its first output's when it has none.
    var displayName: String { name.isEmpty ? outputs.first { !$0.isEmpty } ?? operatorName : name }
}
