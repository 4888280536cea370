import ONNXLoader

/// QuantizeLinear (opsets 10–25, and `com.microsoft`): `saturate(round(x / scale) + zero point)`, per tensor, per axis or by
/// blocks, to integers of 2 to 16 bits or floats of at most 8 bits.
struct QuantizeLinear: Operator {
    private let axis, blockSize: Int
    private let saturates: Bool
    private let outputType, precision: ElementType?

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 1)
        blockSize = try node.int("block_size", or: 0)
        saturates = try node.flag("saturate", or: true)
        outputType = try node.int("output_dtype", or: 0) == 0 ? nil : node.elementType("output_dtype")
        precision = try node.int("precision", or: 0) == 0 ? nil : node.elementType("precision")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, scale) = (try inputs.required(0), try inputs.required(1))
        _ = try QuantizationLayout(input.shape, scales: scale.shape, axis: axis, blockSize: blockSize)
        let zeroPoint = inputs.optional(2)
        if let zeroPoint, zeroPoint.shape != scale.shape, zeroPoint.shape.reduce(1, &*) != scale.shape.reduce(1, &*) {
            throw OperatorError("zero points of shape \(zeroPoint.shape) do not fit scales of shape \(scale.shape)")
        }
        let type = zeroPoint?.elementType ?? outputType ?? .uint8
        guard outputType ?? type == type else {
            throw OperatorError("output_dtype is \(outputType?.name ?? ""), but the zero point is \(type.name)")
        }
        return [ValueType(type, input.shape)]
    }

    func run(_ step: inout Step) throws {
        // The division has the precision of the scale, unless an attribute says otherwise.
        switch try precision ?? step.input(1).elementType {
        case .float32, .float8E8M0: try divide(step, Float.self) { $0 / $1 }
        case .float64, .int32: try divide(step, Double.self) { $0 / $1 }
        case .float16: try divide(step, Float.self) { Float(Float16($0 / $1)) }
        case .bfloat16: try divide(step, Float.self) { BFloat16($0 / $1).float }
        case let type: throw OperatorError("no division in \(type.name)")
        }
    }

    private func divide<Wide: QuantizableReal>(
        _ step: Step, _ type: Wide.Type, by quotient: @escaping @Sendable (Wide, Wide) -> Wide
    ) throws {
        let budget = step.context.budget
        let input = try step.input(0)
        let output = try step.output(0)
        let work = Work<Wide>(
            input: try input.wide(as: type, budget: budget), scales: try step.input(1).wide(as: type, budget: budget),
            zeroPoint: step.optional(2), quotient: quotient,
            layout: try QuantizationLayout(
                input.shape, scales: step.input(1).shape, axis: axis, blockSize: blockSize))
        switch output.elementType {
        case .uint8: try work.quantize(step, into: output, UInt8.self)
        case .int8: try work.quantize(step, into: output, Int8.self)
        case .uint16: try work.quantize(step, into: output, UInt16.self)
        case .int16: try work.quantize(step, into: output, Int16.self)
        case .uint4, .uint2, .int4, .int2:
            let bits = output.elementType.packedIntegerBits ?? 8
            let isSigned = output.elementType == .int4 || output.elementType == .int2
            let codes = try budget.allocate(ValueType(isSigned ? .int8 : .uint8, output.shape))
            if isSigned {
                try work.quantize(step, into: codes, Int8.self, bits: bits)
            } else {
                try work.quantize(step, into: codes, UInt8.self, bits: bits)
            }
            output.store(codes: try codes.words(UInt8.self), bits: bits)
        default:
            guard let format = SmallFloat(output.elementType), let bits = output.elementType.bitWidth else {
                throw OperatorError("no quantization to \(output.elementType.name)")
            }
            let codes = try budget.allocate(ValueType(.uint8, output.shape))
            try work.quantize(step, into: codes, format, saturates: saturates)
            output.store(codes: try codes.words(UInt8.self), bits: bits)
        }
    }

    /// The operands of a division.
    private struct Work<Wide: QuantizableReal>: Sendable {
        let input, scales: Elements<Wide>
        let zeroPoint: Tensor?
        let quotient: @Sendable (Wide, Wide) -> Wide
        let layout: QuantizationLayout

        func quantize<Target: IntegerElement>(
            _ step: Step, into output: Tensor, _ type: Target.Type, bits: Int = Target.bitWidth
        ) throws {
            let target = try output.uncheckedMutableElements(of: type)
            let zeroPoints = try zeroPoint?.unpacked(budget: step.context.budget).elements(of: type)
            try step.parallel(input.count, grain: Step.elementGrain) { range in
                layout.forEachRun(in: range) { run, first, stride in
                    guard stride == 0 else {
                        for (offset, index) in run.enumerated() {
                            let quantizer = Quantizer<Wide, Target>(
                                zeroPoint: zeroPoints?[first + offset] ?? 0, bits: bits)
                            target[index] = quantizer(quotient(input[index], scales[first + offset]))
                        }
                        return
                    }
                    let quantizer = Quantizer<Wide, Target>(zeroPoint: zeroPoints?[first] ?? 0, bits: bits)
                    let scale = scales[first]
                    target.assign(run, from: input, at: run.lowerBound) { quantizer(quotient($0, scale)) }
                }
            }
        }

        func quantize(_ step: Step, into output: Tensor, _ format: SmallFloat, saturates: Bool) throws {
            let target = try output.uncheckedMutableElements(of: UInt8.self)
            let zeroPoints = try zeroPoint?.unpacked(budget: step.context.budget).elements(of: Float.self)
            try step.parallel(input.count, grain: Step.elementGrain) { range in
                layout.forEachRun(in: range) { run, first, stride in
                    for (offset, index) in run.enumerated() {
                        let scale = first + offset * stride
                        let value = Float(quotient(input[index], scales[scale])) + (zeroPoints?[scale] ?? 0)
                        target[index] = format.code(of: value, saturates: saturates)
                    }
                }
            }
        }
    }
}

extension Tensor {
    /// The elements, of any real type, as a floating-point type.
    fileprivate func wide<Wide: QuantizableReal>(as type: Wide.Type, budget: MemoryBudget) throws -> Elements<Wide> {
        let unpacked = try unpacked(budget: budget)
        return try unpacked.elementType == Wide.elementType
            ? unpacked.elements() : unpacked.converted(to: Wide.elementType, budget: budget).elements()
    }
}
