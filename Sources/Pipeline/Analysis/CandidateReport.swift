import Foundation

/// The candidate regions of one photo as JSON, under field names that stay. Sizes and boxes are those of the photo as it is
/// looked at; what a segmenter does not say is left out.
public struct CandidateReport: Codable, Sendable {
    public struct Entry: Codable, Sendable {
        public var index: Int
        public var segmenter: String?
        public var label: String?
        public var predictedIoU: Double?
        public var stability: Double?
        /// Pixels.
        public var area: Int
        /// Left, top, width, height.
        public var bbox: [Int]
        /// The path of the mask: PNG, 255 inside and 0 outside.
        public var mask: String
    }

    public var image: String
    public var sha256: String
    public var width: Int
    public var height: Int
    public var segmenter: String
    public var candidates: [Entry]
    public var models: [AnalysisReport.ModelUsed]
    /// Seconds that the segmenters took.
    public var seconds: Double
    public var warnings: [String]
    public var version: String

    /// On one line, keys sorted.
    public func line() throws -> String { try text([]) }

    /// For people to read.
    public func document() throws -> String { try text(.prettyPrinted) }

    private func text(_ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Segments photos and writes every candidate as a mask, and a list of them as JSON.
public struct CandidateFiles: Sendable {
    public let folder: URL
    private let segmenter: any Segmenter
    private let models: [AnalysisReport.ModelUsed]
    private let threads: Int?
    private var stems = FileStems()

    /// - Parameters:
    ///   - folder: gets `NAME.json` and the folder `NAME.masks` for each photo; is made when there is none.
    ///   - models: what the segmenter consists of.
    ///   - threads: the most threads that write masks; nil for one per core.
    public init(folder: URL, segmenter: any Segmenter, models: [AnalysisReport.ModelUsed], threads: Int? = nil) {
        self.folder = folder
        self.segmenter = segmenter
        self.models = models
        self.threads = threads
    }

    /// - Returns: the list, and its path.
    /// - Throws: `ImageError` for the photo, or when a file cannot be written, and what the segmenter throws.
    public mutating func segment(
        _ path: String, limits: ImageLimits = ImageLimits(),
        progress: @escaping @Sendable (Analyzer.Stage, Double) -> Void = { _, _ in }
    ) throws -> (report: CandidateReport, path: String) {
        progress(.decode, 0)
        let file = try ImageFile.load(path, limits: limits)
        var watch = Stopwatch()
        let candidates = try segmenter.candidates(in: file.image, orientation: file.orientation) {
            progress(.segment, $0)
        }
        watch.lap(.segment)
        progress(.write, 0)
        let stem = stems.newStem(for: path)
        let masks = folder.appendingPathComponent(stem + ".masks", isDirectory: true)
        try makeFolder(masks)
        let swaps = file.orientation.swapsSides
        let report = CandidateReport(
            image: file.name, sha256: file.sha256, width: swaps ? file.image.height : file.image.width,
            height: swaps ? file.image.width : file.image.height, segmenter: segmenter.name,
            candidates: try entries(candidates, file, masks), models: models,
            seconds: ((watch.laps[.segment] ?? 0) * 1e6).rounded() / 1e6, warnings: file.warnings,
            version: Tamperscope.version)
        let list = folder.appendingPathComponent(stem + ".json")
        do {
            try Data((try report.document() + "\n").utf8).write(to: list, options: .atomic)
        } catch {
            throw ImageError(file: list.path, problem: .unwritable(reason: "\(error.localizedDescription)"))
        }
        return (report, list.path)
    }

    /// An empty folder: masks of an earlier run would pass for this one's.
    private func makeFolder(_ folder: URL) throws(ImageError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            for file in files
            where file.pathExtension == "png" && Int(file.deletingPathExtension().lastPathComponent) != nil {
                try FileManager.default.removeItem(at: file)
            }
        } catch {
            throw ImageError(file: folder.path, problem: .unwritable(reason: "\(error.localizedDescription)"))
        }
    }

    /// Writes the masks.
    private func entries(
        _ candidates: [Candidate], _ file: ImageFile, _ folder: URL
    ) throws(ImageError) -> [CandidateReport.Entry] {
        let digits = max(3, String(candidates.count).count)
        return try mapConcurrently(count: candidates.count, threads: threads) { index throws(ImageError) in
            let candidate = candidates[index]
            let number = String(index + 1)
            let name = String(repeating: "0", count: digits - number.count) + number + ".png"
            let path = folder.appendingPathComponent(name).path
            try PNGWriter.write(candidate.mask.binaryMask.oriented(file.orientation), to: path)
            let box = candidate.mask.boundingBox.oriented(
                file.orientation, storedWidth: file.image.width, storedHeight: file.image.height)
            return CandidateReport.Entry(
                index: index + 1, segmenter: candidate.segmenter, label: candidate.label,
                predictedIoU: candidate.score.map(Double.init), stability: candidate.stability,
                area: candidate.mask.area, bbox: [box.x, box.y, box.width, box.height], mask: path)
        }
    }
}
