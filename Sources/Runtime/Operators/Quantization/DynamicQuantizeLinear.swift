import ONNXLoader

/// DynamicQuantizeLinear (opset 11): floats as `uint8`, with the scale and zero point that their range (including 0) asks
/// for.
struct DynamicQuantizeLinear: Operator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.elementType == .float32 else { throw OperatorError("\(input.elementType.name) is not supported") }
        return Array([ValueType(.uint8, input.shape), ValueType(.float32, []), ValueType(.uint8, [])].prefix(arity))
    }

    func run(_ step: inout Step) throws {
        let input = try step.elements(0, of: Float.self)
        let parameters = DynamicQuantization(input)
        let quantizer = Quantizer<Float, UInt8>(zeroPoint: parameters.zeroPoint)
        if step.wants(0) {
            try step.map(input, to: step.mutableElements(0)) { quantizer($0 / parameters.scale) }
        }
        if step.wants(1) { try step.mutableElements(1)[0] = parameters.scale }
        if step.wants(2) { try step.mutableElements(2)[0] = parameters.zeroPoint }
    }
}

/// The scale and zero point of `uint8` that cover the range of some floats and 0.
struct DynamicQuantization: Sendable {
    let scale: Float
    let zeroPoint: UInt8

    init(_ values: Elements<Float>) {
        var least: Float = 0
        var greatest: Float = 0
        for value in values {
            least = min(least, value)
            greatest = max(greatest, value)
        }
        scale = greatest == least ? 1 / 255 : (greatest - least) / 255
        zeroPoint = Quantizer<Float, UInt8>(zeroPoint: 0)(-least / scale)
    }
}
