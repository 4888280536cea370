import ONNXLoader

/// DequantizeLinear (opsets 10–25, and `com.microsoft`): `(x - zero point) · scale`, per tensor, per axis or by blocks.
struct DequantizeLinear: Operator {
    private let axis, blockSize: Int
    private let outputType: ElementType?

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 1)
        blockSize = try node.int("block_size", or: 0)
        outputType = try node.int("output_dtype", or: 0) == 0 ? nil : node.elementType("output_dtype")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, scale) = (try inputs.required(0), try inputs.required(1))
        _ = try QuantizationLayout(input.shape, scales: scale.shape, axis: axis, blockSize: blockSize)
        if let zeroPoint = inputs.optional(2) {
            guard zeroPoint.elementType == input.elementType else {
                throw OperatorError(
                    "the zero point is \(zeroPoint.elementType.name), the input \(input.elementType.name)")
            }
            guard zeroPoint.shape.reduce(1, &*) == scale.shape.reduce(1, &*) else {
                throw OperatorError("zero points of shape \(zeroPoint.shape) do not fit scales of shape \(scale.shape)")
            }
        }
        let type = outputType ?? scale.elementType
        guard [.float32, .float16, .bfloat16].contains(type) else {
            throw OperatorError("the output would be \(type.name), not a float")
        }
        return [ValueType(type, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let budget = step.context.budget
        let output = try step.output(0)
        let result =
            output.elementType == .float32 ? output : try budget.allocate(ValueType(.float32, output.shape))
        let input = try step.input(0).unpacked(budget: budget)
        switch input.elementType {
        case .uint8: try dequantize(step, input, into: result, UInt8.self)
        case .int8: try dequantize(step, input, into: result, Int8.self)
        case .uint16: try dequantize(step, input, into: result, UInt16.self)
        case .int16: try dequantize(step, input, into: result, Int16.self)
        case .int32: try dequantize(step, input, into: result, Int32.self)
        case .float32 where try step.input(0).elementType != .float32:
            let zeroPoints = try step.optional(2)?.unpacked(budget: budget).elements(of: Float.self)
            try dequantize(step, input, into: result, Float.self, zeroPoints) { $0 - $1 }
        default: throw OperatorError("no dequantization of \(try step.input(0).elementType.name)")
        }
        if output.elementType != .float32 { try result.convert(into: output) }
    }

    private func dequantize<Source: IntegerElement>(
        _ step: Step, _ input: Tensor, into result: Tensor, _ type: Source.Type
    ) throws {
        let zeroPoints = try step.optional(2)?.unpacked(budget: step.context.budget).elements(of: type)
        try dequantize(step, input, into: result, type, zeroPoints) {
            Float(Int32(truncatingIfNeeded: $0) &- Int32(truncatingIfNeeded: $1))
        }
    }

    @inline(__always)
    private func dequantize<Source: NumericElement>(
        _ step: Step, _ input: Tensor, into result: Tensor, _ type: Source.Type, _ zeroPoints: Elements<Source>?,
        _ difference: @escaping @Sendable (Source, Source) -> Float
    ) throws {
        let source = try input.elements(of: type)
        let target = try result.uncheckedMutableElements(of: Float.self)
        let scales = try step.scales(1)
        let layout = try QuantizationLayout(
            input.shape, scales: step.input(1).shape, axis: axis, blockSize: blockSize)
        try step.parallel(source.count, grain: Step.elementGrain) { range in
            layout.forEachRun(in: range) { run, first, stride in
                guard stride == 0 else {
                    for (offset, index) in run.enumerated() {
                        let zeroPoint = zeroPoints?[first + offset] ?? 0
                        target[index] = difference(source[index], zeroPoint) * scales[first + offset]
                    }
                    return
                }
                let (zeroPoint, scale) = (zeroPoints?[first] ?? 0, scales[first])
                target.assign(run, from: source, at: run.lowerBound) { difference($0, zeroPoint) * scale }
            }
        }
    }
}
