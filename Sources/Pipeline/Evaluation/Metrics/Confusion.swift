/// How many pixels (or images) were called manipulated or authentic, rightly and wrongly.
public struct Confusion: Sendable, Hashable, Codable {
    public var truePositives: Int
    public var falsePositives: Int
    public var falseNegatives: Int
    public var trueNegatives: Int

    public init(truePositives: Int = 0, falsePositives: Int = 0, falseNegatives: Int = 0, trueNegatives: Int = 0) {
        self.truePositives = truePositives
        self.falsePositives = falsePositives
        self.falseNegatives = falseNegatives
        self.trueNegatives = trueNegatives
    }

    /// The same for the opposite answers.
    public var inverse: Confusion {
        Confusion(
            truePositives: falseNegatives, falsePositives: trueNegatives, falseNegatives: truePositives,
            trueNegatives: falsePositives)
    }

    /// `2 TP / (2 TP + FP + FN)`; 0 when nothing is manipulated and nothing was called so (scikit-learn's default).
    public var f1: Double {
        ratio(2 * Double(truePositives), 2 * Double(truePositives) + Double(falsePositives) + Double(falseNegatives))
    }

    /// Intersection over union (Jaccard's index), `TP / (TP + FP + FN)`; 0 when both are empty.
    public var iou: Double {
        ratio(Double(truePositives), Double(truePositives) + Double(falsePositives) + Double(falseNegatives))
    }

    /// Matthews' correlation coefficient,
    /// `(TP TN − FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN))`; 0 when a factor is 0.
    public var mcc: Double {
        let (tp, fp, fn, tn) = (
            Double(truePositives), Double(falsePositives), Double(falseNegatives), Double(trueNegatives)
        )
        // Two roots: the product of four counts of a large set is beyond what a square root keeps exactly.
        return ratio(tp * tn - fp * fn, ((tp + fp) * (tn + fn)).squareRoot() * ((tp + fn) * (tn + fp)).squareRoot())
    }

    /// `TP / (TP + FN)`; 0 when nothing is manipulated.
    public var sensitivity: Double { ratio(Double(truePositives), Double(truePositives) + Double(falseNegatives)) }

    /// `TN / (TN + FP)`; 0 when nothing is authentic.
    public var specificity: Double { ratio(Double(trueNegatives), Double(trueNegatives) + Double(falsePositives)) }

    /// `(TP + TN) / all`.
    public var accuracy: Double { ratio(Double(truePositives) + Double(trueNegatives), Double(count)) }

    public var count: Int { truePositives + falsePositives + falseNegatives + trueNegatives }

    public static func += (sum: inout Confusion, other: Confusion) {
        sum.truePositives += other.truePositives
        sum.falsePositives += other.falsePositives
        sum.falseNegatives += other.falseNegatives
        sum.trueNegatives += other.trueNegatives
    }
}

/// A quotient that is 0 where the divisor is.
func ratio(_ dividend: Double, _ divisor: Double) -> Double { divisor > 0 ? dividend / divisor : 0 }

/// Twice the product over the sum of two shares; 0 when both are 0.
func harmonicMean(_ a: Double, _ b: Double) -> Double { ratio(2 * a * b, a + b) }
