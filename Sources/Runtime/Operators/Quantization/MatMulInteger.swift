import ONNXLoader

/// MatMulInteger (opset 10): the matrix product of 8-bit integers, each less its zero point, in 32 bits.
struct MatMulInteger: Operator {
    init(_ node: inout NodeReader) throws {}

    var kernelName: String { "integer gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let product = try MatrixProduct(left: inputs.requiredBytes(0).shape, right: inputs.requiredBytes(1).shape)
        return [ValueType(.int32, product.shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        inputs.multiplyAdds(left: 0, right: 1)
    }

    func run(_ step: inout Step) throws {
        let (left, right) = (try step.input(0), try step.input(1))
        let output = try step.mutableElements(0, of: Int32.self)
        guard output.count > 0 else { return }
        try IntegerMatrixProduct(
            MatrixProduct(left: left.shape, right: right.shape), left: left, zeroPoint: step.optional(2), right: right,
            zeroPoint: step.optional(3), budget: step.context.budget
        ).run(step) { _, columns, index, sums, start in
            output.copy(sums, start..<start + columns.count, to: index)
        }
    }
}

/// QLinearMatMul (opsets 10–21): the matrix product of 8-bit integers with scales and zero points per tensor, or per row of
/// the left operand and per column of the right one.
struct QLinearMatMul: Operator {
    init(_ node: inout NodeReader) throws {}

    var kernelName: String { "integer gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let product = try MatrixProduct(left: inputs.requiredBytes(0).shape, right: inputs.requiredBytes(3).shape)
        return [ValueType(try inputs.requiredBytes(7).elementType, product.shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        inputs.multiplyAdds(left: 0, right: 3)
    }

    func run(_ step: inout Step) throws {
        switch try step.output(0).elementType {
        case .uint8: try compute(step, UInt8.self)
        default: try compute(step, Int8.self)
        }
    }

    private func compute<Target: IntegerElement>(_ step: Step, _ type: Target.Type) throws {
        let (left, right) = (try step.input(0), try step.input(3))
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let budget = step.context.budget
        let product = try MatrixProduct(left: left.shape, right: right.shape)
        let leftScales = try step.scales(1).spread(over: product.leftLines, budget: budget)
        let rightScales = try step.scales(4).spread(over: product.rightLines, budget: budget)
        let outputScale = try step.scale(6)
        let quantizer = Quantizer<Float, Target>(zeroPoint: try step.zeroPoint(7, of: type))
        try IntegerMatrixProduct(
            product, left: left, zeroPoint: step.optional(2), right: right, zeroPoint: step.optional(5), budget: budget
        ).run(step) { row, columns, index, sums, start in
            let scale = leftScales[leftScales.count == 1 ? 0 : row]
            let stride = rightScales.count == 1 ? 0 : 1
            output.assign(
                index..<index + columns.count, from: sums, at: start, step: 1, and: rightScales,
                at: columns.lowerBound * stride, step: stride
            ) { quantizer(Float($0) * (scale * $1 / outputScale)) }
        }
    }
}

extension Array where Element == ValueInfo? {
    /// The cost of a matrix product.
    func multiplyAdds(left: Int, right: Int) -> Int {
        guard let left = try? required(left), let right = try? required(right) else { return 0 }
        return (try? MatrixProduct(left: left.shape, right: right.shape))?.multiplyAdds ?? 0
    }
}
