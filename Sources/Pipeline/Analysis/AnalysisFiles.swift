import Foundation

/// Writes an analysis: a 16-bit heat map, an overlay and a binary mask as PNG, and the report as JSON. All pictures are
/// turned as the photo is looked at.
public struct AnalysisFiles: Sendable {
    public let folder: URL
    /// The heat from which a pixel belongs to the mask.
    public let maskThreshold: Float
    private var stems = FileStems()

    public init(folder: URL, maskThreshold: Float = 0.5) {
        self.folder = folder
        self.maskThreshold = maskThreshold
    }

    /// - Returns: the report, with the paths of the pictures, and its own path.
    /// - Throws: `ImageError` when a file cannot be written.
    public mutating func write(_ analysis: Analysis, models: [AnalysisReport.ModelUsed]) throws -> (
        report: AnalysisReport, path: String
    ) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ImageError(file: folder.path, problem: .unwritable(reason: "\(error.localizedDescription)"))
        }
        let stem = stems.newStem(for: analysis.file.name)
        func path(_ suffix: String) -> String { folder.appendingPathComponent(stem + suffix).path }
        var analysis = analysis
        var outputs: AnalysisReport.Outputs?
        if let heatMap = analysis.heatMap {
            var watch = Stopwatch()
            let names = AnalysisReport.Outputs(
                heatmap: path(".heatmap.png"), overlay: path(".overlay.png"), mask: path(".mask.png"))
            let orientation = analysis.file.orientation
            let heat = heatMap.oriented(orientation)
            let mask = try BinaryMask(
                width: heat.width, height: heat.height, values: heat.values.map { $0 >= maskThreshold })
            let outline = analysis.regions.first?.candidate.mask.binaryMask.oriented(orientation) ?? mask
            let photo = analysis.file.image.oriented(orientation)
            try PNGWriter.write(heatMap: heat, to: names.heatmap)
            try PNGWriter.write(mask, to: names.mask)
            try PNGWriter.write(
                Overlay.render(photo, heatMap: heat, region: outline, title: "MANIPULATION"), to: names.overlay)
            outputs = names
            watch.lap(.write)
            analysis.timings.merge(watch.laps) { $0 + $1 }
        }
        let report = AnalysisReport(analysis, outputs: outputs, models: models)
        do {
            try Data((try report.document() + "\n").utf8).write(
                to: URL(fileURLWithPath: path(".json")), options: .atomic)
        } catch {
            throw ImageError(file: path(".json"), problem: .unwritable(reason: "\(error.localizedDescription)"))
        }
        return (report, path(".json"))
    }
}
