import ONNXLoader

/// MatMulNBits of `com.microsoft`: the product with a matrix of 2-, 4- or 8-bit weights in blocks along its rows, each block
/// with a scale and a zero point.
struct MatMulNBits: SinglePrecisionOperator {
    private let inner, columns, bits, blockSize: Int

    init(_ node: inout NodeReader) throws {
        inner = try node.int("K")
        columns = try node.int("N")
        bits = try node.int("bits", or: 4)
        blockSize = try node.int("block_size")
        node.ignore("accuracy_level", "weight_prepacked")
        guard inner > 0, columns > 0, [2, 4, 8].contains(bits), blockSize >= 16, blockSize <= Int32.max,
            blockSize.nonzeroBitCount == 1
        else { throw OperatorError("\(columns)×\(inner) weights of \(bits) bits in blocks of \(blockSize)") }
    }

    var kernelName: String { "gemm" }

    private var blocks: Int { (inner - 1) / blockSize + 1 }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (left, weights, scales) = (try inputs.required(0), try inputs.required(1), try inputs.required(2))
        guard left.shape.last == inner, weights.elementType == .uint8, scales.elementType == left.elementType,
            try elementCount(of: weights.shape) == columns.multiplied(by: blocks).multiplied(by: blockSize * bits / 8),
            try elementCount(of: scales.shape) == columns.multiplied(by: blocks)
        else {
            throw OperatorError(
                "input \(left.type), weights \(weights.type) and scales \(scales.type) do not fit \(columns)×\(inner)")
        }
        if let zeroPoints = inputs.optional(3) {
            let count = try elementCount(of: zeroPoints.shape)
            let packed = columns * ((blocks * bits + 7) / 8)
            guard count == (zeroPoints.elementType == .uint8 ? packed : columns * blocks),
                zeroPoints.elementType == .uint8 || zeroPoints.elementType == left.elementType
            else { throw OperatorError("zero points \(zeroPoints.type) do not fit \(columns)×\(blocks) blocks") }
        }
        if inputs.optional(4) != nil { throw OperatorError("rows in the order of g_idx are not supported") }
        if let bias = inputs.optional(5), bias.type != ValueType(left.elementType, [columns]) {
            throw OperatorError("the bias is \(bias.type), not \(ValueType(left.elementType, [columns]))")
        }
        return [ValueType(left.elementType, left.shape.dropLast() + [columns])]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct((outputs.first?.shape ?? []) + [inner])
    }

    func compute(_ step: inout Step) throws {
        let left = try step.input(0)
        let output = try step.mutableElements(0, of: Float.self)
        guard output.count > 0 else { return }
        let product = try MatrixProduct(
            left: [left.count / inner, inner], transposed: false, right: [columns, inner], transposed: true)
        try product.run(
            step, left: left, right: weights(step), addend: step.optional(5), into: output)
    }

    /// The weights as binary32, one row for each column of the product.
    private func weights(_ step: Step) throws -> Tensor {
        let codes = try step.elements(1, of: UInt8.self)
        let scales = try step.elements(2, of: Float.self)
        let zeroPoints = step.optional(3)
        let packedZeros = zeroPoints?.elementType == .uint8 ? try zeroPoints?.elements(of: UInt8.self) : nil
        let floatZeros = zeroPoints?.elementType == .float32 ? try zeroPoints?.elements(of: Float.self) : nil
        let weights = try step.context.budget.allocate(ValueType(.float32, [columns, inner]))
        let target = try weights.uncheckedMutableElements(of: Float.self)
        let (perByte, mask) = (8 / bits, UInt8(truncatingIfNeeded: 1 << bits - 1))
        @Sendable func code(_ bytes: Elements<UInt8>, _ row: Int, _ index: Int) -> Float {
            Float(bytes[row + index / perByte] >> UInt8(index % perByte * bits) & mask)
        }
        try step.parallel(columns, grain: max(1, Step.elementGrain / inner)) { rows in
            for row in rows {
                for block in 0..<blocks {
                    let zero =
                        packedZeros.map { code($0, row * ((blocks * bits + 7) / 8), block) }
                        ?? floatZeros?[row * blocks + block] ?? Float(1 << (bits - 1))
                    let scale = scales[row * blocks + block]
                    let first = (row * blocks + block) * (blockSize / perByte)
                    for index in 0..<min(blockSize, inner - block * blockSize) {
                        target[row * inner + block * blockSize + index] = (code(codes, first, index) - zero) * scale
                    }
                }
            }
        }
        return weights
    }
}
