import Foundation

/// `softmax(query · keyᵀ) · value` in binary32 for one matrix of few queries and many keys: blocks of keys are worked on in
/// parallel, each with a softmax of its own, and put together at the end (T. Dao et al., "Flash-Decoding", 2023).
///
/// Inputs are the queries `[queries, keySize]`, the keys `[keys, keySize]` and the values `[keys, valueSize]`, with any
/// dimensions of these elements.
struct FewQueriesAttention: LoweredOperator {
    private let queries, keys, keySize, valueSize: Int
    private let type: ValueType
    private let matrices: MatrixKernel

    /// Keys of a block.
    private static let blockKeys = 512

    /// - Parameter type: of the result.
    /// - Returns: nil where a kernel cannot read the values as they are, in whole vectors.
    init?(
        queries: Int, keys: Int, keySize: Int, valueSize: Int, type: ValueType, matrices: MatrixKernel = .best
    ) {
        guard queries > 0, keys > 0, keySize > 0, valueSize > 0, valueSize % matrices.lanes == 0 else { return nil }
        (self.queries, self.keys, self.keySize, self.valueSize) = (queries, keys, keySize, valueSize)
        (self.type, self.matrices) = (type, matrices)
    }

    var kernelName: String { "few queries" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([queries, keys, keySize &+ valueSize])
    }

    /// The parts of the scratch memory.
    private struct Scratch {
        let layout: ScratchLayout
        /// What all blocks share.
        let query, sums, state: Range<Int>
        /// In a slot.
        let keys, scores, powers: Range<Int>
    }

    private var blocks: Int { (keys + Self.blockKeys - 1) / Self.blockKeys }

    private func scratch() throws -> Scratch {
        let block = min(keys, Self.blockKeys)
        var layout = ScratchLayout()
        let query = try layout.share(matrices.packedCount(columns: queries, depth: keySize))
        let sums = try layout.share(queries.multiplied(by: valueSize).multiplied(by: blocks))
        let state = try layout.share(queries.multiplied(by: 2).multiplied(by: blocks))
        let keys = try layout.slot(matrices.packedCount(rows: block, depth: keySize))
        let scores = try layout.slot(queries.multiplied(by: block))
        let powers = try layout.slot(matrices.packedCount(rows: queries, depth: block))
        return Scratch(
            layout: layout, query: query, sums: sums, state: state, keys: keys, scores: scores, powers: powers)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try scratch().layout.byteCount(threads: threads)
    }

    func run(_ step: inout Step) throws { try compute(step) }

    private func compute(_ step: Step) throws {
        let (query, key) = (try step.elements(0, of: Float.self), try step.elements(1, of: Float.self))
        let value = try step.elements(2, of: Float.self)
        let output = try step.mutableElements(0, of: Float.self)
        guard query.count == queries * keySize, key.count == keys * keySize, value.count == keys * valueSize,
            output.count == queries * valueSize
        else { throw OperatorError("the operands are not of the planned shape") }
        let scratch = try scratch()
        let (shared, slots) = try scratch.layout.memory(of: step)
        let packedQuery = shared.part(scratch.query)
        let (sums, state) = (shared.part(scratch.sums), shared.part(scratch.state))
        matrices.packColumns(
            query, start: 0, rowStride: 1, columnStride: keySize, depth: keySize, columns: queries, into: packedQuery)
        try step.context.pool.parallelFor(blocks) { block in
            try step.checkpoint()
            let first = block * Self.blockKeys
            let count = min(Self.blockKeys, keys - first)
            try slots.withSlot { slot in
                let (packedKeys, powers) = (slot.part(scratch.keys), slot.part(scratch.powers))
                let scores = slot.part(scratch.scores).prefix(count * queries)
                matrices.packRows(
                    key, start: first * keySize, rowStride: keySize, columnStride: 1, rows: count, depth: keySize,
                    into: packedKeys)
                matrices.multiply(
                    .init(elements: packedKeys.readable, depth: keySize),
                    .init(
                        elements: packedQuery.readable, rowStride: matrices.tileColumns,
                        panelStride: matrices.tileColumns * keySize),
                    rows: count, columns: queries, into: scores, at: 0, resultStride: queries)
                SoftmaxKernel.powers(scores, rows: count, columns: queries, into: state, at: 2 * block * queries)
                matrices.packRows(
                    scores.readable, start: 0, rowStride: 1, columnStride: queries, rows: queries, depth: count,
                    into: powers)
                matrices.multiply(
                    .init(elements: powers.readable, depth: count),
                    .init(
                        elements: value, start: first * valueSize, rowStride: valueSize,
                        panelStride: matrices.tileColumns),
                    rows: queries, columns: valueSize, into: sums, at: block * queries * valueSize,
                    resultStride: valueSize)
            }
        }
        combine(sums.readable, state.readable, into: output)
    }

    /// Puts the blocks together: each counts by its largest power.
    private func combine(_ sums: Elements<Float>, _ state: Elements<Float>, into output: MutableElements<Float>) {
        output.fill(0..<output.count, with: 0)
        for query in 0..<queries {
            let maxima = (0..<blocks).map { state[2 * $0 * queries + query] }
            let maximum = maxima.max() ?? 0
            let factors = maxima.map { exp($0 - maximum) }
            let total = (0..<blocks).reduce(Float(0)) { $0 + factors[$1] * state[(2 * $1 + 1) * queries + query] }
            for block in 0..<blocks {
                SoftmaxKernel.add(
                    sums, at: (block * queries + query) * valueSize, times: factors[block] / total, to: output,
                    query * valueSize..<(query + 1) * valueSize)
            }
        }
    }
}
