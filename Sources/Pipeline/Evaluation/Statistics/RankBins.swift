/// 4096 bins of about equally many pixels, for resampling what depends on the order of values alone (AUC, AP, best F1)
/// thousands of times. Figures themselves are taken from all 65536 levels; only intervals are made with bins.
///
/// The bin of a level is `floor(4096 · below / all)`, `below` and `all` the numbers of pixels of lower levels and of any.
struct RankBins: Sendable {
    static let count = 4096
    private let binOfLevel: [UInt16]

    init(_ sums: ScoreSums) {
        let all = zip(sums.positives, sums.negatives).reduce(0) { $0 + $1.0 + $1.1 }
        var below: Int64 = 0
        binOfLevel = zip(sums.positives, sums.negatives).map { positives, negatives in
            defer { below += positives + negatives }
            return all > 0 ? UInt16(min(Int64(Self.count) * below / all, Int64(Self.count) - 1)) : 0
        }
    }

    /// A histogram's manipulated pixels by bin, followed by its authentic ones.
    func counts(of histogram: ScoreHistogram) -> [UInt32] {
        var counts = [UInt32](repeating: 0, count: 2 * Self.count)
        for entry in histogram.entries {
            let bin = Int(binOfLevel[Int(entry.level)])
            counts[bin] &+= UInt32(clamping: entry.positives)
            counts[Self.count + bin] &+= UInt32(clamping: entry.negatives)
        }
        return counts
    }

    /// The images of a resample together, levels being bins.
    /// - Parameter images: of each image what `counts` gives.
    static func pooled(_ images: [[UInt32]], weights: ArraySlice<UInt16>) -> ScoreHistogram {
        var sums = [Int64](repeating: 0, count: 2 * count)
        sums.withUnsafeMutableBufferPointer { sums in
            for (counts, weight) in zip(images, weights) where weight > 0 {
                counts.withUnsafeBufferPointer { counts in
                    for bin in 0..<sums.count { sums[bin] &+= Int64(weight) &* Int64(counts[bin]) }
                }
            }
        }
        return ScoreHistogram(
            entries: (0..<count).compactMap { bin in
                let (positives, negatives) = (Int(sums[bin]), Int(sums[count + bin]))
                guard positives > 0 || negatives > 0 else { return nil }
                return ScoreHistogram.Entry(level: UInt16(bin), positives: positives, negatives: negatives)
            })
    }
}
