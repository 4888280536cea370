import ONNXLoader

/// Which scale and zero point belong to each element of a tensor: one for all, one for each index of an axis, or one for
/// each block of indices of an axis.
struct QuantizationLayout: Sendable {
    private let size, inner: Int
    /// Indices of the axis that share a scale.
    private let block: Int
    /// Scales from one index to the next: of the dimensions before the axis, of the axis' blocks, of those after it.
    private let outerStride, blockStride, innerStride: Int

    /// - Parameters:
    ///   - scales: the scales' shape.
    ///   - blockSize: 0 for scales per tensor or per axis.
    init(_ shape: [Int], scales: [Int], axis: Int, blockSize: Int) throws {
        if scales.isEmpty || scales == [1], blockSize == 0 {
            (size, inner, block) = (1, max(1, try elementCount(of: shape)), 1)
            (outerStride, blockStride, innerStride) = (0, 0, 0)
            return
        }
        let axis = try normalized(axis, rank: shape.count)
        let layout = AxisLayout(shape, axis: axis)
        size = layout.size
        inner = layout.inner
        if blockSize == 0 {
            guard scales == [layout.size] else {
                throw OperatorError("scales of shape \(scales) do not fit axis \(axis) of a tensor of shape \(shape)")
            }
            block = 1
            (outerStride, blockStride, innerStride) = (0, 1, 0)
            return
        }
        var blocked = shape
        blocked[axis] = layout.size == 0 ? 0 : (layout.size - 1) / max(1, blockSize) + 1
        guard blockSize > 0, scales == blocked else {
            throw OperatorError(
                "scales of shape \(scales) do not fit blocks of \(blockSize) along axis \(axis) of a tensor of shape \(shape)"
            )
        }
        block = blockSize
        (outerStride, blockStride, innerStride) = (blocked[axis] &* inner, inner, 1)
    }

    /// Calls `body` for each run of elements within `range`, with the index of its first scale, and how far the scales
    /// move from one element to the next: 0 or 1.
    @inline(__always)
    func forEachRun(in range: Range<Int>, _ body: (_ run: Range<Int>, _ scale: Int, _ step: Int) -> Void) {
        var position = range.lowerBound
        while position < range.upperBound {
            let line = position / inner
            let (outer, index, offset) = (line / size, line % size, position % inner)
            let scale = outer * outerStride + index / block * blockStride + offset * innerStride
            let length: Int
            let step: Int
            if inner > 1 {
                (length, step) = (inner - offset, innerStride)
            } else if block == 1 {
                (length, step) = (size - index, blockStride)
            } else {
                (length, step) = (min(block - index % block, size - index), 0)
            }
            let end = min(position + length, range.upperBound)
            body(position..<end, scale, step)
            position = end
        }
    }
}
