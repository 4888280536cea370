/// The exact Euclidean distance transform of a mask: for every set pixel the distance from its centre to the centre of
/// the nearest pixel that is not set, in pixels. Everything outside the image counts as not set, so a pixel at the
/// border has distance 1.
///
/// Two passes (Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled Functions", 2012): the vertical distance
/// down every column, then along every run the lower envelope of parabolas. A pixel's nearest unset pixel lies in a
/// column of its own run or in the one before or after it, so both passes touch the mask's own pixels only. Time and
/// memory (4 bytes a pixel) are linear in the mask's area.
public struct DistanceTransform: Sendable {
    /// One distance for every set pixel, in the order of the mask's runs.
    public let distances: [Float]

    public init(_ mask: Mask) {
        var distances = [Float](repeating: 1, count: mask.area)
        let longest = mask.runs.lazy.map(\.count).max() ?? 0
        mask.runs.withUnsafeBufferPointer { runs in
            distances.withUnsafeMutableBufferPointer { values in
                Self.descend(runs, values)
                Self.ascend(runs, values)
                withUnsafeTemporaryAllocation(of: Parabola.self, capacity: longest + 2) { parabolas in
                    var offset = 0
                    for run in runs {
                        replaceBySquaredDistances(
                            UnsafeMutableBufferPointer(rebasing: values[offset..<offset + run.count]), parabolas)
                        offset += run.count
                    }
                }
                for index in values.indices { values[index] = values[index].squareRoot() }
            }
        }
        self.distances = distances
    }

    /// Each value becomes the number of rows up to the nearest unset pixel of the column above.
    private static func descend(_ runs: UnsafeBufferPointer<Mask.Run>, _ values: UnsafeMutableBufferPointer<Float>) {
        var above = 0
        var aboveOffset = 0
        var offset = 0
        for index in runs.indices {
            let run = runs[index]
            while above < index, !runs[above].reaches(run, row: run.row - 1) {
                aboveOffset += runs[above].count
                above += 1
            }
            var neighbour = above
            var neighbourOffset = aboveOffset
            while neighbour < index, runs[neighbour].row == run.row - 1, runs[neighbour].start < run.end {
                let start = max(runs[neighbour].start, run.start)
                let end = min(runs[neighbour].end, run.end)
                let to = offset + Int(start - run.start)
                let from = neighbourOffset + Int(start - runs[neighbour].start)
                for i in 0..<Int(end - start) { values[to + i] = values[from + i] + 1 }
                neighbourOffset += runs[neighbour].count
                neighbour += 1
            }
            offset += run.count
        }
    }

    /// Each value becomes the smaller of itself and the number of rows down to the nearest unset pixel of its column.
    private static func ascend(_ runs: UnsafeBufferPointer<Mask.Run>, _ values: UnsafeMutableBufferPointer<Float>) {
        // `below` and its offset point one past a run, as `index` does.
        var below = runs.count
        var belowOffset = values.count
        var offset = values.count
        for index in runs.indices.reversed() {
            let run = runs[index]
            offset -= run.count
            while below > index + 1, !runs[below - 1].comesFrom(run, row: run.row + 1) {
                below -= 1
                belowOffset -= runs[below].count
            }
            var neighbour = below
            var neighbourOffset = belowOffset
            var uncovered = run.end
            while neighbour > index + 1, runs[neighbour - 1].row == run.row + 1, runs[neighbour - 1].end > run.start {
                neighbour -= 1
                neighbourOffset -= runs[neighbour].count
                let start = max(runs[neighbour].start, run.start)
                let end = min(runs[neighbour].end, run.end)
                let to = offset + Int(start - run.start)
                let from = neighbourOffset + Int(start - runs[neighbour].start)
                for i in 0..<Int(end - start) { values[to + i] = min(values[to + i], values[from + i] + 1) }
                for x in end..<max(end, uncovered) { values[offset + Int(x - run.start)] = 1 }
                uncovered = start
            }
            for x in run.start..<uncovered { values[offset + Int(x - run.start)] = 1 }
        }
    }
}

extension Mask.Run {
    /// Whether this run, in `row`, ends to the right of where `other` begins; later rows count as reaching.
    fileprivate func reaches(_ other: Mask.Run, row: Int32) -> Bool {
        self.row > row || (self.row == row && end > other.start)
    }

    /// Whether this run, in `row`, begins to the left of where `other` ends; earlier rows count as coming from there.
    fileprivate func comesFrom(_ other: Mask.Run, row: Int32) -> Bool {
        self.row < row || (self.row == row && start < other.end)
    }
}

/// A parabola that is the lowest one somewhere along a run: where it stands, its height there, and from where on it is.
private struct Parabola {
    var position: Double
    var height: Double
    var start: Double
}

/// The second pass along one run: min over q of (p - q)^2 + g(q)^2, by the lower envelope of the parabolas.
///
/// - Parameters:
///   - values: vertical distances of a run's pixels; replaced by squared Euclidean ones.
///   - parabolas: room for two more than the run has pixels.
private func replaceBySquaredDistances(
    _ values: UnsafeMutableBufferPointer<Float>, _ parabolas: UnsafeMutableBufferPointer<Parabola>
) {
    let count = values.count
    guard count > 2 else {
        for index in values.indices { values[index] = 1 }
        return
    }
    // The unset pixel before the run stands at 0, the run's pixels at 1 ... count, the one after it at count + 1.
    var top = 0
    parabolas[0] = Parabola(position: 0, height: 0, start: -.infinity)
    for index in 1...count + 1 {
        let position = Double(index)
        let vertical = index <= count ? Double(values[index - 1]) : 0
        let height = vertical * vertical
        var start = 0.0
        while true {
            let lowest = parabolas[top]
            let across = position - lowest.position
            // Where the two cross: their difference is linear.
            start = (height - lowest.height + across * (position + lowest.position)) / (2 * across)
            if start > lowest.start { break }
            top -= 1
        }
        top += 1
        parabolas[top] = Parabola(position: position, height: height, start: start)
    }
    let last = top
    top = 0
    for index in 1...count {
        let position = Double(index)
        while top < last, parabolas[top + 1].start < position { top += 1 }
        let across = position - parabolas[top].position
        values[index - 1] = Float(across * across + parabolas[top].height)
    }
}
