import ONNXLoader

/// BitCast (opset 26): the same bits as another type of the same width.
struct BitCast: Operator {
    private let target: ElementType

    init(_ node: inout NodeReader) throws {
        guard let type = try node.elementType("to") else { throw OperatorError("attribute to is missing") }
        target = type
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard let bits = input.elementType.bitWidth, bits == target.bitWidth else {
            throw OperatorError("the bits of \(input.elementType.name) are not those of \(target.name)")
        }
        return [ValueType(target, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        guard target != .bool else {
            // A Swift truth value has no other bytes than these.
            return try step.map(step.input(0).words(UInt8.self), to: output.uncheckedMutableElements(of: Bool.self)) {
                $0 != 0
            }
        }
        try step.input(0).withUnsafeBytes { output.storage.bytes[output.byteOffset...].copyBytes(from: $0) }
    }
}
