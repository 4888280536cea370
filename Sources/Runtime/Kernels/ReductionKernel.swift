import CKernels

/// Sums and extremes of binary32 in C, in binary64 beyond short blocks.
struct ReductionKernel: Sendable {
    let reduction: ts_reduction

    init(_ reduction: ts_reduction) { self.reduction = reduction }

    /// The reduction of the elements in `range`.
    func reduce(_ source: Elements<Float>, _ range: Range<Int>) -> Double {
        precondition(range.lowerBound >= 0 && range.upperBound <= source.count, "element range out of bounds")
        guard let from = source.pointer else { return ts_reduce_f32(reduction, nil, 0) }
        return ts_reduce_f32(reduction, from + range.lowerBound, range.count)
    }

    /// Adds every element in `range`, its magnitude or its square, to the sum at its place.
    func accumulate(_ source: Elements<Float>, _ range: Range<Int>, into sums: inout [Double]) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= source.count && range.count <= sums.count,
            "element range out of bounds")
        guard let from = source.pointer else { return }
        sums.withUnsafeMutableBufferPointer {
            ts_accumulate_f32(reduction, from + range.lowerBound, $0.baseAddress, range.count)
        }
    }
}
