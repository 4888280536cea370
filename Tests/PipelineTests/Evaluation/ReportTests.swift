import Foundation
import Testing

@testable import Pipeline

@Suite struct ReportTests {
    /// An evaluation whose names try to be more than names.
    static func summary(name: String = "a \"b\",<script>alert(1)</script>&'.jpg") throws -> EvaluationSummary {
        let histogram = try EvaluationFixtures.shared.pixels[0].histogram
        let figures = histogram.figures(at: ScoreThreshold())
        let row = EvaluationRow.external(name)
        let estimate = Estimate(value: 0.25, interval: .init(low: 0.125, high: 0.5))
        let json: [String: Any] = [
            "version": "1", "models": [], "skipped": [["file": name, "reason": name]], "rows": [],
            "dataset": ["name": name, "layout": "folder", "images": 1, "manipulated": 1, "authentic": 0],
            "timing": ["seconds": 1, "evaluated": 1, "resumed": 0, "stages": [:] as [String: Double]],
            "parameters": [
                "imageThreshold": 0.5, "pixelThreshold": 0.5, "protocols": ["default"],
                "bootstrap": ["count": 10, "seed": 1, "confidence": 0.95], "segmenters": [name],
                "refinements": ["gate"],
                "degradedRefinement": "gate", "degradations": [] as [String], "similarity": "normalised",
                "fusionFloor": 0.001, "scale": "fit", "segmentation": "none", "savesMaps": false, "thumbnailSide": 160,
            ] as [String: Any],
        ]
        var summary = try JSONDecoder().decode(
            EvaluationSummary.self, from: JSONSerialization.data(withJSONObject: json))
        summary.rows = [
            .init(
                row: row, scoring: .default, threshold: ScoreThreshold(),
                counts: .init(
                    images: 1, scored: 1, emptyMask: 0, notFound: 0, missingMaps: 0, skipped: 0, resizedMaps: 0,
                    pixels: histogram.count, manipulatedPixels: histogram.positives),
                mean: figures.mapValues { Estimate(value: $0) }, pooled: [.auc: estimate], bestThreshold: 0.4,
                confusion: histogram.confusion(at: ScoreThreshold()), detection: [:], falsePositives: [.area: estimate],
                curves: ScoreCurves(histogram))
        ]
        summary.images = [
            .init(
                name: name, file: "a.png", isManipulated: true, width: 30, height: 30, maskArea: 7, probability: 0.5,
                warnings: [name],
                rows: [
                    .init(
                        row: row.id, scoring: .default, figures: figures,
                        confusion: histogram.confusion(at: ScoreThreshold()), area: 0.5, maximum: 1, score: 0.5)
                ], missing: ["maps.x": name])
        ]
        return summary
    }

    @Test func pagesEscapeEverything() throws {
        let page = HTMLReport(try Self.summary()).page
        #expect(!page.contains("<script>alert"))
        #expect(!page.contains("\"b\",<"))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;"))
        // Only the report's own two scripts.
        #expect(page.components(separatedBy: "<script").count == 3)
        #expect(page.components(separatedBy: "</script").count == 3)
        #expect(html("a\u{0}\u{1b}b\n") == "a\u{fffd}\u{fffd}b\n")
    }

    @Test func pagesLoadNothingFromElsewhere() throws {
        let page = HTMLReport(try Self.summary()).page
        for outside in ["http:", "https:", "//cdn", "@import", "src=", "<link", "<iframe"] {
            #expect(!page.contains(outside), "\(outside)")
        }
    }

    @Test func galleryDataIsJSON() throws {
        let report = HTMLReport(try Self.summary())
        let data = Data(report.galleryData.utf8)
        let gallery = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let images = try #require(gallery["images"] as? [[String: Any]])
        #expect(images.count == 1)
        #expect(images[0]["name"] as? String == report.summary.images[0].name)
        #expect(!report.galleryData.contains("<"))
    }

    @Test func fieldsOfCSVAreQuoted() throws {
        let csv = CSVReport(try Self.summary(name: "a \"b\", c.jpg"))
        let lines = csv.images.components(separatedBy: "\r\n")
        #expect(lines.count == 3 && lines[2].isEmpty)
        #expect(lines[1].hasPrefix("\"a \"\"b\"\", c.jpg\",1,30,30,7,0.5,maps."))
        let fields = lines[0].split(separator: ",").count
        #expect(lines[1].dropFirst(18).split(separator: ",", omittingEmptySubsequences: false).count == fields - 1)
        for line in csv.rows.components(separatedBy: "\r\n").dropLast() {
            #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == 17)
        }
        #expect(csv.rows.contains(",pooled,auc,0.25,0.125,0.5,1,1,0,0,0,0,0\r\n"))
    }

    @Test func everyLineOfTheTableSaysWhatItIs() throws {
        let text = TextReport(try Self.summary(name: "M")).text
        let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("maps M") })
        for part in ["default", "≥ 0.5", "1/1", "images"] { #expect(row.contains(part), "\(part)") }
        #expect(text.contains("0.125–0.500"))
        #expect(text.contains("95 % of 10 resamples of the images, seed 1"))
        #expect(text.contains("Skipped files: 1\n  M: M"))
    }
}
