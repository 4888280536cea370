/// Rearranging elements as files hold them into little-endian, row-major order.
enum ElementLayout {
    /// A copy with the bytes of every `width`-byte unit reversed.
    static func swapped(_ region: ByteRegion, width: Int, budget: inout ByteBudget) throws -> ByteRegion {
        try budget.take(region.count)
        return ByteRegion(count: region.count) { target in
            region.withUnsafeBytes { source in
                for start in stride(from: 0, to: source.count - source.count % width, by: width) {
                    for byte in 0..<width { target[start + byte] = source[start + width - 1 - byte] }
                }
            }
        }
    }

    /// The same bytes, or a copy with every non-zero byte as 1: a Boolean must not hold another value in memory.
    static func booleans(_ region: ByteRegion, budget: inout ByteBudget) throws -> ByteRegion {
        guard region.withUnsafeBytes({ $0.contains { $0 > 1 } }) else { return region }
        try budget.take(region.count)
        return ByteRegion(count: region.count) { target in
            region.withUnsafeBytes { source in
                for index in source.indices { target[index] = source[index] == 0 ? 0 : 1 }
            }
        }
    }

    /// Elements of `size` bytes at `offset + Σ index·stride` (in elements) of `region`, row-major.
    ///
    /// The same region, cut, when they already lie so. An element may be reached once only, as far as counting can tell:
    /// a view with more elements than its storage is refused.
    /// - Throws: `ArchiveError.Problem` when the view leaves the region.
    static func contiguous(
        _ region: ByteRegion, size: Int, offset: Int, shape: [Int], strides: [Int], budget: inout ByteBudget
    ) throws -> ByteRegion {
        guard shape.count == strides.count, shape.count <= 64, offset >= 0, size > 0 else {
            throw ArchiveError.Problem.malformed("a view of rank \(shape.count) has \(strides.count) strides")
        }
        let available = region.count / size
        var count = 1
        var last = offset
        var isContiguous = true
        for axis in shape.indices.reversed() {
            let (dimension, stride) = (shape[axis], strides[axis])
            guard dimension >= 0, stride >= 0 else {
                throw ArchiveError.Problem.malformed("a view has the shape \(shape) and strides \(strides)")
            }
            if dimension > 1 && stride != count { isContiguous = false }
            let (product, tooMany) = count.multipliedReportingOverflow(by: dimension)
            let (reach, tooFar) = Swift.max(dimension - 1, 0).multipliedReportingOverflow(by: stride)
            let (sum, beyond) = last.addingReportingOverflow(reach)
            guard !tooMany, !tooFar, !beyond else {
                throw ArchiveError.Problem.malformed("a view of shape \(shape) and strides \(strides) is too large")
            }
            (count, last) = (product, sum)
        }
        if count == 0 { return ByteRegion(copying: []) }
        guard last < available, count <= available else {
            throw ArchiveError.Problem.malformed(
                "a view of shape \(shape), strides \(strides) and offset \(offset) leaves its storage of "
                    + "\(available) elements or repeats elements of it")
        }
        if isContiguous { return region.part(offset * size, count: count * size) }
        try budget.take(count * size)
        return ByteRegion(count: count * size) { target in
            region.withUnsafeBytes { source in
                copy(
                    from: source, to: target, size: size, offset: offset, shape: shape, strides: strides,
                    row: shape[shape.count - 1])
            }
        }
    }

    /// The layout of a column-major array of `shape`.
    static func columnMajorStrides(_ shape: [Int]) throws -> [Int] {
        var stride = 1
        return try shape.map { dimension in
            defer { stride = stride &* Swift.max(dimension, 1) }
            guard !stride.multipliedReportingOverflow(by: Swift.max(dimension, 1)).overflow else {
                throw ArchiveError.Problem.malformed("an array of shape \(shape) is too large")
            }
            return stride
        }
    }

    private static func copy(
        from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, size: Int, offset: Int,
        shape: [Int], strides: [Int], row: Int
    ) {
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        let step = strides[strides.count - 1] * size
        var index = [Int](repeating: 0, count: shape.count)
        var position = offset * size
        var written = 0
        while true {
            for element in 0..<row {
                (to + written).copyMemory(from: from + position + element * step, byteCount: size)
                written += size
            }
            var axis = shape.count - 2
            while axis >= 0 {
                index[axis] += 1
                position += strides[axis] * size
                if index[axis] < shape[axis] { break }
                position -= shape[axis] * strides[axis] * size
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}

extension ByteRegion {
    /// `count` bytes from `offset` on; the caller has checked that they are there.
    func part(_ offset: Int, count: Int) -> ByteRegion {
        guard let owner, let start else { return self }
        return ByteRegion(owner: owner, bytes: UnsafeRawBufferPointer(start: start + offset, count: count))
    }
}
