/// From which value on a pixel counts as manipulated.
public struct ScoreThreshold: Sendable, Hashable, Codable {
    /// 0 to 1.
    public var value: Double
    /// Whether the value itself does not count.
    public var isStrict: Bool

    public init(_ value: Double = 0.5, isStrict: Bool = false) {
        self.value = value
        self.isStrict = isStrict
    }

    func isReached(by score: Double) -> Bool { isStrict ? score > value : score >= value }

    func isReached(by level: UInt16) -> Bool { isReached(by: Double(level) / Double(LevelMap.maximum)) }
}

extension ScoreHistogram {
    /// What a threshold makes of the map.
    public func confusion(at threshold: ScoreThreshold) -> Confusion {
        var above = (positives: 0, negatives: 0)
        for entry in entries.reversed() {
            guard threshold.isReached(by: entry.level) else { break }
            above.positives += entry.positives
            above.negatives += entry.negatives
        }
        return confusion(above: above)
    }

    private func confusion(above: (positives: Int, negatives: Int)) -> Confusion {
        Confusion(
            truePositives: above.positives, falsePositives: above.negatives,
            falseNegatives: positives - above.positives, trueNegatives: negatives - above.negatives)
    }

    /// The share of all pixels that reach a threshold.
    public func areaFraction(at threshold: ScoreThreshold) -> Double {
        let confusion = confusion(at: threshold)
        return ratio(Double(confusion.truePositives + confusion.falsePositives), Double(count))
    }

    /// The area under the receiver operating characteristic: the chance that a manipulated pixel has a higher value than an
    /// authentic one, equal values counting half (the mid-rank rule). Nil unless there are pixels of both kinds.
    public var areaUnderROC: Double? {
        guard positives > 0, negatives > 0 else { return nil }
        var below = 0.0
        var sum = 0.0
        for entry in entries {
            sum += Double(entry.positives) * (below + Double(entry.negatives) / 2)
            below += Double(entry.negatives)
        }
        return sum / Double(positives) / Double(negatives)
    }

    /// `Σ (R_n − R_{n−1}) P_n` over falling thresholds, R recall and P precision, without interpolation. Nil when nothing
    /// is manipulated.
    public var averagePrecision: Double? {
        guard positives > 0 else { return nil }
        var above = (positives: 0.0, all: 0.0)
        var sum = 0.0
        for entry in entries.reversed() where entry.positives > 0 || entry.negatives > 0 {
            above.positives += Double(entry.positives)
            above.all += Double(entry.positives + entry.negatives)
            sum += Double(entry.positives) * above.positives / above.all
        }
        return sum / Double(positives)
    }

    /// The highest F1 that a threshold gives, and that threshold: the lowest value that counts as manipulated. Nil when
    /// nothing is manipulated.
    public var bestF1: (f1: Double, threshold: Double)? {
        guard positives > 0 else { return nil }
        var above = (positives: 0, negatives: 0)
        var best = (f1: -1.0, threshold: 1.0)
        for entry in entries.reversed() {
            above.positives += entry.positives
            above.negatives += entry.negatives
            let f1 = confusion(above: above).f1
            if f1 > best.f1 { best = (f1, Double(entry.level) / Double(LevelMap.maximum)) }
        }
        return best
    }
}
