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
        state.sums.fill(0..<lanes, with: 0)
        for block in stride(from: 0, to: keys, by: Self.blockKeys) {
            let range = block..<min(keys, block + Self.blockKeys)
            let added = try transposed(
                pair, rows, range, operands, lanes: lanes, memory.part(scratch.biases), isFirst: block == 0)
            for run in operands.addsInProducts ? runs(of: range) : [range] {
                matrices.multiply(
                    .init(elements: packedKeys, start: run.lowerBound * headSize, depth: headSize), right,
                    rows: run.count, columns: lanes,
                    end: operands.addsInProducts ? productEnd(added, run.lowerBound, lanes: lanes) : nil,
                    into: scores.part((run.lowerBound - block) * lanes..<(run.upperBound - block) * lanes), at: 0,
                    resultStride: lanes)
            }
            AttentionKernel.powers(
                scores, keys: range, lanes: lanes, biases: operands.addsInProducts ? [] : added, state)
            if block > 0 { AttentionKernel.scaleColumns(sums, rows: valueSize, columns: lanes, by: state.factors) }
            matrices.multiply(
                .init(elements: packedValues, start: block * valueRows, depth: range.count),
                .init(elements: scores.readable, rowStride: lanes, panelStride: matrices.tileColumns), rows: valueSize,
                columns: lanes, accumulates: block > 0, into: sums, at: 0, resultStride: lanes)
        }
        try AttentionKernel.scatterQuotients(
            sums, rows: valueSize, columns: lanes, by: state.sums, into: operands.output, result.places(pair, rows))
    }

    /// Powers are those of 2.
    private static let unitsOfScores: Float = 1.44269504

    /// Keys that see the same row of each bias, or one row after the other.
    private func runs(of keys: Range<Int>) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var next = keys.lowerBound
        while next < keys.upperBound {
            let end = biases.reduce(keys.upperBound) { min($0, (next / $1.unit + 1) * $1.unit) }
            runs.append(next..<end)
            next = end
        }
        return runs
    }

    /// The biases of keys from `key` on, as a product adds them: of one there is one row, of the other one for each key.
    private func productEnd(_ added: [AttentionKernel.Bias], _ key: Int, lanes: Int) -> MatrixKernel.End? {
        guard !added.isEmpty else { return nil }
        var end = MatrixKernel.End()
        for bias in added {
            let row = key / bias.divisor % bias.modulus - bias.first
            if bias.divisor > 1 {
                (end.columnBias, end.firstColumn) = (bias.rows.readable, row * lanes)
            } else {
                end.residual = bias.rows.dropFirst(row * lanes).readable
            }
        }
        return end
    }

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
