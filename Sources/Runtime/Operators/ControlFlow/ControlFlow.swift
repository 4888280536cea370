/// An operator that runs graphs of its node. Types of its outputs are known when they are there.
protocol ControlFlowOperator: Operator {
    /// What the graphs capture; the last inputs of the step.
    var captured: [String] { get }
}

extension ControlFlowOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { throw DataDependentTypes() }

    // Random numbers may be drawn inside.
    var isDeterministic: Bool { false }

    /// How many inputs the node itself has.
    func declaredInputs(_ step: Step) -> Int { step.inputCount - captured.count }

    /// The captured values by name.
    func scope(_ step: Step) -> [String: Value] {
        let first = declaredInputs(step)
        return captured.enumerated().reduce(into: [:]) { scope, entry in
            scope[entry.element] = step.value(first + entry.offset)
        }
    }

    /// An input of one truth value.
    func condition(_ value: Value?) throws -> Bool {
        guard let tensor = value?.tensor, tensor.elementType == .bool, tensor.count == 1 else {
            throw OperatorError("the condition is \(value?.kind ?? "absent"), not one truth value")
        }
        return try tensor.elements(of: Bool.self)[0]
    }
}

/// `If`: one of two graphs.
struct If: ControlFlowOperator {
    let thenBranch, elseBranch: Subgraph
    let captured: [String]

    init(_ node: inout NodeReader) throws {
        thenBranch = try node.subgraph("then_branch")
        elseBranch = try node.subgraph("else_branch")
        captured = node.captured
    }

    func run(_ step: inout Step) throws {
        let branch = try condition(step.value(0)) ? thenBranch : elseBranch
        for (index, value) in try branch.run([], captured: scope(step), context: step.context).enumerated() {
            step.set(index, value)
        }
    }
}

/// `SequenceMap`: a graph for each element of a sequence; further sequences are walked beside it, tensors stay.
struct SequenceMap: ControlFlowOperator {
    let body: Subgraph
    let captured: [String]

    init(_ node: inout NodeReader) throws {
        body = try node.subgraph("body")
        captured = node.captured
    }

    func run(_ step: inout Step) throws {
        let count = try step.sequence(0).count
        let scope = scope(step)
        var results = [[Value]](repeating: [], count: body.outputs.count)
        for position in 0..<count {
            try step.checkpoint()
            let arguments = try (0..<declaredInputs(step)).map { index -> Value in
                guard let value = step.value(index) else { throw OperatorError("input \(index) is required") }
                guard case .sequence(let elements) = value else { return value }
                guard elements.count == count else {
                    throw OperatorError("input \(index) is a sequence of \(elements.count), the first one of \(count)")
                }
                return elements[position]
            }
            for (index, value) in try body.run(arguments, captured: scope, context: step.context).enumerated() {
                results[index].append(value)
            }
        }
        for (index, elements) in results.enumerated() { step.set(index, .sequence(elements)) }
    }
}
