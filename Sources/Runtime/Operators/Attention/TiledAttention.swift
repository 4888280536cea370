/// `softmax(scale · query · keyᵀ + biases) · value` in binary32 for many pairs of matrices, without ever holding all scores:
/// for a tile of queries the keys pass by in blocks, with the highest score and the sum of powers so far (M. Milakov and
/// N. Gimelshein, "Online normalizer calculation for softmax", 2018; T. Dao et al., "FlashAttention", 2022).
///
/// Scores lie with the keys as rows and the queries as columns, so that both products read their operands as they come, and
/// are in units of log 2. Lowering makes it of products around a Softmax.
struct TiledAttention: LoweredOperator {
    /// Sizes of every pair of matrices.
    let batch, queries, keys, headSize, valueSize: Int
    let scale: Float
    /// Where the matrices lie.
    var query, key, value: ScatteredRows
    private(set) var result: ScatteredRows
    let biases: [Bias]
    private(set) var type: ValueType
    var matrices = MatrixKernel.best

    /// How an input is added to the scores: element `starts[b] + q · queryStride + k / divisor % modulus`.
    struct Bias: Sendable {
        /// The input.
        var input: Int
        let starts: [Int]
        let queryStride, divisor, modulus: Int
    }

    /// Queries of a tile: whole panels of every matrix kernel, and whole vectors.
    static let lanes = 192
    /// Queries by which the last tile may be larger than that.
    static let additionalLanes = 16
    /// Keys of a block: a tile's scores, and what they are computed of, stay in a second-level cache.
    static let blockKeys = AttentionKernel.ScoreBlock.mostKeys
    /// Keys whose scores say what the powers of the others are relative to.
    static let sampledKeys = 8
    /// Parts that suffice to keep several threads busy.
    private static let wantedParts = 8

    init(
        batch: Int, queries: Int, keys: Int, headSize: Int, valueSize: Int, scale: Float, query: ScatteredRows,
        key: ScatteredRows, value: ScatteredRows, result: ScatteredRows? = nil, biases: [Bias], type: ValueType
    ) {
        (self.batch, self.queries, self.keys) = (batch, queries, keys)
        (self.headSize, self.valueSize, self.scale) = (headSize, valueSize, scale)
        (self.query, self.key, self.value) = (query, key, value)
        self.result = result ?? ScatteredRows(input: 0, batch: batch, rows: queries, columns: valueSize)
        (self.biases, self.type) = (biases, type)
    }

    /// Writes the result's rows elsewhere.
    mutating func write(_ result: ScatteredRows, _ type: ValueType) {
        (self.result, self.type) = (result, type)
    }

    var kernelName: String { "tiled attention" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([batch, queries, keys, headSize &+ valueSize])
    }

    /// The parts of one thread's scratch memory.
    struct Scratch {
        let layout: ScratchLayout
        let keys, values, query, scores, sums, biases, state: Range<Int>
    }

    private func scratch() throws -> Scratch {
        let lanes = min(Self.lanes + Self.additionalLanes, (queries + 15) & ~15)
        let biasRows = try biases.reduce(0) { try $0.adding(rowCount($1)) }
        var layout = ScratchLayout()
        let packedKeys = try layout.slot(matrices.packedCount(rows: keys, depth: headSize))
        let packedValues = try layout.slot(matrices.packedCount(rows: valueSize, depth: keys))
        let packedQuery = try layout.slot(matrices.packedCount(columns: lanes, depth: headSize))
        let scores = try layout.slot(
            AttentionKernel.ScoreBlock.powerCount(keys: min(keys, Self.blockKeys), lanes: lanes, matrices))
        let sums = try layout.slot(valueSize.multiplied(by: lanes))
        let biases = try layout.slot(biasRows.multiplied(by: lanes))
        let state = try layout.slot(3 * lanes)
        return Scratch(
            layout: layout, keys: packedKeys, values: packedValues, query: packedQuery, scores: scores, sums: sums,
            biases: biases, state: state)
    }

    /// Rows of a bias that a block of keys reads.
    func rowCount(_ bias: Bias) -> Int { bias.modulus == keys ? min(keys, Self.blockKeys) : bias.modulus }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try scratch().layout.byteCount(threads: threads)
    }

    func run(_ step: inout Step) throws { try compute(step) }

    /// What all tiles read and write.
    struct Operands {
        let inputs: [Elements<Float>]
        let output: MutableElements<Float>
    }

    private func compute(_ step: Step) throws {
        let operands = Operands(
            inputs: try (0..<step.inputCount).map { try step.elements($0, of: Float.self) },
            output: try step.mutableElements(0, of: Float.self))
        let scratch = try scratch()
        let slots = try scratch.layout.memory(of: step).slots
        let tiles = max(1, (queries - Self.additionalLanes + Self.lanes - 1) / Self.lanes)
        let parts = min(tiles, (Self.wantedParts + batch - 1) / max(1, batch))
        let perPart = (tiles + parts - 1) / max(1, parts)
        try step.context.pool.parallelFor(batch * parts) { index in
            let (pair, part) = (index / parts, index % parts)
            let wanted = result.presentRows(pair)
            let first = part * perPart * Self.lanes
            let end = part == parts - 1 ? wanted.count : min(wanted.count, first + perPart * Self.lanes)
            guard first < end else { return }
            try slots.withSlot { memory in
                try pack(pair, operands, memory, scratch)
                var next = first
                while next < end {
                    try step.checkpoint()
                    let tile = end - next <= Self.lanes + Self.additionalLanes ? end : next + Self.lanes
                    try attend(pair, Array(wanted[next..<tile]), operands, memory, scratch)
                    next = tile
                }
            }
        }
    }

    /// Packs the keys and the values of a pair.
    private func pack(
        _ pair: Int, _ operands: Operands, _ memory: MutableElements<Float>, _ scratch: Scratch
    ) throws {
        let (packedKeys, packedValues) = (memory.part(scratch.keys), memory.part(scratch.values))
        let keyPlaces = try key.places(pair, 0..<keys)
        if key.columnStride == 1 {
            try AttentionKernel.packRows(
                operands.inputs[key.input], fill: key.fill.map { operands.inputs[$0] }, keyPlaces[...], depth: headSize,
                panel: matrices.tileRows, into: packedKeys)
        } else {
            // Keys that are columns lie next to one another.
            matrices.packRows(
                operands.inputs[key.input], start: keyPlaces[0], rowStride: keys > 1 ? keyPlaces[1] - keyPlaces[0] : 1,
                columnStride: key.columnStride, rows: keys, depth: headSize, into: packedKeys)
        }
        let valueRows = (valueSize + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows
        for first in stride(from: 0, to: keys, by: Self.blockKeys) {
            try AttentionKernel.packColumns(
                operands.inputs[value.input], fill: value.fill.map { operands.inputs[$0] },
                value.places(pair, first..<min(keys, first + Self.blockKeys))[...], columns: valueSize,
                panel: matrices.tileRows, into: packedValues, at: first * valueRows)
        }
    }
}
