/// A figure of how well a map tells manipulated pixels from authentic ones.
public enum PixelFigure: String, Sendable, Hashable, CaseIterable, Codable, CodingKeyRepresentable {
    /// F1 at the threshold.
    case f1
    /// The highest F1 of any threshold.
    case bestF1
    /// The better F1 at the threshold of the map and of its inverse.
    case permutedF1
    case iou
    case mcc
    case auc
    /// Average precision.
    case ap

    public var title: String {
        switch self {
        case .f1: "F1"
        case .bestF1: "best F1"
        case .permutedF1: "permuted F1"
        case .iou: "IoU"
        case .mcc: "MCC"
        case .auc: "AUC"
        case .ap: "AP"
        }
    }
}

extension ScoreHistogram {
    /// All figures at a threshold; those that are undefined are absent.
    public func figures(at threshold: ScoreThreshold) -> [PixelFigure: Double] {
        guard positives > 0 else { return [:] }
        let confusion = confusion(at: threshold)
        var figures: [PixelFigure: Double] = [
            .f1: confusion.f1, .permutedF1: max(confusion.f1, inverse.confusion(at: threshold).f1),
            .iou: confusion.iou, .mcc: confusion.mcc,
        ]
        figures[.bestF1] = bestF1?.f1
        figures[.auc] = areaUnderROC
        figures[.ap] = averagePrecision
        return figures
    }
}

extension EvaluationProtocol {
    /// The figures of one manipulated or authentic image; empty when the image does not count for the protocol's means.
    public func figures(
        of histogram: ScoreHistogram, isManipulated: Bool, threshold value: Double
    ) -> [PixelFigure: Double] {
        let threshold = threshold(value)
        switch self {
        case .default, .paper:
            return histogram.figures(at: threshold)
        case .benco:
            guard histogram.positives > 0 else {
                return Dictionary(uniqueKeysWithValues: PixelFigure.allCases.map { ($0, 0) })
            }
            return histogram.figures(at: threshold)
        case .trufor:
            return better(histogram, at: threshold, isManipulated: isManipulated)
        case .mvss:
            guard histogram.positives == 0 else { return histogram.figures(at: threshold) }
            guard isManipulated else { return [:] }
            let score: Double = marksNothing(histogram, threshold) ? 1 : 0
            return [.f1: score, .iou: score]
        }
    }

    /// MVSS-Net's rule on every image: 1 where the mask is empty and nothing is marked.
    func f1OfAnyImage(_ histogram: ScoreHistogram, threshold value: Double) -> Double {
        let threshold = threshold(value)
        guard histogram.positives == 0 else { return histogram.confusion(at: threshold).f1 }
        return marksNothing(histogram, threshold) ? 1 : 0
    }

    private func marksNothing(_ histogram: ScoreHistogram, _ threshold: ScoreThreshold) -> Bool {
        histogram.confusion(at: threshold).falsePositives == 0
    }

    /// Of several images' pixels together; nil figures as in `figures`.
    func pooledFigures(of histogram: ScoreHistogram, threshold value: Double) -> [PixelFigure: Double] {
        switch self {
        case .trufor: better(histogram, at: threshold(value), isManipulated: true)
        case .default, .paper, .benco, .mvss: histogram.figures(at: threshold(value))
        }
    }

    /// Each figure of the map or of the inverse, whichever is higher. The inverse marks what the map leaves unmarked.
    private func better(
        _ histogram: ScoreHistogram, at threshold: ScoreThreshold, isManipulated: Bool
    ) -> [PixelFigure: Double] {
        let confusion = histogram.confusion(at: threshold)
        guard histogram.positives > 0 else {
            // A mask that erosion removes: nothing can be found; with nothing marked either, F1 is undefined.
            guard isManipulated else { return [:] }
            return confusion.falsePositives == 0 ? [.bestF1: 0] : [.f1: 0, .bestF1: 0, .permutedF1: 0]
        }
        let opposite = histogram.inverse
        var figures = histogram.figures(at: threshold)
        let mirrored = confusion.inverse
        figures[.f1] = max(confusion.f1, mirrored.f1)
        figures[.permutedF1] = figures[.f1]
        figures[.iou] = max(confusion.iou, mirrored.iou)
        figures[.mcc] = abs(confusion.mcc)
        for (figure, value) in [
            (PixelFigure.bestF1, opposite.bestF1?.f1), (.auc, opposite.areaUnderROC), (.ap, opposite.averagePrecision),
        ] {
            if let value, let first = figures[figure] { figures[figure] = max(first, value) }
        }
        return figures
    }
}
