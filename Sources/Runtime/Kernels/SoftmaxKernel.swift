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
}
