/// How the samples of one axis are combined into samples at another spacing: output `i` is the sum over `t` of
/// `weight(i, t) * source[starts[i] + t]`. Weights are not negative and add up to 1.
struct ResamplingAxis: Sendable {
    /// The number of source samples; at least 1.
    let sourceCount: Int
    /// The number of neighbouring source samples that an output uses at most.
    let tapCount: Int
    /// The first source sample of every output, non-decreasing; `starts[i] + tapCount <= sourceCount`.
    let starts: [Int]
    /// `tapCount` weights for every output.
    let weights: [Float]

    /// The number of output samples.
    var count: Int { starts.count }

    /// Linear interpolation between the two nearest samples' centres; beyond the outermost centres their value holds.
    ///
    /// Output `i` has its centre at `offset + (i + 1/2) scale`, in a frame in which source sample `j` covers `j ..< j + 1`
    /// (the half-pixel convention, `align_corners=False`).
    static func bilinear(sourceCount: Int, count: Int, scale: Double, offset: Double = 0) -> ResamplingAxis {
        precondition(sourceCount > 0, "an axis without samples cannot be resampled")
        let tapCount = min(2, sourceCount)
        var starts = [Int](repeating: 0, count: count)
        var weights = [Float](repeating: 1, count: count * tapCount)
        if tapCount == 2 {
            for index in 0..<count {
                let position = min(max(offset + (Double(index) + 0.5) * scale - 0.5, 0), Double(sourceCount - 1))
                let start = min(Int(position), sourceCount - 2)
                starts[index] = start
                weights[2 * index + 1] = Float(position - Double(start))
                weights[2 * index] = Float(1 - (position - Double(start)))
            }
        }
        return ResamplingAxis(sourceCount: sourceCount, tapCount: tapCount, starts: starts, weights: weights)
    }

    /// This axis applied to the outputs of `first`: two resizes as one, exact up to rounding of the weights.
    /// - Precondition: `first` has at least as many outputs as this axis has sources; the rest is cropped.
    func composed(after first: ResamplingAxis) -> ResamplingAxis {
        precondition(sourceCount <= first.count, "the first axis gives too few samples")
        var spans: [Range<Int>] = []
        for index in 0..<count {
            let used = (0..<tapCount).filter { weights[index * tapCount + $0] > 0 }.map { starts[index] + $0 }
            let low = first.starts[used.first ?? starts[index]]
            let high = first.starts[used.last ?? starts[index]] + first.tapCount
            spans.append(low..<high)
        }
        let taps = spans.map(\.count).max() ?? 1
        var combined = [Float](repeating: 0, count: count * taps)
        var combinedStarts: [Int] = []
        for index in 0..<count {
            let start = min(spans[index].lowerBound, first.sourceCount - taps)
            combinedStarts.append(start)
            for tap in 0..<tapCount {
                let weight = weights[index * tapCount + tap]
                guard weight > 0 else { continue }
                let middle = starts[index] + tap
                for inner in 0..<first.tapCount {
                    combined[index * taps + first.starts[middle] + inner - start] +=
                        weight * first.weights[middle * first.tapCount + inner]
                }
            }
        }
        return ResamplingAxis(
            sourceCount: first.sourceCount, tapCount: taps, starts: combinedStarts, weights: combined)
    }

    /// The outputs that use the same source samples, in order.
    var groups: [(start: Int, pixels: Range<Int>)] {
        var groups: [(start: Int, pixels: Range<Int>)] = []
        for (index, start) in starts.enumerated() {
            if let last = groups.last, last.start == start {
                groups[groups.count - 1].pixels = last.pixels.lowerBound..<index + 1
            } else {
                groups.append((start, index..<index + 1))
            }
        }
        return groups
    }
}
