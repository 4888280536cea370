import CKernels

/// Bounds-checked entries to `attention.c`.
enum AttentionKernel {
    /// Numbers to add to scores, one column a query: for key k row `k / divisor % modulus`.
    struct Bias {
        let rows: Elements<Float>
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
        _ scores: MutableElements<Float>, keys range: Range<Int>, lanes: Int, scale: Float, biases: [Bias],
        _ state: State
    ) {
        precondition(
            range.count * lanes <= scores.count && lanes % 16 == 0 && range.lowerBound >= 0
                && min(state.maxima.count, state.sums.count, state.factors.count) >= lanes
                && biases.allSatisfy { $0.covers(range, lanes: lanes) }, "scores out of bounds")
        let kernels = biases.compactMap { bias in
            bias.rows.pointer.map {
                ts_attention_bias(rows: $0, divisor: bias.divisor, modulus: bias.modulus, first: bias.first)
            }
        }
        kernels.withUnsafeBufferPointer { kernels in
            ts_attention_powers(
                scores.pointer(at: 0), range.lowerBound, range.count, lanes, scale, kernels.baseAddress,
                kernels.count, state.maxima.pointer(at: 0), state.sums.pointer(at: 0), state.factors.pointer(at: 0))
        }
    }

    /// Multiplies each column of a matrix by its factor.
    static func scaleColumns(
        _ matrix: MutableElements<Float>, rows: Int, columns: Int, by factors: MutableElements<Float>
    ) {
        precondition(rows * columns <= matrix.count && columns <= factors.count, "matrix out of bounds")
        ts_scale_columns_f32(matrix.pointer(at: 0), rows, columns, factors.pointer(at: 0))
    }

    /// Writes the first `used` columns of a matrix, each divided by its divisor, as rows `stride` apart.
    static func divideTransposed(
        _ matrix: MutableElements<Float>, rows: Int, columns: Int, used: Int, by divisors: MutableElements<Float>,
        into target: MutableElements<Float>, at index: Int, stride: Int
    ) {
        guard used > 0, rows > 0 else { return }
        precondition(
            rows * columns <= matrix.count && used <= columns && columns <= divisors.count && index >= 0
                && stride >= rows
                && index + (used - 1) * stride + rows <= target.count, "matrix out of bounds")
        ts_divide_transposed_f32(
            matrix.pointer(at: 0), rows, columns, used, divisors.pointer(at: 0), target.pointer(at: index), stride)
    }
}
