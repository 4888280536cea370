/// Attention of many queries to few keys in binary32 between two linear layers, with the layers' weights already multiplied
/// by the keys and the values: `Σ over heads of softmax(x · key[head]ᵀ + offset[head]) · value[head] + bias + residual`.
///
/// Inputs are x `[rows, inner]`, the keys `[heads · keys, inner]`, the values `[heads · keys, columns]`, then, where they
/// are, the offsets, one for each key, the bias, one for each column, and the residual, with any dimensions of these elements.
struct FewKeysAttention: LoweredOperator {
    struct Sizes: Sendable {
        var rows, inner, heads, keys, columns: Int
    }

    private let sizes: Sizes
    /// Numbers of the inputs.
    private let offsets, bias, residual: Int?
    private let type: ValueType
    private let matrices: MatrixKernel

    /// Rows of x that are worked on at a time.
    private static let blockRows = 96

    /// - Parameters:
    ///   - type: of the result.
    ///   - offsets: the number of the input that holds them.
    ///   - bias: likewise.
    ///   - residual: likewise.
    init?(
        _ sizes: Sizes, type: ValueType, offsets: Int?, bias: Int?, residual: Int?, matrices: MatrixKernel = .best
    ) {
        guard sizes.rows > 0, sizes.inner > 0, sizes.heads > 0, sizes.keys > 0, sizes.columns > 0 else { return nil }
        self.sizes = sizes
        (self.offsets, self.bias, self.residual) = (offsets, bias, residual)
        (self.type, self.matrices) = (type, matrices)
    }

    var kernelName: String { "few keys" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([sizes.rows, sizes.heads &* sizes.keys, sizes.inner &+ sizes.columns])
    }

    /// The parts of the scratch memory.
    private struct Scratch {
        let layout: ScratchLayout
        /// What all blocks share.
        let keys, values: Range<Int>
        /// In a slot.
        let rows, scores, transposed, powers: Range<Int>
    }

    private func scratch() throws -> Scratch {
        let keys = try sizes.heads.multiplied(by: sizes.keys)
        let block = min(sizes.rows, Self.blockRows)
        var layout = ScratchLayout()
        let packedKeys = try layout.share(matrices.packedCount(columns: keys, depth: sizes.inner))
        let packedValues = try layout.share(matrices.packedCount(columns: sizes.columns, depth: keys))
        let rows = try layout.slot(matrices.packedCount(rows: block, depth: sizes.inner))
        let scores = try layout.slot(keys.multiplied(by: block))
        let transposed = try layout.slot(keys.multiplied(by: block))
        let powers = try layout.slot(matrices.packedCount(rows: block, depth: keys))
        return Scratch(
            layout: layout, keys: packedKeys, values: packedValues, rows: rows, scores: scores, transposed: transposed,
            powers: powers)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try scratch().layout.byteCount(threads: threads)
    }

    func run(_ step: inout Step) throws { try compute(step) }

    private func compute(_ step: Step) throws {
        let x = try step.elements(0, of: Float.self)
        let (key, value) = (try step.elements(1, of: Float.self), try step.elements(2, of: Float.self))
        let offsets = try offsets.map { try step.elements($0, of: Float.self) }
        let bias = try bias.map { try step.elements($0, of: Float.self) }
        let residual = try residual.map { try step.elements($0, of: Float.self) }
        let output = try step.mutableElements(0, of: Float.self)
        let (rows, inner, columns) = (sizes.rows, sizes.inner, sizes.columns)
        let keys = sizes.heads * sizes.keys
        guard x.count == rows * inner, key.count == keys * inner, value.count == keys * columns,
            output.count == rows * columns, offsets?.count ?? keys == keys, bias?.count ?? columns == columns,
            residual?.count ?? output.count == output.count
        else { throw OperatorError("the operands are not of the planned shape") }
        let scratch = try scratch()
        let (shared, slots) = try scratch.layout.memory(of: step)
        let (packedKeys, packedValues) = (shared.part(scratch.keys), shared.part(scratch.values))
        matrices.packColumns(
            key, start: 0, rowStride: 1, columnStride: inner, depth: inner, columns: keys, into: packedKeys)
        matrices.packColumns(
            value, start: 0, rowStride: columns, columnStride: 1, depth: keys, columns: columns, into: packedValues)
        let tile = matrices.tileColumns
        try step.context.pool.parallelFor((rows + Self.blockRows - 1) / Self.blockRows) { block in
            try step.checkpoint()
            let first = block * Self.blockRows
            let count = min(Self.blockRows, rows - first)
            try slots.withSlot { slot in
                let (packedRows, powers) = (slot.part(scratch.rows), slot.part(scratch.powers))
                let scores = slot.part(scratch.scores).prefix(count * keys)
                let transposed = slot.part(scratch.transposed).prefix(count * keys)
                matrices.packRows(
                    x, start: first * inner, rowStride: inner, columnStride: 1, rows: count, depth: inner,
                    into: packedRows)
                matrices.multiply(
                    .init(elements: packedRows.readable, depth: inner),
                    .init(elements: packedKeys.readable, rowStride: tile, panelStride: tile * inner),
                    rows: count, columns: keys, end: .init(columnBias: offsets), into: scores, at: 0,
                    resultStride: keys)
                // One key a row: the softmax of many queries at once.
                scores.readable.transpose(rows: count, columns: keys, into: transposed)
                for head in 0..<sizes.heads {
                    SoftmaxKernel.apply(
                        transposed.readable, to: transposed, at: head * sizes.keys * count, rows: sizes.keys,
                        columns: count, stride: count, logarithm: false)
                }
                matrices.packRows(
                    transposed.readable, start: 0, rowStride: 1, columnStride: count, rows: count, depth: keys,
                    into: powers)
                matrices.multiply(
                    .init(elements: powers.readable, depth: keys),
                    .init(elements: packedValues.readable, rowStride: tile, panelStride: tile * keys),
                    rows: count, columns: columns, end: .init(columnBias: bias, residual: residual), into: output,
                    at: first * columns, resultStride: columns)
            }
        }
    }
}
