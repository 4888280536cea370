/// Places buffers in one arena so that those which are needed at the same time do not overlap.
struct MemoryPlan: Sendable {
    struct Buffer: Sendable {
        var byteCount: Int
        /// Steps from the one that writes it first to the one that reads it last.
        var lifetime: ClosedRange<Int>
    }

    /// Where each buffer lies, a multiple of 64.
    let offsets: [Int]
    let byteCount: Int

    /// Largest first, each at the lowest place that is free for its whole lifetime.
    init(_ buffers: [Buffer]) {
        var offsets = [Int](repeating: 0, count: buffers.count)
        var placed: [(range: Range<Int>, lifetime: ClosedRange<Int>)] = []
        var total = 0
        let order = buffers.indices.sorted {
            (buffers[$0].byteCount, buffers[$1].lifetime.lowerBound) > (
                buffers[$1].byteCount, buffers[$0].lifetime.lowerBound
            )
        }
        for index in order {
            let size = (buffers[index].byteCount + TensorStorage.alignment - 1) & -TensorStorage.alignment
            var offset = 0
            // `placed` is sorted by place: the first gap that is wide enough is the lowest one.
            for other in placed where other.lifetime.overlaps(buffers[index].lifetime) {
                if other.range.lowerBound >= offset + size { break }
                offset = max(offset, other.range.upperBound)
            }
            let range = offset..<offset + size
            let position = placed.firstIndex { $0.range.lowerBound > offset } ?? placed.count
            placed.insert((range, buffers[index].lifetime), at: position)
            offsets[index] = offset
            total = max(total, range.upperBound)
        }
        self.offsets = offsets
        byteCount = total
    }
}
