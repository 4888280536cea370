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

    /// Replaces the scores of keys `range`, `lanes` to a row, by their powers.
    static func powers(
        _ scores: MutableElements<Float>, keys range: Range<Int>, lanes: Int, biases: [Bias], _ state: State
    ) {
        precondition(
            range.count * lanes <= scores.count && lanes % 16 == 0 && range.lowerBound >= 0
                && min(state.maxima.count, state.sums.count, state.factors.count) >= lanes
                && biases.allSatisfy { $0.covers(range, lanes: lanes) }, "scores out of bounds")
        let kernels = biases.map { bias in
            ts_attention_bias(
                rows: bias.rows.pointer(at: 0), divisor: bias.divisor, modulus: bias.modulus, first: bias.first)
        }
        kernels.withUnsafeBufferPointer { kernels in
            ts_attention_powers(
                scores.pointer(at: 0), range.lowerBound, range.count, lanes, kernels.baseAddress, kernels.count,
                state.maxima.pointer(at: 0), state.sums.pointer(at: 0), state.factors.pointer(at: 0))
        }
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
