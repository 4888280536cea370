import Foundation

/// Writes an evaluation: `report.html`, `summary.csv`, `summary.json`, `images.csv` and `images.jsonl` (an image a line), beside
/// the thumbnails and maps that the pass over the images has written.
public struct EvaluationFiles: Sendable {
    public let report: URL
    public let rows: URL
    public let images: URL
    public let document: URL
    public let imageDocuments: URL

    /// - Throws: `EvaluationError.unwritable`.
    public init(_ summary: EvaluationSummary, folder: URL) throws(EvaluationError) {
        report = folder.appendingPathComponent("report.html")
        rows = folder.appendingPathComponent("summary.csv")
        images = folder.appendingPathComponent("images.csv")
        document = folder.appendingPathComponent("summary.json")
        imageDocuments = folder.appendingPathComponent("images.jsonl")
        try makeFolder(folder)
        let csv = CSVReport(summary)
        try Self.write(csv.rows, to: rows)
        try Self.write(csv.images, to: images)
        try Self.write(Self.json([summary], .prettyPrinted, file: document), to: document)
        try Self.write(Self.json(summary.images, [], file: imageDocuments), to: imageDocuments)
        try Self.write(HTMLReport(summary).page, to: report)
    }

    /// Values as JSON, each on a line of its own or more.
    private static func json(
        _ values: [some Encodable], _ formatting: JSONEncoder.OutputFormatting, file: URL
    ) throws(EvaluationError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        var text = ""
        do {
            for value in values { text += String(decoding: try encoder.encode(value), as: UTF8.self) + "\n" }
        } catch {
            throw .unwritable(path: file.path, reason: "\(error)")
        }
        return text
    }

    private static func write(_ text: String, to file: URL) throws(EvaluationError) {
        do {
            try Data(text.utf8).write(to: file, options: .atomic)
        } catch {
            throw .unwritable(path: file.path, reason: error.localizedDescription)
        }
    }
}
