import ONNXLoader

/// MatMulIntegerToFloat of `com.microsoft`: the matrix product of 8-bit integers as real numbers, plus a bias for each
/// column; DynamicQuantizeMatMul: the same for a left operand of floats, quantised by its range on the way.
struct IntegerMatMulToFloat: Operator {
    private let quantizes: Bool

    init(_ node: inout NodeReader) throws { quantizes = node.node.operatorName == "DynamicQuantizeMatMul" }

    var kernelName: String { "integer gemm" }

    private var scaleIndex: Int { quantizes ? 2 : 3 }
    private var biasIndex: Int { quantizes ? 4 : 6 }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let left = quantizes ? try inputs.required(0) : try inputs.requiredBytes(0)
        let product = try MatrixProduct(left: left.shape, right: inputs.requiredBytes(1).shape)
        let type = try inputs.required(quantizes ? 0 : 2).elementType
        guard [.float32, .float16, .bfloat16].contains(type), !quantizes || type == .float32 else {
            throw OperatorError("\(type.name) is not supported")
        }
        if let bias = inputs.optional(biasIndex), bias.type != ValueType(type, [product.columns]) {
            throw OperatorError("the bias is \(bias.type), not one number for each of \(product.columns) columns")
        }
        return [ValueType(type, product.shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { inputs.multiplyAdds(left: 0, right: 1) }

    func run(_ step: inout Step) throws {
        let target = try step.output(0)
        guard target.count > 0 else { return }
        let budget = step.context.budget
        let right = try step.input(1)
        let product = try MatrixProduct(left: step.input(0).shape, right: right.shape)
        var left = try step.input(0)
        var leftZeroPoint = step.optional(4)
        let leftScales: Elements<Float>
        if quantizes {
            let values = try left.elements(of: Float.self)
            let parameters = DynamicQuantization(values)
            let quantizer = Quantizer<Float, UInt8>(zeroPoint: parameters.zeroPoint)
            left = try budget.allocate(ValueType(.uint8, left.shape))
            try step.map(values, to: left.uncheckedMutableElements()) { quantizer($0 / parameters.scale) }
            leftZeroPoint = Tensor(parameters.zeroPoint)
            leftScales = try Tensor(parameters.scale).elements()
        } else {
            leftScales = try step.scales(2).spread(over: product.leftLines, budget: budget)
        }
        let rightScales = try step.scales(scaleIndex).spread(over: product.rightLines, budget: budget)
        let bias = try step.optional(biasIndex).map { _ in try step.scales(biasIndex) }
        let result = target.elementType == .float32 ? target : try budget.allocate(ValueType(.float32, target.shape))
        let output = try result.uncheckedMutableElements(of: Float.self)
        try IntegerMatrixProduct(
            product, left: left, zeroPoint: leftZeroPoint, right: right,
            zeroPoint: step.optional(quantizes ? 3 : 5), budget: budget
        ).run(step) { row, columns, index, sums, start in
            let scale = leftScales[leftScales.count == 1 ? 0 : row]
            let stride = rightScales.count == 1 ? 0 : 1
            let range = index..<index + columns.count
            output.assign(
                range, from: sums, at: start, step: 1, and: rightScales, at: columns.lowerBound * stride, step: stride
            ) { Float($0) * (scale * $1) }
            if let bias {
                let first = columns.lowerBound % product.columns
                output.assign(range, from: output.readable, at: index, step: 1, and: bias, at: first, step: 1) {
                    $0 + $1
                }
            }
        }
        if target.elementType != .float32 { try result.convert(into: target) }
    }
}

/// QGemm of `com.microsoft`: `α · A · B + C` of quantised matrices, quantised again when the output's scale is given. C is
/// quantised with the scale of the product.
struct QuantizedGemm: Operator {
    private let alpha: Float
    private let transposesLeft, transposesRight: Bool

    init(_ node: inout NodeReader) throws {
        alpha = try node.float("alpha", or: 1)
        transposesLeft = try node.flag("transA")
        transposesRight = try node.flag("transB")
    }

    var kernelName: String { "integer gemm" }

    private func product(_ left: [Int], _ right: [Int]) throws -> MatrixProduct {
        try MatrixProduct(left: left, transposed: transposesLeft, right: right, transposed: transposesRight)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let product = try product(inputs.requiredBytes(0).shape, inputs.requiredBytes(3).shape)
        if let addend = inputs.optional(6) {
            guard addend.elementType == .int32, addend.shape.count <= 2,
                (try? broadcast(addend.shape, product.shape)) == product.shape
            else { throw OperatorError("input C, \(addend.type), does not broadcast to \(product.shape)") }
        }
        guard inputs.optional(7) != nil else { return [ValueType(.float32, product.shape)] }
        return [ValueType(try inputs.optional(8)?.elementType ?? inputs.required(0).elementType, product.shape)]
    }

    func run(_ step: inout Step) throws {
        let (left, right) = (try step.input(0), try step.input(3))
        guard try step.output(0).count > 0 else { return }
        let product = try product(left.shape, right.shape)
        let addend = try step.optional(6).map { tensor in
            let strides = broadcastStrides(of: tensor.shape, to: product.shape)
            return (elements: try tensor.elements(of: Int32.self), row: strides[0], column: strides[1])
        }
        let leftScale = try step.scale(1)
        let rightScales = try step.scales(4).spread(over: product.columns, budget: step.context.budget)
        let result = step.optional(7) == nil ? nil : try step.outputQuantization(scale: 7, zeroPoint: 8)
        let floats = result == nil ? try step.mutableElements(0, of: Float.self) : nil
        let bytes = result == nil ? nil : try step.outputBytes()
        try IntegerMatrixProduct(
            product, left: left, zeroPoint: step.optional(2), right: right, zeroPoint: step.optional(5),
            budget: step.context.budget
        ).run(step) { row, columns, index, sums, start in
            for (offset, column) in columns.enumerated() {
                let extra = addend.map { $0.elements[row * $0.row + column * $0.column] } ?? 0
                let scale = alpha * leftScale * rightScales[rightScales.count == 1 ? 0 : column]
                let value = Float(sums[start + offset] &+ extra) * scale
                floats?[index + offset] = value
                if let result { bytes?[index + offset] = result.byte(value) }
            }
        }
    }
}
