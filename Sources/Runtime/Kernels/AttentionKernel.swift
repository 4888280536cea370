import CKernels

/// Bounds-checked entries to `attention.c`.
enum AttentionKernel {
    /// Numbers to add to scores, one column a query: for key k row `k / divisor % modulus`.
    struct Bias {
        let rows: MutableElements<Float>
        let divisor, modulus: Int
        /// The first row that there is.
        var first = 0

        /// Whether there is a row for each key.
        func covers(_ keys: Range<Int>, lanes: Int) -> Bool {
            guard divisor > 0, modulus > 0, first >= 0 else { return false }
            if first == 0, modulus * lanes <= rows.count { return true }
            return divisor == 1 && keys.lowerBound >= first && keys.upperBound <= modulus
                && (keys.upperBound - first) * lanes <= rows.count
        }
    }

    /// What is known of each query after some keys.
    struct State {
        let maxima, sums, factors: MutableElements<Float>
    }

    /// Replaces the scores of keys `range`, `lanes` to a row, by their powers relative to their maxima, rounded up to integers.
    static func powers(
        _ scores: MutableElements<Float>, keys range: Range<Int>, lanes: Int, biases: [Bias], _ state: State
    ) {
        precondition(
            range.count * lanes <= scores.count && lanes % 16 == 0 && range.lowerBound >= 0
                && min(state.maxima.count, state.sums.count, state.factors.count) >= lanes
                && biases.allSatisfy { $0.covers(range, lanes: lanes) }, "scores out of bounds")
        withKernels(biases) { kernels in
            ts_attention_powers(
                scores.pointer(at: 0), range.lowerBound, range.count, lanes, kernels.baseAddress, kernels.count,
                state.maxima.pointer(at: 0), state.sums.pointer(at: 0), state.factors.pointer(at: 0))
        }
    }

    /// Powers of the scores of some keys, computed while the scores are in registers: nearly the second product's right
    /// operand, in panels of a tile's columns.
    struct ScoreBlock {
        /// Packed, from the first key of `range` on.
        let keys: MatrixKernel.PackedRows
        let queries: MatrixKernel.Columns
        let range: Range<Int>
        let lanes: Int
        let biases: [Bias]

        /// Keys of a block, and biases, at most.
        static let mostKeys = Int(TS_SCORE_KEYS)
        static let mostBiases = Int(TS_SCORE_BIASES)

        /// Elements between two panels of powers.
        func panelStride(_ matrices: MatrixKernel) -> Int { Self.panelStride(range.count, matrices) }

        private static func panelStride(_ keys: Int, _ matrices: MatrixKernel) -> Int {
            (keys + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows * matrices.tileColumns
        }

        /// Elements that all powers take, for blocks of `keys` keys.
        static func powerCount(keys: Int, lanes: Int, _ matrices: MatrixKernel) -> Int {
            (lanes + matrices.tileColumns - 1) / matrices.tileColumns * panelStride(keys, matrices)
        }
    }

    /// Writes the powers relative to the maxima of earlier keys, and adds them to their sums.
    /// - Returns: whether that suffices. Where it does not, some scores are too far above the maxima: nothing has happened
    ///   to the state.
    static func powers(
        _ block: ScoreBlock, _ matrices: MatrixKernel, _ state: State, into powers: MutableElements<Float>
    ) -> Bool {
        let (range, lanes, depth) = (block.range, block.lanes, block.keys.depth)
        let panels = (lanes + matrices.tileColumns - 1) / matrices.tileColumns
        precondition(
            !range.isEmpty && range.count <= ScoreBlock.mostKeys && range.lowerBound >= 0 && lanes > 0
                && lanes % 16 == 0 && block.biases.count <= ScoreBlock.mostBiases
                && block.biases.allSatisfy { $0.covers(range, lanes: lanes) }
                && block.keys.columns == 0..<depth && block.keys.start >= 0
                && block.keys.start + (range.count + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows
                    * depth <= block.keys.elements.count
                && block.queries.start == 0 && block.queries.rowStride == matrices.tileColumns
                && block.queries.panelStride == matrices.tileColumns * depth
                && panels * block.queries.panelStride <= block.queries.elements.count
                && ScoreBlock.powerCount(keys: range.count, lanes: lanes, matrices) <= powers.count
                && min(state.maxima.count, state.sums.count, state.factors.count) >= lanes, "scores out of bounds")
        return withKernels(block.biases) { biases in
            var kernel = ts_score_block()
            (kernel.first, kernel.count, kernel.lanes, kernel.depth) = (range.lowerBound, range.count, lanes, depth)
            kernel.keys = block.keys.elements.pointer.map { $0 + block.keys.start }
            kernel.queries = block.queries.elements.pointer
            (kernel.biases, kernel.bias_count) = (biases.baseAddress, biases.count)
            kernel.references = UnsafePointer(state.maxima.pointer(at: 0))
            kernel.powers = powers.pointer(at: 0)
            kernel.panel_stride = block.panelStride(matrices)
            kernel.block_sums = state.factors.pointer(at: 0)
            kernel.sums = state.sums.pointer(at: 0)
            return ts_attention_scores(matrices.index, &kernel) != 0
        }
    }

    private static func withKernels<Result>(
        _ biases: [Bias], _ body: (UnsafeBufferPointer<ts_attention_bias>) -> Result
    ) -> Result {
        biases.map { bias in
            ts_attention_bias(
                rows: bias.rows.pointer(at: 0), divisor: bias.divisor, modulus: bias.modulus, first: bias.first)
        }.withUnsafeBufferPointer(body)
    }

    /// Multiplies each column of a matrix by its factor.
    static func scaleColumns(
        _ matrix: MutableElements<Float>, rows: Int, columns: Int, by factors: MutableElements<Float>
    ) {
        precondition(rows * columns <= matrix.count && columns <= factors.count, "matrix out of bounds")
        ts_scale_columns_f32(matrix.pointer(at: 0), rows, columns, factors.pointer(at: 0))
    }

    /// Packs rows, multiplied by a factor, as panels of `panel` of them.
    /// - Parameter places: the index of each row's first element, or the complement of one into `fill`.
    static func packRows(
        _ matrix: Elements<Float>, fill: Elements<Float>?, _ places: ArraySlice<Int>, depth: Int, factor: Float = 1,
        panel: Int,
        into target: MutableElements<Float>, at index: Int = 0
    ) throws {
        precondition(
            panel > 0 && index >= 0 && (places.count + panel - 1) / panel * panel * depth <= target.count - index,
            "panels out of bounds")
        try withRows(matrix, fill, places, length: depth) { rows in
            ts_pack_scattered_rows(rows, places.count, depth, factor, panel, target.pointer(at: index))
        }
    }

    /// Packs the columns of a matrix, whose rows are given by `places`, as panels of `panel` of them.
    static func packColumns(
        _ matrix: Elements<Float>, fill: Elements<Float>?, _ places: ArraySlice<Int>, columns: Int, panel: Int,
        into target: MutableElements<Float>, at index: Int = 0
    ) throws {
        precondition(
            panel > 0 && index >= 0
                && (columns + panel - 1) / panel * panel * places.count <= target.count - index,
            "panels out of bounds")
        try withRows(matrix, fill, places, length: columns) { rows in
            ts_pack_scattered_columns(rows, places.count, columns, panel, target.pointer(at: index))
        }
    }

    /// Writes the first columns of a matrix, each divided by its divisor, as rows that begin at `places`.
    static func scatterQuotients(
        _ matrix: MutableElements<Float>, rows: Int, columns: Int, by divisors: MutableElements<Float>,
        into target: MutableElements<Float>, _ places: [Int]
    ) throws {
        precondition(
            rows * columns <= matrix.count && places.count <= columns && columns <= divisors.count,
            "matrix out of bounds")
        try checkPlaces(places[...], length: rows, of: target.count)
        guard rows > 0 else { return }
        let targets = places.map { Optional(target.pointer(at: $0)) }
        ts_scatter_quotients(
            matrix.pointer(at: 0), rows, columns, places.count, divisors.pointer(at: 0), targets)
    }

    /// Hands on a pointer to each row of `length` elements.
    private static func withRows(
        _ matrix: Elements<Float>, _ fill: Elements<Float>?, _ places: ArraySlice<Int>, length: Int,
        _ body: (UnsafePointer<UnsafePointer<Float>?>) -> Void
    ) throws {
        guard length > 0, let base = matrix.pointer, !places.isEmpty else { return }
        try checkPlaces(places, length: length, of: matrix.count, fill?.count ?? 0)
        let filling = fill?.pointer ?? base
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>?.self, capacity: places.count) { rows in
            var row = 0
            for place in places {
                rows.initializeElement(at: row, to: place >= 0 ? base + place : filling + ~place)
                row += 1
            }
            if let rows = UnsafePointer(rows.baseAddress) { body(rows) }
        }
    }

    private static func checkPlaces(_ places: ArraySlice<Int>, length: Int, of count: Int, _ fillCount: Int = 0) throws
    {
        for place in places {
            guard place >= 0 ? place <= count - length : ~place <= fillCount - length else {
                throw OperatorError("a row of \(length) elements at \(place) is outside a tensor of \(count)")
            }
        }
    }
}
