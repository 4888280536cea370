extension TiledAttention {
    /// One tile of queries.
    /// - Parameter rows: the queries.
    func attend(
        _ pair: Int, _ rows: [Int], _ operands: Operands, _ memory: MutableElements<Float>, _ scratch: Scratch
    ) throws {
        // Whole vectors; nobody reads what is past the last query.
        let lanes = (rows.count + 15) & ~15
        let packedKeys = memory.part(scratch.keys).readable
        let packedValues = memory.part(scratch.values).readable
        let packedQuery = memory.part(scratch.query)
        let (scores, sums) = (memory.part(scratch.scores), memory.part(scratch.sums))
        let states = memory.part(scratch.state)
        let state = AttentionKernel.State(
            maxima: states.part(0..<lanes), sums: states.part(lanes..<2 * lanes),
            factors: states.part(2 * lanes..<3 * lanes))
        let valueRows = (valueSize + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows
        try AttentionKernel.packRows(
            operands.inputs[query.input], fill: query.fill.map { operands.inputs[$0] }, query.places(pair, rows)[...],
            depth: headSize, factor: scale * Self.unitsOfScores, panel: matrices.tileColumns, into: packedQuery)
        let right = MatrixKernel.Columns(
            elements: packedQuery.readable, rowStride: matrices.tileColumns,
            panelStride: matrices.tileColumns * headSize)
        state.maxima.fill(0..<lanes, with: -.infinity)
        let keysOfTile = Keys(packed: packedKeys, query: right, lanes: lanes)
        for block in stride(from: 0, to: keys, by: Self.blockKeys) {
            let range = block..<min(keys, block + Self.blockKeys)
            let added = try transposed(
                pair, rows, range, operands, lanes: lanes, memory.part(scratch.biases), isFirst: block == 0)
            if block == 0 {
                // The scores of a few keys tell how large the others are.
                scoreInMemory(keysOfTile, 0..<min(keys, Self.sampledKeys), added, state, scores)
                state.sums.fill(0..<lanes, with: 0)
            }
            let inRegisters = AttentionKernel.ScoreBlock(
                keys: .init(elements: packedKeys, start: block * headSize, depth: headSize), queries: right,
                range: range, lanes: lanes, biases: added)
            let isDone =
                added.count <= AttentionKernel.ScoreBlock.mostBiases
                && AttentionKernel.powers(inRegisters, matrices, state, into: scores)
            if !isDone {
                scoreInMemory(keysOfTile, range, added, state, scores)
                if block > 0 { AttentionKernel.scaleColumns(sums, rows: valueSize, columns: lanes, by: state.factors) }
            }
            matrices.multiply(
                .init(elements: packedValues, start: block * valueRows, depth: range.count),
                .init(
                    elements: scores.readable, rowStride: isDone ? matrices.tileColumns : lanes,
                    panelStride: isDone ? inRegisters.panelStride(matrices) : matrices.tileColumns),
                rows: valueSize, columns: lanes, accumulates: block > 0, into: sums, at: 0, resultStride: lanes)
        }
        try AttentionKernel.scatterQuotients(
            sums, rows: valueSize, columns: lanes, by: state.sums, into: operands.output, result.places(pair, rows))
    }

    /// Operands of the scores of a tile.
    private struct Keys {
        let packed: Elements<Float>
        let query: MatrixKernel.Columns
        let lanes: Int
    }

    /// Powers of the scores of some keys relative to the highest score so far, one row a key.
    private func scoreInMemory(
        _ operands: Keys, _ range: Range<Int>, _ biases: [AttentionKernel.Bias], _ state: AttentionKernel.State,
        _ scores: MutableElements<Float>
    ) {
        matrices.multiply(
            .init(elements: operands.packed, start: range.lowerBound * headSize, depth: headSize), operands.query,
            rows: range.count, columns: operands.lanes, into: scores, at: 0, resultStride: operands.lanes)
        AttentionKernel.powers(scores, keys: range, lanes: operands.lanes, biases: biases, state)
    }

    /// Powers are those of 2.
    private static let unitsOfScores: Float = 1.44269504

    /// The biases of some queries with one column a query, as far as the keys of a block need them.
    private func transposed(
        _ pair: Int, _ queries: [Int], _ keys: Range<Int>, _ operands: Operands, lanes: Int,
        _ memory: MutableElements<Float>, isFirst: Bool
    ) throws -> [AttentionKernel.Bias] {
        var start = 0
        return try biases.map { bias in
            let rows = bias.modulus == self.keys ? keys : 0..<bias.modulus
            let target = memory.part(start..<start + rows.count * lanes)
            start += rowCount(bias) * lanes
            // A bias that does not depend on the block is there already.
            if isFirst || bias.modulus == self.keys {
                let first = bias.starts[pair] + rows.lowerBound
                try AttentionKernel.packRows(
                    operands.inputs[bias.input], fill: nil, queries.map { first + $0 * bias.queryStride }[...],
                    depth: rows.count, factor: Self.unitsOfScores, panel: lanes, into: target)
            }
            return AttentionKernel.Bias(
                rows: target, divisor: bias.divisor, modulus: bias.modulus, first: rows.lowerBound)
        }
    }
}
