/// `softmax(scale · query · keyᵀ + biases) · value` in binary32 for many pairs of matrices, without ever holding all scores:
/// for a tile of queries the keys pass by in blocks, with the highest score and the sum of powers so far (M. Milakov and
/// N. Gimelshein, "Online normalizer calculation for softmax", 2018; T. Dao et al., "FlashAttention", 2022).
///
/// Scores lie with the keys as rows and the queries as columns, so that both products read their operands as they come.
/// Inputs are the queries, keys, values, then the biases. Lowering makes it of products around a Softmax.
struct TiledAttention: LoweredOperator {
    /// Sizes of every pair of matrices.
    let batch, queries, keys, headSize, valueSize: Int
    let scale: Float
    /// Whether the keys are given as `[headSize, keys]`.
    let keysAreColumns: Bool
    let biases: [Bias]
    let type: ValueType
    var matrices = MatrixKernel.best

    /// How an input is added to the scores: element `starts[b] + q · queryStride + k / divisor % modulus`.
    struct Bias: Sendable {
        let starts: [Int]
        let queryStride, divisor, modulus: Int
    }

    /// Queries of a tile: whole panels of every matrix kernel, and whole vectors.
    private static let lanes = 48
    /// Keys of a block.
    private static let blockKeys = 1024
    /// Parts that suffice to keep several threads busy.
    private static let wantedParts = 8

    init(
        batch: Int, queries: Int, keys: Int, headSize: Int, valueSize: Int, scale: Float, keysAreColumns: Bool,
        biases: [Bias], type: ValueType
    ) {
        (self.batch, self.queries, self.keys) = (batch, queries, keys)
        (self.headSize, self.valueSize, self.scale) = (headSize, valueSize, scale)
        (self.keysAreColumns, self.biases, self.type) = (keysAreColumns, biases, type)
    }

    var kernelName: String { "tiled attention" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([batch, queries, keys, headSize &+ valueSize])
    }

    /// Where the parts of one thread's scratch memory begin.
    private struct Slot {
        let keys, values, query, scores, sums, biases, state, count: Int
    }

    private func slot() throws -> Slot {
        let lanes = Self.lanes
        func rounded(_ count: Int) -> Int { (count + 31) & ~15 }
        var next = 0
        func take(_ count: Int) -> Int {
            defer { next += rounded(count) }
            return next
        }
        let biasRows = try biases.reduce(0) { try $0.adding(min($1.modulus, biasRowLimit($1))) }
        return Slot(
            keys: take(try matrices.packedCount(rows: keys, depth: headSize)),
            values: take(try matrices.packedCount(rows: valueSize, depth: keys)),
            query: take(try headSize.multiplied(by: lanes)), scores: take(min(keys, Self.blockKeys) * lanes),
            sums: take(try valueSize.multiplied(by: lanes)), biases: take(try biasRows.multiplied(by: lanes)),
            state: take(3 * lanes), count: next)
    }

    /// Rows of a bias that a block of keys reads.
    private func biasRowLimit(_ bias: Bias) -> Int { bias.modulus == keys ? Self.blockKeys : bias.modulus }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try slot().count.multiplied(by: threads).multiplied(by: MemoryLayout<Float>.stride)
    }

    func run(_ step: inout Step) throws { try compute(step) }

    private func compute(_ step: Step) throws {
        let (query, key) = (try step.elements(0, of: Float.self), try step.elements(1, of: Float.self))
        let value = try step.elements(2, of: Float.self)
        let added = try biases.indices.map { try step.elements(3 + $0, of: Float.self) }
        let output = try step.mutableElements(0, of: Float.self)
        guard query.count == batch * queries * headSize, key.count == batch * keys * headSize,
            value.count == batch * keys * valueSize, output.count == batch * queries * valueSize
        else { throw OperatorError("the operands are not of the planned shape") }
        let slot = try slot()
        let slots = ScratchSlots(
            try step.scratch(of: Float.self, count: slot.count * step.context.pool.threads), slotCount: slot.count)
        let tiles = (queries + Self.lanes - 1) / Self.lanes
        let parts = min(max(1, tiles), (Self.wantedParts + batch - 1) / max(1, batch))
        let perPart = (tiles + parts - 1) / max(1, parts)
        try step.context.pool.parallelFor(batch * parts) { index in
            let (pair, part) = (index / parts, index % parts)
            try slots.withSlot { memory in
                let packedKeys = memory.part(slot.keys, slot.values)
                let packedValues = memory.part(slot.values, slot.query)
                matrices.packRows(
                    key, start: pair * keys * headSize, rowStride: keysAreColumns ? 1 : headSize,
                    columnStride: keysAreColumns ? keys : 1, rows: keys, depth: headSize, into: packedKeys)
                for first in stride(from: 0, to: keys, by: Self.blockKeys) {
                    let count = min(Self.blockKeys, keys - first)
                    matrices.packRows(
                        value, start: (pair * keys + first) * valueSize, rowStride: 1, columnStride: valueSize,
                        rows: valueSize, depth: count, into: packedValues,
                        at: first * ((valueSize + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows))
                }
                for tile in part * perPart..<min(tiles, (part + 1) * perPart) {
                    try step.checkpoint()
                    attend(pair, tile, query, added, memory, slot, into: output)
                }
            }
        }
    }

    /// One tile of queries.
    private func attend(
        _ pair: Int, _ tile: Int, _ query: Elements<Float>, _ added: [Elements<Float>],
        _ memory: MutableElements<Float>, _ slot: Slot, into output: MutableElements<Float>
    ) {
        let first = tile * Self.lanes
        let count = min(Self.lanes, queries - first)
        // Whole vectors; nobody reads what is past the last query.
        let lanes = (count + 15) & ~15
        let packedKeys = memory.part(slot.keys, slot.values).readable
        let packedValues = memory.part(slot.values, slot.query).readable
        let packedQuery = memory.part(slot.query, slot.scores)
        let scores = memory.part(slot.scores, slot.sums)
        let sums = memory.part(slot.sums, slot.biases)
        let state = AttentionKernel.State(
            maxima: memory.part(slot.state, slot.state + lanes),
            sums: memory.part(slot.state + lanes, slot.state + 2 * lanes),
            factors: memory.part(slot.state + 2 * lanes, slot.state + 3 * lanes))
        let valueRows = (valueSize + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows
        matrices.packColumns(
            query, start: (pair * queries + first) * headSize, rowStride: 1, columnStride: headSize, depth: headSize,
            columns: count, into: packedQuery)
        state.maxima.fill(0..<lanes, with: -.infinity)
        state.sums.fill(0..<lanes, with: 0)
        for block in stride(from: 0, to: keys, by: Self.blockKeys) {
            let range = block..<min(keys, block + Self.blockKeys)
            matrices.multiply(
                .init(elements: packedKeys, start: block * headSize, depth: headSize),
                .init(
                    elements: packedQuery.readable, rowStride: matrices.tileColumns,
                    panelStride: matrices.tileColumns * headSize), rows: range.count,
                columns: lanes, into: scores, at: 0, resultStride: lanes)
            AttentionKernel.powers(
                scores, keys: range, lanes: lanes, scale: scale,
                biases: transposed(
                    added, pair, first..<first + count, range, lanes: lanes, memory.part(slot.biases, slot.state)),
                state)
            if block > 0 { AttentionKernel.scaleColumns(sums, rows: valueSize, columns: lanes, by: state.factors) }
            matrices.multiply(
                .init(elements: packedValues, start: block * valueRows, depth: range.count),
                .init(elements: scores.readable, rowStride: lanes, panelStride: matrices.tileColumns), rows: valueSize,
                columns: lanes,
                accumulates: block > 0, into: sums, at: 0, resultStride: lanes)
        }
        AttentionKernel.divideTransposed(
            sums, rows: valueSize, columns: lanes, used: count, by: state.sums, into: output,
            at: (pair * queries + first) * valueSize, stride: valueSize)
    }

    /// The biases of some queries with one column a query, as far as the keys of a block need them.
    private func transposed(
        _ added: [Elements<Float>], _ pair: Int, _ queries: Range<Int>, _ keys: Range<Int>,
        lanes: Int, _ memory: MutableElements<Float>
    ) -> [AttentionKernel.Bias] {
        var start = 0
        return zip(biases, added).map { bias, elements in
            let rows = bias.modulus == self.keys ? keys : 0..<bias.modulus
            let target = memory.part(start, start + rows.count * lanes)
            start += min(bias.modulus, biasRowLimit(bias)) * lanes
            // A bias that does not depend on the block is there already.
            if rows == keys || keys.lowerBound == 0 {
                for lane in 0..<lanes {
                    guard lane < queries.count else {
                        for row in 0..<rows.count { target[row * lanes + lane] = 0 }
                        continue
                    }
                    let from = bias.starts[pair] + (queries.lowerBound + lane) * bias.queryStride + rows.lowerBound
                    for row in 0..<rows.count { target[row * lanes + lane] = elements[from + row] }
                }
            }
            return AttentionKernel.Bias(
                rows: target.readable, divisor: bias.divisor, modulus: bias.modulus, first: rows.lowerBound)
        }
    }
}

extension MutableElements {
    /// Elements `from` up to `to`.
    fileprivate func part(_ from: Int, _ to: Int) -> MutableElements { dropFirst(from).prefix(to - from) }
}
