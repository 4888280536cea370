import Foundation

/// Skipped files, parameters and the gallery.
extension HTMLReport {
    var skipped: String {
        let odd = summary.images.filter { !$0.warnings.isEmpty || !$0.missing.isEmpty || $0.maskResizedFrom != nil }
        let limit = 2000
        func list(_ lines: [(String, String)]) -> String {
            let rows = lines.prefix(limit).map {
                "<tr><th scope=\"row\">\(html($0.0))</th><td class=\"text\">\(html($0.1))</td></tr>"
            }
            let rest =
                lines.count > limit
                ? "<p class=\"note\">\(lines.count - limit) more stand in summary.json.</p>" : ""
            return lines.isEmpty ? "<p>None.</p>" : table(["File", "Reason"], rows) + rest
        }
        let remarks = odd.map { image in
            (
                image.name,
                (image.warnings + image.missing.sorted { $0.key < $1.key }.map(\.value)
                    + (image.maskResizedFrom.map { ["mask resized from \($0[0]) × \($0[1])"] } ?? []))
                    .joined(separator: "; ")
            )
        }
        return """
            <section id="skipped"><h2>Skipped files</h2>
            \(list(summary.skipped.map { ($0.file, $0.reason) }))
            <details><summary>Remarks on \(odd.count) evaluated images</summary>\(list(remarks))</details>
            </section>
            """
    }

    var parameters: String {
        let parameters = summary.parameters
        let timing = summary.timing
        let stages = timing.stages.sorted { $0.value > $1.value }
            .map { "\($0.key) \(String(format: "%.3f", $0.value)) s" }.joined(separator: ", ")
        let entries: [(String, String)] = [
            ("Image threshold", String(format: "%g", parameters.imageThreshold)),
            ("Pixel threshold", String(format: "%g", parameters.pixelThreshold)),
            (
                "Intervals",
                parameters.bootstrap.count == 0
                    ? "none"
                    : "\(TextReport.percent(parameters.bootstrap.confidence)), percentiles of \(parameters.bootstrap.count)"
                        + " resamples of the images, seed \(parameters.bootstrap.seed)"
            ),
            ("Segmenters", parameters.segmenters.isEmpty ? "none" : parameters.segmenters.joined(separator: ", ")),
            ("Segmentation", parameters.segmentation),
            ("Refinements", parameters.refinements.map(\.rawValue).joined(separator: ", ")),
            ("Distance of the similarity", parameters.similarity),
            ("Floor of the fusion", String(format: "%g", parameters.fusionFloor)),
            ("Scale", parameters.scale),
            (
                "Degradations",
                parameters.degradations.isEmpty ? "none" : parameters.degradations.joined(separator: ", ")
            ),
            (
                "Time",
                "\(String(format: "%.1f", timing.seconds)) s for \(timing.evaluated) images, \(timing.resumed) taken from"
                    + " an earlier run; mean of an image: \(stages)"
            ),
        ]
        let models = summary.models.map { model in
            "<tr><th scope=\"row\">\(html(model.role))</th><td class=\"text\">\(html(model.file))</td>"
                + "<td class=\"text\"><code>\(html(model.sha256))</code></td></tr>"
        }
        return """
            <section id="parameters"><h2>Parameters</h2>
            \(table(["Parameter", "Value"], entries.map {
                "<tr><th scope=\"row\">\(html($0.0))</th><td class=\"text\">\(html($0.1))</td></tr>"
            }))
            <h3>Models</h3>
            \(table(["Role", "File", "SHA-256"], models))
            <h3>Figures</h3>
            <p class="note">Maps are scored as written: 16-bit grey. F1, IoU and MCC at the threshold; best F1 over all \
            thresholds; permuted F1: the better of the map and its inverse at the threshold; AUC with ties at mid-rank; AP as \
            Σ (Rₙ − Rₙ₋₁) Pₙ. Undefined figures are shown as –. A heat map is a lead, not a proof.</p>
            </section>
            """
    }

    var gallery: String {
        guard summary.parameters.thumbnailSide > 0 else { return "" }
        return """
            <section id="gallery"><h2>Images</h2>
            <form id="gallery-controls" onsubmit="return false">
            <label>Sort by <select id="sort-figure"></select></label>
            <label>of <select id="sort-row"></select></label>
            <label><select id="sort-order"><option value="-1">highest first</option><option value="1">lowest first</option>\
            </select></label>
            <label>Show <select id="filter"><option value="all">all images</option><option value="m">manipulated</option>\
            <option value="a">authentic</option></select></label>
            <span class="pager"><button type="button" id="previous">‹ Previous</button> <output id="position"></output> \
            <button type="button" id="next">Next ›</button></span>
            </form>
            <div id="cards"></div>
            <noscript><p class="note">The gallery needs JavaScript; the pictures lie in the folder thumbnails.</p></noscript>
            </section>
            """
    }

    private struct GalleryImage: Encodable {
        var name: String
        var file: String
        var manipulated: Bool
        var probability: Double
        var width: Int
        var height: Int
        /// The rows in the order of the picture's parts.
        var rows: [Int]
        /// For each of `rows` its figures, null where undefined: F1, best F1, AUC, AP, area.
        var figures: [[Double?]]
    }

    private struct Gallery: Encodable {
        var scoring: String
        var threshold: Double
        var rows: [String]
        var images: [GalleryImage]
    }

    /// What the script shows, as JSON that may stand inside a script element.
    var galleryData: String {
        guard summary.parameters.thumbnailSide > 0, let scoring = summary.parameters.protocols.first else {
            return "null"
        }
        let rows = summary.rows(under: scoring).map(\.row).filter { $0.degradation == nil }
        let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.id, $0) })
        let images = summary.images.map { image in
            let shown = image.rows.filter { $0.scoring == scoring && places[$0.row] != nil }
            let size = ThumbnailStrip.size(
                width: image.width, height: image.height, side: summary.parameters.thumbnailSide)
            return GalleryImage(
                name: image.name, file: image.file, manipulated: image.isManipulated,
                probability: Self.rounded(image.probability) ?? 0, width: size.width, height: size.height,
                rows: shown.compactMap { places[$0.row] },
                figures: shown.map { row in
                    [.f1, .bestF1, .auc, .ap].map { Self.rounded(row.figures[$0]) } + [Self.rounded(row.area)]
                })
        }
        let gallery = Gallery(
            scoring: scoring.rawValue, threshold: summary.parameters.imageThreshold, rows: rows.map(\.title),
            images: images)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(gallery) else { return "null" }
        return String(decoding: data, as: UTF8.self).replacing("<", with: "\\u003c")
    }

    private static func rounded(_ value: Double?) -> Double? { value.map { ($0 * 1e4).rounded() / 1e4 } }
}
