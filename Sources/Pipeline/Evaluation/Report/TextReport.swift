import Foundation

/// An evaluation as tables of plain text.
public struct TextReport: Sendable {
    private let summary: EvaluationSummary

    public init(_ summary: EvaluationSummary) { self.summary = summary }

    public var text: String {
        var lines: [String] = []
        for scoring in summary.parameters.protocols {
            let rows = summary.rows(under: scoring)
            lines.append("Protocol \(scoring.rawValue). \(scoring.note)")
            lines.append("")
            lines += pixelTable(rows).lines
            lines.append("")
            lines += imageTable(rows).lines
            lines.append("")
        }
        lines.append(closing)
        return lines.joined(separator: "\n")
    }

    private func pixelTable(_ rows: [EvaluationSummary.Row]) -> TextTable {
        var table = TextTable(
            ["row", "protocol", "threshold", "scored", "empty", "not found", "no map", "skipped", "over"]
                + PixelFigure.allCases.map(\.title))
        for row in rows {
            let counts = row.counts
            let first = [
                row.row.title, row.scoring.rawValue, row.threshold.description, "\(counts.scored)/\(counts.images)",
                "\(counts.emptyMask)", "\(counts.notFound)", "\(counts.missingMaps)", "\(counts.skipped)",
            ]
            let rest = [String](repeating: "", count: first.count)
            table.add(first + ["images"] + cells(row.mean) { Self.number($0.value) })
            if summary.parameters.bootstrap.count > 0 { table.add(rest + [""] + cells(row.mean, Self.interval)) }
            table.add(rest + ["pixels"] + cells(row.pooled) { Self.number($0.value) })
            if summary.parameters.bootstrap.count > 0 { table.add(rest + [""] + cells(row.pooled, Self.interval)) }
        }
        return table
    }

    private func imageTable(_ rows: [EvaluationSummary.Row]) -> TextTable {
        let detection = DetectionFigure.allCases.filter { figure in rows.contains { $0.detection[figure] != nil } }
        let hasF1OfAll = rows.contains { $0.f1OfAllImages != nil }
        var table = TextTable(
            ["row", "protocol", "threshold", "images"] + detection.map { "image \($0.title)" }
                + FalsePositiveFigure.allCases.map { "authentic: \($0.title)" } + (hasF1OfAll ? ["F1, all"] : []))
        for row in rows {
            func line(_ text: (Estimate) -> String) -> [String] {
                detection.map { row.detection[$0].map(text) ?? "–" }
                    + FalsePositiveFigure.allCases.map { row.falsePositives[$0].map(text) ?? "–" }
                    + (hasF1OfAll ? [row.f1OfAllImages.map(text) ?? "–"] : [])
            }
            table.add(
                [
                    row.row.title, row.scoring.rawValue,
                    ScoreThreshold(summary.parameters.imageThreshold, isStrict: row.threshold.isStrict).description,
                    "\(row.counts.images)",
                ] + line { Self.number($0.value) })
            if summary.parameters.bootstrap.count > 0 { table.add(["", "", "", ""] + line(Self.interval)) }
        }
        return table
    }

    private func cells(_ figures: [PixelFigure: Estimate], _ text: (Estimate) -> String) -> [String] {
        PixelFigure.allCases.map { figures[$0].map(text) ?? "–" }
    }

    private var closing: String {
        let (timing, bootstrap) = (summary.timing, summary.parameters.bootstrap)
        var lines = [
            "\(summary.dataset.images) images (\(summary.dataset.manipulated) manipulated, \(summary.dataset.authentic)"
                + " authentic); \(timing.evaluated) evaluated in \(String(format: "%.1f", timing.seconds)) s,"
                + " \(timing.resumed) taken from an earlier run"
        ]
        if bootstrap.count > 0 {
            lines.append(
                "Intervals: \(Self.percent(bootstrap.confidence)) of \(bootstrap.count) resamples of the images, seed"
                    + " \(bootstrap.seed)")
        }
        if !summary.skipped.isEmpty {
            lines.append("Skipped files: \(summary.skipped.count)")
            lines += summary.skipped.prefix(10).map { "  \($0.file): \($0.reason)" }
            if summary.skipped.count > 10 { lines.append("  … all of them stand in the report") }
        }
        return lines.joined(separator: "\n")
    }

    static func number(_ value: Double) -> String { String(format: "%.4f", value) }

    static func interval(_ estimate: Estimate) -> String {
        estimate.interval.map { String(format: "%.3f–%.3f", $0.low, $0.high) } ?? "–"
    }

    static func percent(_ share: Double) -> String { String(format: "%g %%", share * 100) }
}

extension ScoreThreshold: CustomStringConvertible {
    /// Such as `≥ 0.5`.
    public var description: String { (isStrict ? "> " : "≥ ") + String(format: "%g", value) }
}

/// Columns as wide as their widest cell; the first one is flush left, the others flush right.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) { rows = [header] }

    mutating func add(_ row: [String]) { rows.append(row) }

    var lines: [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let text = rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let fill = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + fill : fill + cell.0
            }.joined(separator: "  ")
        }
        let rule = String(repeating: "─", count: text.first?.count ?? 0)
        return [text.first ?? "", rule] + text.dropFirst()
    }
}
