/// Identity: the input itself.
struct Identity: Operator {
    init(_ node: inout NodeReader) throws {}

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }
}
