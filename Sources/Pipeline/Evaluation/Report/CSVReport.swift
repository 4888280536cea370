/// An evaluation as comma-separated values (RFC 4180).
public struct CSVReport: Sendable {
    private let summary: EvaluationSummary

    public init(_ summary: EvaluationSummary) { self.summary = summary }

    /// One line for each figure of each row: how it was aggregated, its value and its interval, and what it is made of.
    public var rows: String {
        var lines = [
            [
                "row", "degradation", "protocol", "comparison", "threshold", "aggregation", "figure", "value", "low",
                "high",
                "images", "scored", "emptyMask", "notFound", "missingMaps", "skipped", "resizedMaps",
            ]
        ]
        for row in summary.rows {
            let counts = row.counts
            func add(_ aggregation: String, _ figure: String, _ estimate: Estimate?, threshold: Double? = nil) {
                guard let estimate else { return }
                lines.append(
                    [
                        row.row.id, row.row.degradation ?? "", row.scoring.rawValue,
                        row.threshold.isStrict ? ">" : ">=",
                        "\(threshold ?? row.threshold.value)", aggregation, figure, "\(estimate.value)",
                        estimate.interval.map { "\($0.low)" } ?? "", estimate.interval.map { "\($0.high)" } ?? "",
                    ]
                        + [
                            counts.images, counts.scored, counts.emptyMask, counts.notFound, counts.missingMaps,
                            counts.skipped, counts.resizedMaps,
                        ].map(String.init))
            }
            for figure in PixelFigure.allCases { add("mean", figure.rawValue, row.mean[figure]) }
            for figure in PixelFigure.allCases { add("pooled", figure.rawValue, row.pooled[figure]) }
            for figure in DetectionFigure.allCases {
                add(
                    "image", figure.rawValue, row.detection[figure], threshold: summary.parameters.imageThreshold)
            }
            for figure in FalsePositiveFigure.allCases {
                add("falsePositives", figure.rawValue, row.falsePositives[figure])
            }
            add("meanOfAll", "f1", row.f1OfAllImages)
        }
        return Self.text(lines)
    }

    /// One line for each image and row; undefined figures are empty.
    public var images: String {
        var lines = [
            ["image", "manipulated", "width", "height", "maskArea", "probability", "row", "protocol"]
                + PixelFigure.allCases.map(\.rawValue)
                + [
                    "truePositives", "falsePositives", "falseNegatives", "trueNegatives", "area", "maximum", "score",
                ]
        ]
        for image in summary.images {
            let first = [
                image.name, image.isManipulated ? "1" : "0", "\(image.width)", "\(image.height)", "\(image.maskArea)",
                "\(image.probability)",
            ]
            for row in image.rows {
                let confusion = row.confusion
                lines.append(
                    first + [row.row, row.scoring.rawValue]
                        + PixelFigure.allCases.map { row.figures[$0].map { "\($0)" } ?? "" }
                        + [
                            confusion.truePositives, confusion.falsePositives, confusion.falseNegatives,
                            confusion.trueNegatives,
                        ].map(String.init) + ["\(row.area)", "\(row.maximum)", "\(row.score)"])
            }
        }
        return Self.text(lines)
    }

    private static func text(_ lines: [[String]]) -> String {
        lines.map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
