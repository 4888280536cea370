import Foundation

/// An evaluation as one HTML page. Nothing is loaded from elsewhere; pictures are those of the folder `thumbnails` beside it.
public struct HTMLReport: Sendable {
    let summary: EvaluationSummary

    public init(_ summary: EvaluationSummary) { self.summary = summary }

    /// The whole document.
    public var page: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Evaluation on \(html(summary.dataset.name))</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        \(header)
        <main>
        \(summary.parameters.protocols.map(section).joined(separator: "\n"))
        \(robustness)
        \(gallery)
        \(skipped)
        \(parameters)
        </main>
        <script type="application/json" id="gallery-data">\(galleryData)</script>
        <script>\(Self.script)</script>
        </body>
        </html>

        """
    }

    private var header: String {
        let dataset = summary.dataset
        let links =
            summary.parameters.protocols.map { ("protocol-\($0.rawValue)", "Protocol \($0.rawValue)") }
            + (summary.parameters.degradations.isEmpty ? [] : [("robustness", "Robustness")])
            + (summary.parameters.thumbnailSide > 0 ? [("gallery", "Images")] : [])
            + [("skipped", "Skipped files"), ("parameters", "Parameters")]
        return """
            <header>
            <h1>Evaluation on \(html(dataset.name))</h1>
            <p>\(dataset.images) images, \(dataset.manipulated) manipulated and \(dataset.authentic) authentic, layout \
            \(html(dataset.layout)); \(summary.skipped.count) files skipped. Tamperscope \(html(summary.version)).</p>
            <nav>\(links.map { "<a href=\"#\($0.0)\">\(html($0.1))</a>" }.joined(separator: " "))</nav>
            </header>
            """
    }

    // MARK: Figures of one protocol

    private func section(_ scoring: EvaluationProtocol) -> String {
        let rows = summary.rows(under: scoring).filter { $0.row.degradation == nil }
        return """
            <section id="protocol-\(scoring.rawValue)">
            <h2>Protocol \(scoring.rawValue)</h2>
            <p class="note">\(html(scoring.note))</p>
            <h3>Pixels, means over images</h3>
            \(pixelTable(rows, \.mean))
            <h3>Pixels of all scored images together</h3>
            \(pixelTable(rows, \.pooled))
            <h3>Images</h3>
            \(imageTable(rows))
            <h3>Curves of the pooled pixels</h3>
            \(curves(rows, scoring))
            </section>
            """
    }

    private func pixelTable(
        _ rows: [EvaluationSummary.Row], _ figures: KeyPath<EvaluationSummary.Row, [PixelFigure: Estimate]>
    ) -> String {
        let best = Dictionary(
            uniqueKeysWithValues: PixelFigure.allCases.map { figure in
                (figure, rows.compactMap { $0[keyPath: figures][figure]?.value }.max())
            })
        let lines = rows.map { row in
            "<tr><th scope=\"row\">\(html(row.row.title))</th>\(counts(row))"
                + PixelFigure.allCases.map { figure in
                    let estimate = row[keyPath: figures][figure]
                    return cell(estimate, isBest: rows.count > 1 && estimate?.value == best[figure])
                }.joined() + "</tr>"
        }
        return table(
            ["Row", "Images scored"] + PixelFigure.allCases.map(\.title), lines)
    }

    /// What a row's figures are made of.
    private func counts(_ row: EvaluationSummary.Row) -> String {
        let counts = row.counts
        let parts =
            [row.threshold.description]
            + [
                (counts.emptyMask, "empty"), (counts.notFound, "not found"), (counts.missingMaps, "without map"),
                (counts.skipped, "skipped"), (counts.resizedMaps, "resized"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return
            "<td class=\"count\">\(counts.scored) of \(counts.images)<small>\(html(parts.joined(separator: ", ")))</small></td>"
    }

    private func imageTable(_ rows: [EvaluationSummary.Row]) -> String {
        let detection = DetectionFigure.allCases.filter { figure in rows.contains { $0.detection[figure] != nil } }
        let hasF1OfAll = rows.contains { $0.f1OfAllImages != nil }
        let lines = rows.map { row in
            "<tr><th scope=\"row\">\(html(row.row.title))</th><td class=\"count\">\(row.counts.images)</td>"
                + detection.map { cell(row.detection[$0]) }.joined()
                + FalsePositiveFigure.allCases.map { cell(row.falsePositives[$0]) }.joined()
                + (hasF1OfAll ? cell(row.f1OfAllImages) : "") + "</tr>"
        }
        return table(
            ["Row", "Images"] + detection.map { "Image \($0.title)" }
                + FalsePositiveFigure.allCases.map { "Authentic: \($0.title)" } + (hasF1OfAll ? ["F1, all"] : []), lines
        )
    }

    func table(_ header: [String], _ rows: [String]) -> String {
        """
        <div class="scroll"><table>
        <thead><tr>\(header.map { "<th scope=\"col\">\(html($0))</th>" }.joined())</tr></thead>
        <tbody>
        \(rows.joined(separator: "\n"))
        </tbody></table></div>
        """
    }

    /// A figure over its interval.
    func cell(_ estimate: Estimate?, isBest: Bool = false) -> String {
        guard let estimate else { return "<td class=\"none\">–</td>" }
        let interval = estimate.interval.map { _ in "<small>\(TextReport.interval(estimate))</small>" } ?? ""
        return
            "<td\(isBest ? " class=\"best\"" : "") title=\"\(estimate.value)\">\(String(format: "%.3f", estimate.value))\(interval)</td>"
    }

    private static let colors = [
        "#0b5cad", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0f766e", "#a16207", "#be185d", "#4b5563", "#1d4ed8",
    ]

    private func curves(_ rows: [EvaluationSummary.Row], _ scoring: EvaluationProtocol) -> String {
        func isShownFirst(_ row: EvaluationRow) -> Bool {
            row.kind == .activation || row.kind == .external || row.kind == .student
                || row.id.hasSuffix("." + Refinement.evidence.rawValue)
        }
        func plot(_ title: String, _ axes: (String, String), _ points: (ScoreCurves) -> [ScoreCurves.Point]) -> String {
            CurvePlot(
                title: title, horizontal: axes.0, vertical: axes.1, hasDiagonal: axes.0 == "False positive rate",
                curves: rows.enumerated().map { index, row in
                    CurvePlot.Curve(
                        id: "\(scoring.rawValue)-\(index)", title: row.row.title,
                        color: Self.colors[index % Self.colors.count], isDashed: index >= Self.colors.count,
                        isVisible: isShownFirst(row.row), points: points(row.curves))
                }
            ).svg
        }
        let legend = rows.enumerated().map { index, row in
            """
            <label><input type="checkbox" data-toggle="\(scoring.rawValue)-\(index)"\(isShownFirst(row.row) ? " checked" : "")> \
            <i style="background:\(Self.colors[index % Self.colors.count])\(index >= Self.colors.count ? ";opacity:.5" : "")"></i>\
            \(html(row.row.title))</label>
            """
        }
        return """
            <div class="plots">
            \(plot("Receiver operating characteristic", ("False positive rate", "True positive rate"), \.roc))
            \(plot("Precision and recall", ("Recall", "Precision"), \.precisionRecall))
            </div>
            <div class="legend">\(legend.joined(separator: "\n"))</div>
            """
    }

    // MARK: Degraded images

    private var robustness: String {
        guard !summary.parameters.degradations.isEmpty else { return "" }
        let tables = summary.parameters.protocols.map { scoring in
            let all = summary.rows(under: scoring)
            let degraded = all.filter { $0.row.degradation != nil }
            let bases = Set(degraded.compactMap(Self.base))
            let rows = all.filter { bases.contains($0.row.id) && $0.row.degradation == nil } + degraded
            let lines = rows.map { row in
                "<tr><th scope=\"row\">\(html(row.row.title))</th>\(counts(row))"
                    + PixelFigure.allCases.map { cell(row.mean[$0]) }.joined() + cell(row.detection[.auc]) + "</tr>"
            }
            return "<h3>Protocol \(scoring.rawValue), means over images</h3>"
                + table(
                    ["Row", "Images scored"] + PixelFigure.allCases.map(\.title) + ["Image AUC"], lines)
        }
        return """
            <section id="robustness"><h2>Robustness</h2>
            <p class="note">The same figures after the image was blurred (OpenCV's deviation for the kernel), made noisy \
            (standard deviation in levels of 0 … 255), saved as JPEG (4:2:0) or resized. Segments by \
            \(html(summary.parameters.degradedRefinement.rawValue)).</p>
            \(tables.joined(separator: "\n"))
            </section>
            """
    }

    /// The id of the row that a degraded row belongs to.
    private static func base(_ row: EvaluationSummary.Row) -> String? {
        row.row.degradation.map { String(row.row.id.dropFirst($0.count + 1)) }
    }
}
