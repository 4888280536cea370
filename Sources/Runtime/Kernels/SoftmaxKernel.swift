import CKernels

/// Softmax and its logarithm in C.
enum SoftmaxKernel {
    /// Of the contiguous elements in `range`, which are read from `source` at the same places. Both may be the same memory.
    static func apply(
        _ source: Elements<Float>, to target: MutableElements<Float>, _ range: Range<Int>, logarithm: Bool
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= target.count && range.upperBound <= source.count,
            "element range out of bounds")
        guard !range.isEmpty, let from = source.pointer else { return }
        ts_softmax_f32(from + range.lowerBound, target.pointer(at: range.lowerBound), range.count, logarithm ? 1 : 0)
    }

    /// The most columns that are worked on at once.
    static let columnLimit = Int(TS_SOFTMAX_COLUMNS)

    /// Along neighbouring columns of a matrix inside a larger array, the first of which starts at `start`.
    static func apply(
        _ source: Elements<Float>, to target: MutableElements<Float>, at start: Int, rows: Int, columns: Int,
        stride: Int,
        logarithm: Bool
    ) {
        guard rows > 0, columns > 0, let from = source.pointer else { return }
        precondition(
            start >= 0 && columns <= columnLimit && columns <= stride
                && start + (rows - 1) * stride + columns <= min(source.count, target.count),
            "matrix out of bounds")
        ts_softmax_columns_f32(from + start, target.pointer(at: start), rows, columns, stride, logarithm ? 1 : 0)
    }

    /// Replaces every element of a matrix by `e^(x − maximum of its column)`; the columns' maxima and sums are written one
    /// after the other to `state`, from an index on.
    static func powers(
        _ matrix: MutableElements<Float>, rows: Int, columns: Int, into state: MutableElements<Float>, at index: Int
    ) {
        precondition(
            rows >= 0 && columns >= 0 && rows * columns <= matrix.count && index >= 0
                && index + 2 * columns <= state.count, "matrix out of bounds")
        guard columns > 0, rows > 0 else { return }
        ts_column_powers_f32(
            matrix.pointer(at: 0), rows, columns, state.pointer(at: index), state.pointer(at: index + columns))
    }

    /// Adds as many elements, from an index on, times a factor to those in `range`.
    static func add(
        _ source: Elements<Float>, at index: Int, times factor: Float, to target: MutableElements<Float>,
        _ range: Range<Int>
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= target.count && index >= 0
                && range.count <= source.count - index, "element range out of bounds")
        guard !range.isEmpty, let from = source.pointer else { return }
        ts_add_scaled_f32(from + index, factor, target.pointer(at: range.lowerBound), range.count)
    }
}
