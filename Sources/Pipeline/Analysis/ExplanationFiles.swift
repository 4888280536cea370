import Foundation

/// Writes class activation maps: a 16-bit heat map and an overlay as PNG, turned as the photo is looked at.
public struct ExplanationFiles: Sendable {
    /// What was written for one photo, under field names that stay.
    public struct Report: Codable, Sendable {
        public var image: String
        public var `class`: Int
        public var className: String?
        public var logit: Double
        public var layer: String
        public var method: String
        public var heatmap: String
        public var overlay: String
        public var warnings: [String]

        /// On one line, keys sorted.
        public func line() throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    public let folder: URL
    private var stems = FileStems()

    public init(folder: URL) { self.folder = folder }

    /// - Throws: `ImageError` when a file cannot be written.
    public mutating func write(
        _ explanation: ClassExplainer.Explanation, layer: String, method: ActivationMethod
    ) throws -> Report {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ImageError(file: folder.path, problem: .unwritable(reason: "\(error.localizedDescription)"))
        }
        let stem = folder.appendingPathComponent(stems.newStem(for: explanation.file.name)).path
        let report = Report(
            image: explanation.file.name, class: explanation.explainedClass, className: explanation.className,
            logit: explanation.logit, layer: layer, method: method.rawValue, heatmap: stem + ".cam.heatmap.png",
            overlay: stem + ".cam.overlay.png", warnings: explanation.warnings)
        let orientation = explanation.file.orientation
        let heat = explanation.map.oriented(orientation)
        try PNGWriter.write(heatMap: heat, to: report.heatmap)
        let title = explanation.className ?? "CLASS \(explanation.explainedClass)"
        try PNGWriter.write(
            Overlay.render(
                explanation.file.image.oriented(orientation), heatMap: heat, title: title.uppercased()),
            to: report.overlay)
        return report
    }
}
