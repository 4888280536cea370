import Foundation

/// Writes an analysis: a 16-bit heat map, an overlay and a binary mask as PNG, on request the activation map of each view
/// like the heat map, and the report as JSON. All pictures are turned as the photo is looked at.
public struct AnalysisFiles: Sendable {
    public let folder: URL
    /// The heat from which a pixel belongs to the mask.
    public let maskThreshold: Float
    /// Whether the activation map of each view is written too.
    public let writesViewMaps: Bool
    private var stems = FileStems()

    public init(folder: URL, maskThreshold: Float = 0.5, writesViewMaps: Bool = false) {
        self.folder = folder
        self.maskThreshold = maskThreshold
        self.writesViewMaps = writesViewMaps
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
            var names = AnalysisReport.Outputs(
                heatmap: path(".heatmap.png"), overlay: path(".overlay.png"), mask: path(".mask.png"))
            let orientation = analysis.file.orientation
            let heat = heatMap.oriented(orientation)
            let mask = try BinaryMask(
                width: heat.width, height: heat.height, values: heat.values.map { $0 >= maskThreshold })
            let regions = analysis.regions.map { $0.candidate.mask.oriented(orientation) }
            let photo = analysis.file.image.oriented(orientation)
            try PNGWriter.write(heatMap: heat, to: names.heatmap)
            try PNGWriter.write(mask, to: names.mask)
            try PNGWriter.write(
                Overlay.render(
                    photo, heatMap: heat, regions: regions.isEmpty ? [Mask(mask)] : regions,
                    isNumbered: !regions.isEmpty, title: "MANIPULATION"), to: names.overlay)
            if writesViewMaps { names.viewMaps = try writeViewMaps(analysis, path) }
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

    /// Writes each view's map as it goes into the mean; none of a view that the mean leaves out.
    private func writeViewMaps(_ analysis: Analysis, _ path: (String) -> String) throws -> [String?] {
        let image = analysis.file.image
        var used: Set<Int> = []
        return try analysis.views.enumerated().map { index, view in
            guard
                case .success(let map) = ActivationFusion.enlarged(
                    view.activation, width: image.width, height: image.height)
            else { return nil }
            // Views of several models may have one number.
            let suffix = used.insert(view.number).inserted ? "" : "-\(index + 1)"
            let name = path(".view\(view.number)\(suffix).heatmap.png")
            try PNGWriter.write(heatMap: map.oriented(analysis.file.orientation), to: name)
            return name
        }
    }
}
