/// Identity: the input itself.
struct Identity: Operator {
    init(_ node: inout NodeReader) throws {}

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }
}

extension Identity: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient() }
    }
}
