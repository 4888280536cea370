import CKernels

/// The exact Euclidean distance transform of a mask: for every set pixel the distance from its centre to the centre of
/// the nearest pixel that is not set, in pixels. Everything outside the image counts as not set, so a pixel at the
/// border has distance 1.
///
/// Two passes over the mask's bounding box, as in Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions"
/// (2012), and Meijster, Roerdink & Hesselink (2000): the vertical distances, then for every row the nearest of all
/// columns. Linear time.
public struct DistanceTransform: Sendable {
    /// One distance for every set pixel, in the order of the mask's runs.
    public let distances: [Float]

    public init(_ mask: Mask) {
        distances = [Float](unsafeUninitializedCapacity: mask.area) { distances, count in
            Self.forEachRun(of: mask) { run in
                for distance in run {
                    distances.initializeElement(at: count, to: distance)
                    count += 1
                }
            }
        }
    }

    /// Calls `body` with the distances of every run's pixels, in the order of the runs. They are never all in memory: what
    /// is taken are two bytes for every pixel of the bounding box.
    static func forEachRun(of mask: Mask, _ body: (UnsafeBufferPointer<Float>) -> Void) {
        guard !mask.isEmpty else { return }
        let box = mask.boundingBox
        let width = box.width
        let above = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: width)
        let distances = UnsafeMutableBufferPointer<Float>.allocate(capacity: width)
        let narrow = UnsafeMutablePointer<UInt16>.allocate(capacity: 2 * (width + Int(TS_DISTANCE_MARGIN)))
        let wide = UnsafeMutablePointer<Int32>.allocate(capacity: 3 * width + 4)
        defer {
            above.deallocate()
            distances.deallocate()
            narrow.deallocate()
            wide.deallocate()
        }
        above.initialize(repeating: 0)
        mask.runs.withUnsafeBufferPointer { runs in
            distancesBelow(runs, box).withUnsafeBufferPointer { below in
                var next = 0
                for row in 0..<box.height {
                    let first = next
                    while next < runs.count, Int(runs[next].row) - box.y == row { next += 1 }
                    ts_count_up_u16(above.baseAddress, above.baseAddress, width)
                    clearGaps(between: runs[first..<next], box.x, in: above)
                    let line = UnsafeBufferPointer(rebasing: below[row * width..<(row + 1) * width])
                    ts_row_distances(above.baseAddress, line.baseAddress, width, narrow, wide, distances.baseAddress)
                    for run in runs[first..<next] {
                        let start = Int(run.start) - box.x
                        body(UnsafeBufferPointer(rebasing: distances[start..<start + run.count]))
                    }
                }
            }
        }
    }

    /// For every pixel of the box the number of rows down to the nearest one that is not set; 0 where it is not set itself.
    ///
    /// It saturates at 65535, which loses nothing: the set pixels around a distance above 2^15 would be more than the 2^31
    /// that a picture may have.
    private static func distancesBelow(_ runs: UnsafeBufferPointer<Mask.Run>, _ box: BoundingBox) -> [UInt16] {
        let width = box.width
        return [UInt16](unsafeUninitializedCapacity: box.area) { below, count in
            var end = runs.count
            for row in (0..<box.height).reversed() {
                let line = UnsafeMutableBufferPointer(rebasing: below[row * width..<(row + 1) * width])
                if row + 1 < box.height {
                    ts_count_up_u16(line.baseAddress.unsafelyUnwrapped + width, line.baseAddress, width)
                } else {
                    line.initialize(repeating: 1)
                }
                var first = end
                while first > 0, Int(runs[first - 1].row) - box.y == row { first -= 1 }
                clearGaps(between: runs[first..<end], box.x, in: line)
                end = first
            }
            count = box.area
        }
    }

    /// Writes zeros where the row has no run.
    @inline(__always)
    private static func clearGaps(
        between runs: Slice<UnsafeBufferPointer<Mask.Run>>, _ left: Int, in row: UnsafeMutableBufferPointer<UInt16>
    ) {
        var column = 0
        for run in runs {
            for x in column..<Int(run.start) - left { row[x] = 0 }
            column = Int(run.end) - left
        }
        for x in column..<row.count { row[x] = 0 }
    }
}
