import ONNXLoader

/// Cast (opsets 6–25) and CastLike (opsets 15–25): the elements as another type.
struct Cast: Operator {
    /// Nil for the type of input 1.
    private let target: ElementType?
    private let saturates: Bool
    private let rounding: SmallFloat.RoundingMode

    init(_ node: inout NodeReader) throws {
        if node.node.operatorName == "CastLike" {
            target = nil
        } else {
            guard let type = try node.elementType("to") else { throw OperatorError("attribute to is missing") }
            target = type
        }
        saturates = try node.flag("saturate", or: true)
        rounding = try node.choice("round_mode", or: .up)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(try target ?? inputs.required(1).elementType, try inputs.required(0).shape)]
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let output = try step.output(0)
        switch (input.elementType, output.elementType) {
        case let (source, target) where source == target:
            if source == .string {
                output.storage.strings = input.strings
            } else {
                input.withUnsafeBytes { output.storage.bytes[output.byteOffset...].copyBytes(from: $0) }
            }
        case (.string, _): try parse(input, into: output, budget: step.context.budget)
        case (_, .string): output.storage.strings = try input.unpacked(budget: step.context.budget).descriptions()
        default: try convert(input.unpacked(budget: step.context.budget), into: output, budget: step.context.budget)
        }
    }

    private func convert(_ input: Tensor, into output: Tensor, budget: MemoryBudget) throws {
        if let format = SmallFloat(output.elementType), let bits = output.elementType.bitWidth {
            let wide = try input.converted(to: .float32, budget: budget).elements(of: Float.self)
            output.store(
                codes: wide.map { format.code(of: $0, saturates: saturates, rounding: rounding) }, bits: bits)
        } else if let bits = output.elementType.packedIntegerBits {
            let wide = try input.converted(to: .int64, budget: budget).elements(of: Int64.self)
            output.store(codes: wide.map { UInt8(truncatingIfNeeded: $0) }, bits: bits)
        } else {
            try input.convert(into: output)
        }
    }

    private func parse(_ input: Tensor, into output: Tensor, budget: MemoryBudget) throws {
        switch output.elementType {
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .int4, .uint4, .int2, .uint2:
            // Integers beyond 2^53 would not survive a float.
            if input.strings.allSatisfy({ Int64($0) != nil }) {
                let integers = try Tensor(input.strings.map { Int64($0) ?? 0 }, shape: input.shape)
                return try convert(integers, into: output, budget: budget)
            }
        default: break
        }
        let numbers = try input.strings.map { string in
            guard let number = Double(string) else { throw OperatorError("“\(string)” is not a number") }
            return number
        }
        try convert(Tensor(numbers, shape: input.shape), into: output, budget: budget)
    }
}

extension Tensor {
    /// The elements as decimal numbers: the shortest that mean the same.
    fileprivate func descriptions() throws -> [String] {
        func describe<Element: TensorElement & BinaryFloatingPoint>(_ type: Element.Type) throws -> [String] {
            try elements(of: type).map { element in
                if element.isNaN { return "NaN" }
                return element.isInfinite ? (element < 0 ? "-INF" : "INF") : "\(element)"
            }
        }
        switch elementType {
        case .float32: return try describe(Float.self)
        case .float64: return try describe(Double.self)
        case .float16: return try describe(Float16.self)
        case .bfloat16: return try converted(to: .float32).descriptions()
        case .int64: return try elements(of: Int64.self).map { "\($0)" }
        case .int32: return try elements(of: Int32.self).map { "\($0)" }
        case .int16: return try elements(of: Int16.self).map { "\($0)" }
        case .int8: return try elements(of: Int8.self).map { "\($0)" }
        case .uint64: return try elements(of: UInt64.self).map { "\($0)" }
        case .uint32: return try elements(of: UInt32.self).map { "\($0)" }
        case .uint16: return try elements(of: UInt16.self).map { "\($0)" }
        case .uint8: return try elements(of: UInt8.self).map { "\($0)" }
        case .bool: return try elements(of: Bool.self).map { $0 ? "1" : "0" }
        default: throw OperatorError("no conversion from \(elementType.name) to string")
        }
    }
}

extension Cast: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.tape.apply("CastLike", [node.gradient(), node.input(0)]) }
    }
}
