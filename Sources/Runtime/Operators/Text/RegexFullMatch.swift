import ONNXLoader

/// RegexFullMatch (opset 20): whether the whole of a string matches a pattern of RE2's syntax.
struct RegexFullMatch: Operator {
    private let expression: RegularExpression

    init(_ node: inout NodeReader) throws {
        expression = try RegularExpression(node.string("pattern", or: ""))
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.elementType == .string else { throw OperatorError("\(input.elementType.name) is not supported") }
        return [ValueType(.bool, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let output = try step.mutableElements(0, of: Bool.self)
        for (index, string) in try step.input(0).strings.enumerated() {
            try step.checkpoint()
            output[index] = expression.matchesWhole(string)
        }
    }
}
