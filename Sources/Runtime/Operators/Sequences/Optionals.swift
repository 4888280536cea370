import ONNXLoader

/// `Optional`: an optional with the input as its value, or without one.
struct OptionalOperator: SequenceOperator {
    init(_ node: inout NodeReader) throws {
        node.ignore("type")
    }

    func run(_ step: inout Step) throws { step.set(0, step.value(0) ?? .absent) }
}

/// `OptionalHasElement`: whether an optional, or anything else that may be left out, has a value.
struct OptionalHasElement: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        switch step.value(0) {
        case nil, .absent: step.set(0, .tensor(Tensor(false)))
        default: step.set(0, .tensor(Tensor(true)))
        }
    }
}

/// `OptionalGetElement`: the value of an optional; anything else is handed on.
struct OptionalGetElement: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        guard let value = step.value(0) else { throw OperatorError("input 0 is required") }
        if case .absent = value { throw OperatorError("the optional has no value") }
        step.set(0, value)
    }
}
