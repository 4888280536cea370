/// The receiver operating characteristic and the precision-recall curve of scored pixels, as points to draw.
public struct ScoreCurves: Sendable, Hashable, Codable {
    public struct Point: Sendable, Hashable, Codable {
        public var x: Double
        public var y: Double
    }

    /// False positive rate and true positive rate, from (0, 0) to (1, 1), thresholds falling.
    public var roc: [Point]
    /// Recall and precision, thresholds falling.
    public var precisionRecall: [Point]

    /// - Parameter resolution: points closer to the one before than a step of this many in either direction are left out.
    public init(_ histogram: ScoreHistogram, resolution: Int = 400) {
        var roc = [Point(x: 0, y: 0)]
        var precisionRecall: [Point] = []
        let (all, none) = (Double(histogram.positives), Double(histogram.negatives))
        var above = (positives: 0.0, negatives: 0.0)
        for (index, entry) in histogram.entries.reversed().enumerated() {
            above.positives += Double(entry.positives)
            above.negatives += Double(entry.negatives)
            let isLast = index == histogram.entries.count - 1
            roc.add(
                Point(x: ratio(above.negatives, none), y: ratio(above.positives, all)), resolution, isLast: isLast)
            precisionRecall.add(
                Point(
                    x: ratio(above.positives, all), y: ratio(above.positives, above.positives + above.negatives)),
                resolution, isLast: isLast)
        }
        self.roc = roc
        self.precisionRecall = precisionRecall
    }
}

extension [ScoreCurves.Point] {
    fileprivate mutating func add(_ point: Element, _ resolution: Int, isLast: Bool) {
        let step = 1 / Double(resolution)
        if let last, !isLast, abs(point.x - last.x) < step, abs(point.y - last.y) < step { return }
        append(point)
    }
}
