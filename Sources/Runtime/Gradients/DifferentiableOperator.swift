import ONNXLoader

/// An operator that knows its gradient.
protocol DifferentiableOperator: Operator {
    /// Adds to the gradients of the inputs what the gradients of the outputs contribute, by the chain rule. Only asked for
    /// where an output has a gradient.
    func gradient(_ node: GradientNode) throws
}

/// A node that is being differentiated: its values, the gradients of its outputs, and what its rule contributes.
final class GradientNode {
    let tape: GradientTape
    private let node: Node
    private let outputGradients: [Int: GradientValue]
    /// Inputs whose gradient somebody wants.
    private let wanted: Set<Int>
    private(set) var contributions: [Int: GradientValue] = [:]

    init(_ node: Node, tape: GradientTape, outputGradients: [Int: GradientValue], wanted: Set<Int>) {
        self.node = node
        self.tape = tape
        self.outputGradients = outputGradients
        self.wanted = wanted
    }

    var inputCount: Int { node.inputs.count }
    var outputCount: Int { node.outputs.count }

    func optionalInput(_ index: Int) -> GradientValue? {
        index < node.inputs.count && !node.inputs[index].isEmpty ? tape.value(node.inputs[index]) : nil
    }

    func input(_ index: Int) throws -> GradientValue {
        guard let value = optionalInput(index) else { throw OperatorError("input \(index) is required") }
        return value
    }

    func output(_ index: Int) throws -> GradientValue {
        guard index < node.outputs.count, !node.outputs[index].isEmpty else {
            throw OperatorError("the gradient needs output \(index), which the node does not give")
        }
        return tape.value(node.outputs[index])
    }

    /// What is known of the inputs before a run.
    var infos: [ValueInfo?] { node.inputs.map { $0.isEmpty ? nil : tape.info($0) } }

    /// The gradient of an output; nil when nothing that is differentiated depends on it.
    func outputGradient(_ index: Int) -> GradientValue? { outputGradients[index] }

    /// The gradient of the first output.
    func gradient() throws -> GradientValue {
        guard let gradient = outputGradients[0] else {
            throw OperatorError("only the first output has a gradient")
        }
        return gradient
    }

    func wants(_ index: Int) -> Bool { wanted.contains(index) }

    /// Adds to the gradient of an input, if somebody wants it. A contribution of another shape is summed over the
    /// dimensions along which the input was repeated.
    func contribute(to index: Int, _ value: () throws -> GradientValue) throws {
        guard wants(index) else { return }
        let contribution = try value().fitted(to: input(index))
        contributions[index] = try contributions[index].map { try $0 + contribution } ?? contribution
    }

    /// Differentiates another way of computing the outputs, made of differentiable operators.
    /// - Parameter outputs: computes the outputs from the inputs on the tape; nil for one without a gradient.
    func differentiate(_ outputs: () throws -> [GradientValue?]) throws {
        let start = tape.elements.count
        let results = try outputs()
        var seeds: [String: GradientValue] = [:]
        for (index, result) in results.enumerated() {
            if let result, let gradient = outputGradients[index] { seeds[result.name] = gradient }
        }
        let inputs = Dictionary(grouping: wanted, by: { node.inputs[$0] })
        let gradients = try tape.differentiate(
            Array(tape.elements[start...]), seeds: seeds, withRespectTo: Set(inputs.keys))
        for (name, positions) in inputs {
            guard let gradient = gradients[name], let position = positions.min() else { continue }
            try contribute(to: position) { gradient }
        }
    }
}

/// What a rule needs of its inputs' values before a run.
/// - Throws: `OperatorError` instead of `DataDependentTypes`.
func known<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch is DataDependentTypes {
        throw OperatorError("the gradient needs inputs that depend on the data")
    }
}

extension GradientTape {
    /// Walks elements backwards and adds the nodes that compute gradients.
    ///
    /// - Parameters:
    ///   - elements: in topological order.
    ///   - seeds: gradients of some values that the elements compute.
    ///   - targets: names of the values whose gradients are wanted.
    /// - Returns: the gradients of the targets that the seeded values depend on.
    /// - Throws: `RuntimeError.node` that names the operator which is not differentiable.
    func differentiate(
        _ elements: [OperatorGraph.Element], seeds: [String: GradientValue], withRespectTo targets: Set<String>
    ) throws -> [String: GradientValue] {
        var dependent = targets
        for element in elements where element.inputs.contains(where: dependent.contains) {
            dependent.formUnion(element.outputs.filter { info($0)?.elementType.isFloatingPoint ?? true })
        }
        var gradients = seeds
        for element in elements.reversed() {
            let node = element.node
            let wanted = Set(
                node.inputs.indices.filter { dependent.contains(node.inputs[$0]) && isReal(node.inputs[$0]) })
            var outputGradients: [Int: GradientValue] = [:]
            for (index, name) in node.outputs.enumerated() where !name.isEmpty {
                outputGradients[index] = gradients[name]
            }
            guard !wanted.isEmpty, !outputGradients.isEmpty else { continue }
            let context = GradientNode(node, tape: self, outputGradients: outputGradients, wanted: wanted)
            do {
                guard let operation = element.operation as? any DifferentiableOperator else {
                    throw OperatorError("the operator is not differentiable, but the gradient passes through it")
                }
                try operation.gradient(context)
            } catch {
                throw RuntimeError.failure(error, in: node, inputs: node.inputs.map { info($0)?.type })
            }
            for (index, contribution) in context.contributions.sorted(by: { $0.key < $1.key }) {
                let name = node.inputs[index]
                gradients[name] = try gradients[name].map { try $0 + contribution } ?? contribution
            }
        }
        return gradients.filter { targets.contains($0.key) }
    }

    /// Whether a value may have a gradient: integers have none.
    private func isReal(_ name: String) -> Bool { info(name)?.elementType.isFloatingPoint ?? true }
}
