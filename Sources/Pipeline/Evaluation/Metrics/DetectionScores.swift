/// One score for each image, and whether the image is manipulated.
public struct DetectionScores: Sendable, Hashable {
    public struct Image: Sendable, Hashable {
        public var score: Double
        public var isManipulated: Bool

        public init(score: Double, isManipulated: Bool) {
            self.score = score
            self.isManipulated = isManipulated
        }
    }

    public var images: [Image]

    public init(_ images: [Image]) { self.images = images }

    /// What a threshold makes of the images.
    public func confusion(at threshold: ScoreThreshold) -> Confusion {
        var confusion = Confusion()
        for image in images {
            switch (image.isManipulated, threshold.isReached(by: image.score)) {
            case (true, true): confusion.truePositives += 1
            case (true, false): confusion.falseNegatives += 1
            case (false, true): confusion.falsePositives += 1
            case (false, false): confusion.trueNegatives += 1
            }
        }
        return confusion
    }

    /// Whether there are images of both kinds.
    public var hasBothKinds: Bool { images.contains(where: \.isManipulated) && !images.allSatisfy(\.isManipulated) }

    /// The area under the receiver operating characteristic, ties at mid-rank; nil unless there are images of both kinds.
    public var areaUnderROC: Double? {
        let sorted = images.sorted { $0.score < $1.score }
        var below = 0.0
        var sum = 0.0
        var start = 0
        while start < sorted.count {
            var end = start
            var (positives, negatives) = (0.0, 0.0)
            while end < sorted.count, sorted[end].score == sorted[start].score {
                if sorted[end].isManipulated { positives += 1 } else { negatives += 1 }
                end += 1
            }
            // A score that is not a number equals nothing, not even itself.
            guard end > start else { return nil }
            sum += positives * (below + negatives / 2)
            below += negatives
            start = end
        }
        let positives = Double(images.count) - below
        return positives > 0 && below > 0 ? sum / positives / below : nil
    }
}
