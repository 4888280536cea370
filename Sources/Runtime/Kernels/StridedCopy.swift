import CKernels
import ONNXLoader

/// A copy from one strided layout to another of the same shape: what transposing, slicing, joining and repeating have in
/// common.
struct StridedCopy: Sendable {
    var shape: [Int]
    /// Index of the source's first element, and elements from one index to the next; 0 repeats, negative ones reverse.
    var sourceStart = 0
    var sourceStrides: [Int]
    var targetStart = 0
    /// Positive, so that no element is written twice.
    var targetStrides: [Int]

    /// Into a contiguous tensor of the shape.
    init(shape: [Int], sourceStart: Int = 0, sourceStrides: [Int]) {
        self.shape = shape
        self.sourceStart = sourceStart
        self.sourceStrides = sourceStrides
        targetStrides = strides(of: shape)
    }

    /// From a contiguous tensor of the shape.
    init(shape: [Int], targetStart: Int, targetStrides: [Int]) {
        self.shape = shape
        sourceStrides = strides(of: shape)
        self.targetStart = targetStart
        self.targetStrides = targetStrides
    }

    init(shape: [Int], sourceStart: Int, sourceStrides: [Int], targetStart: Int, targetStrides: [Int]) {
        self.shape = shape
        self.sourceStart = sourceStart
        self.sourceStrides = sourceStrides
        self.targetStart = targetStart
        self.targetStrides = targetStrides
    }

    /// A contiguous tensor of `shape` with its dimensions in another order.
    init(transposing shape: [Int], _ permutation: [Int]) {
        let own = strides(of: shape)
        self.init(shape: permutation.map { shape[$0] }, sourceStrides: permutation.map { own[$0] })
    }
}

extension Step {
    /// Elements that one block of a parallel copy has, at most.
    private static let copyGrain = 1 << 16

    /// Copies elements of any type of 8 bits or more to an output; blocks of it in parallel.
    /// - Throws: `OperatorError` when the layout leaves the source or the target.
    func copy(_ layout: StridedCopy, from source: Tensor, to index: Int) throws {
        try copy(layout, from: source, to: try output(index))
    }

    /// Copies elements of any type of 8 bits or more into memory that this step owns.
    func copy(_ layout: StridedCopy, from source: Tensor, to target: Tensor) throws {
        guard !layout.shape.contains(0) else { return }
        guard source.elementType.bitWidth == target.elementType.bitWidth, let bits = source.elementType.bitWidth,
            bits >= 8
        else { throw OperatorError("\(source.elementType.name) cannot be copied to \(target.elementType.name)") }
        try layout.check(source: source.count, target: target.count)
        let layout = layout.merged
        let width = bits / 8
        guard layout.shape.count <= TS_MAX_RANK else {
            throw OperatorError("\(layout.shape.count) dimensions are more than \(TS_MAX_RANK)")
        }
        // Blocks: all indices before `axis`, and pieces of `axis` itself.
        var axis = 0
        var inner = layout.shape.dropFirst().reduce(1, *)
        while inner > Self.copyGrain {
            axis += 1
            inner /= layout.shape[axis]
        }
        let outer = layout.shape[..<axis].reduce(1, *)
        let size = layout.shape[axis]
        var piece = min(size, max(1, Self.copyGrain / inner))
        if piece < size, piece > 64 { piece = piece / 64 * 64 }
        let pieces = (size + piece - 1) / piece
        let splitAxis = axis
        let pieceSize = piece
        let sourceBase = source.storage.bytes.baseAddress! + source.byteOffset
        let targetBase = target.storage.bytes.baseAddress! + target.byteOffset
        try withExtendedLifetime((source.storage, target.storage)) {
            let bases = CopyBases(source: sourceBase, target: targetBase)
            try parallel(outer * pieces, grain: 1) { range in
                var sizes = Array(layout.shape[splitAxis...])
                let first = range.lowerBound % pieces * pieceSize
                sizes[0] = min(pieceSize, size - first)
                var from = layout.sourceStart + first * layout.sourceStrides[splitAxis]
                var to = layout.targetStart + first * layout.targetStrides[splitAxis]
                var rest = range.lowerBound / pieces
                for axis in (0..<splitAxis).reversed() {
                    from += rest % layout.shape[axis] * layout.sourceStrides[axis]
                    to += rest % layout.shape[axis] * layout.targetStrides[axis]
                    rest /= layout.shape[axis]
                }
                layout.sourceStrides.withUnsafeBufferPointer { sourceStrides in
                    layout.targetStrides.withUnsafeBufferPointer { targetStrides in
                        ts_copy_strided(
                            width, sizes.count, sizes, sourceStrides.baseAddress! + splitAxis,
                            targetStrides.baseAddress! + splitAxis, bases.source + from * width,
                            bases.target + to * width)
                    }
                }
            }
        }
    }
}

/// Memory that blocks of a copy read and write; the blocks are disjoint.
private struct CopyBases: @unchecked Sendable {
    let source: UnsafeMutableRawPointer
    let target: UnsafeMutableRawPointer
}

extension StridedCopy {
    /// - Throws: `OperatorError` unless every index lies inside both tensors and none is written twice for its stride.
    fileprivate func check(source: Int, target: Int) throws {
        func bounds(_ start: Int, _ strides: [Int]) throws -> ClosedRange<Int> {
            var (low, high) = (start, start)
            for (size, stride) in zip(shape, strides) {
                let reach = try (size - 1).multiplied(by: stride)
                if reach < 0 { low = try low.adding(reach) } else { high = try high.adding(reach) }
            }
            return low...high
        }
        let read = try bounds(sourceStart, sourceStrides)
        let written = try bounds(targetStart, targetStrides)
        guard shape.count == sourceStrides.count, shape.count == targetStrides.count,
            zip(shape, targetStrides).allSatisfy({ $0 == 1 || $1 > 0 }), read.lowerBound >= 0,
            read.upperBound < source, written.lowerBound >= 0, written.upperBound < target
        else {
            throw OperatorError(
                "a copy of shape \(shape) reads \(read) of \(source) and writes \(written) of \(target) elements")
        }
    }

    /// The same copy with as few dimensions as possible, at least one.
    fileprivate var merged: StridedCopy {
        var result = self
        result.shape = []
        result.sourceStrides = []
        result.targetStrides = []
        for axis in shape.indices where shape[axis] != 1 {
            if let last = result.shape.indices.last,
                result.sourceStrides[last] == sourceStrides[axis] * shape[axis],
                result.targetStrides[last] == targetStrides[axis] * shape[axis]
            {
                result.shape[last] *= shape[axis]
                result.sourceStrides[last] = sourceStrides[axis]
                result.targetStrides[last] = targetStrides[axis]
            } else {
                result.shape.append(shape[axis])
                result.sourceStrides.append(sourceStrides[axis])
                result.targetStrides.append(targetStrides[axis])
            }
        }
        if result.shape.isEmpty {
            result.shape = [1]
            result.sourceStrides = [1]
            result.targetStrides = [1]
        }
        return result
    }
}

extension Elements<Float> {
    /// Writes a matrix with its rows as columns.
    func transpose(rows: Int, columns: Int, into target: MutableElements<Float>) {
        precondition(
            rows >= 0 && columns >= 0 && rows * columns <= Swift.min(count, target.count), "matrix out of bounds")
        guard rows > 0, columns > 0, let source = pointer else { return }
        ts_copy_strided(
            MemoryLayout<Float>.stride, 2, [columns, rows], [1, columns], [rows, 1], source, target.pointer(at: 0))
    }
}

extension MutableElements<Float> {
    /// Copies `rows` rows of `columns` elements past the caches: row r from `first + r · rowStride` of `source` to
    /// `index + r · targetStride`.
    func stream(
        _ source: Elements<Float>, from first: Int, rowStride: Int, rows: Int, columns: Int, to index: Int,
        targetStride: Int
    ) {
        guard rows > 0, columns > 0, let from = source.pointer else { return }
        precondition(
            first >= 0 && rowStride >= 0 && first + (rows - 1) * rowStride + columns <= source.count && index >= 0
                && targetStride >= columns && index + (rows - 1) * targetStride + columns <= count,
            "rows out of bounds")
        ts_stream_rows(from + first, rowStride, rows, columns, pointer(at: index), targetStride)
    }
}
