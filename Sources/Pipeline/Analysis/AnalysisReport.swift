import Foundation

/// An analysis as JSON, under field names that stay. Sizes and boxes are those of the written pictures: the photo as it is
/// looked at.
public struct AnalysisReport: Codable, Sendable {
    public struct View: Codable, Sendable {
        public var name: String
        /// What `--views` calls it.
        public var number: Int
        public var logit: Double
        public var probability: Double
        /// The picture of its activation map, where it was written.
        public var map: String?
    }

    /// How many regions were proposed, and how many of them were too small or too large to be ranked.
    public struct Candidates: Codable, Sendable {
        public var count: Int
        public var tooSmall: Int
        public var tooLarge: Int
    }

    public struct Region: Codable, Sendable {
        public var rank: Int
        public var similarity: Double
        /// Pixels.
        public var area: Int
        /// Left, top, width, height.
        public var bbox: [Int]
        /// Means of the activation map over the region and over the rest.
        public var meanInside: Double
        public var meanOutside: Double
        public var label: String?
        /// Which of the segmenters proposed it.
        public var segmenter: String?
    }

    public struct Outputs: Codable, Sendable {
        public var heatmap: String
        public var overlay: String
        public var mask: String
        /// By view, in the order of the report's views; nil where none was written.
        var viewMaps: [String?] = []

        public init(heatmap: String, overlay: String, mask: String) {
            self.heatmap = heatmap
            self.overlay = overlay
            self.mask = mask
        }

        private enum CodingKeys: CodingKey {
            case heatmap, overlay, mask
        }
    }

    public struct ModelUsed: Codable, Sendable {
        public var role: String
        public var file: String
        public var sha256: String

        public init(role: String, file: String, sha256: String) {
            self.role = role
            self.file = file
            self.sha256 = sha256
        }
    }

    public var image: String
    public var sha256: String
    public var width: Int
    public var height: Int
    public var probability: Double
    public var verdict: String
    public var views: [View]
    /// What the activation map comes from: `classifiers` or `student`.
    public var localizer: String
    /// The least value of a view in the mean of all.
    public var floor: Double
    public var segmenter: String
    /// Nil when none were looked for.
    public var candidates: Candidates?
    /// What similarity takes as distance.
    public var distance: String
    public var regions: [Region]
    public var refinement: String
    public var threshold: Double
    /// Nil when nothing was located.
    public var outputs: Outputs?
    public var models: [ModelUsed]
    /// Seconds by stage.
    public var timings: [String: Double]
    public var warnings: [String]
    public var version: String

    public init(_ analysis: Analysis, outputs: Outputs?, models: [ModelUsed]) {
        let file = analysis.file
        image = file.name
        sha256 = file.sha256
        width = file.orientation.swapsSides ? file.image.height : file.image.width
        height = file.orientation.swapsSides ? file.image.width : file.image.height
        probability = analysis.probability
        verdict = analysis.verdict
        let maps = outputs?.viewMaps ?? []
        views = analysis.views.enumerated().map { index, view in
            View(
                name: view.name, number: view.number, logit: view.logit, probability: 1 / (1 + exp(-view.logit)),
                map: maps.indices.contains(index) ? maps[index] : nil)
        }
        localizer = analysis.localizer.rawValue
        // As it was written, not as its nearest binary fraction.
        floor = Double("\(analysis.options.fusion.floor)") ?? Double(analysis.options.fusion.floor)
        distance = analysis.options.similarity.distance.rawValue
        candidates = analysis.ranking.map { ranking in
            Candidates(count: ranking.candidates, tooSmall: ranking.tooSmall, tooLarge: ranking.tooLarge)
        }
        segmenter = analysis.segmenter ?? "none"
        regions = analysis.regions.enumerated().map { index, region in
            let box = region.candidate.mask.boundingBox.oriented(
                file.orientation, storedWidth: file.image.width, storedHeight: file.image.height)
            return Region(
                rank: index + 1, similarity: region.similarity, area: region.candidate.mask.area,
                bbox: [box.x, box.y, box.width, box.height], meanInside: region.meanInside,
                meanOutside: region.meanOutside, label: region.candidate.label,
                segmenter: region.candidate.segmenter)
        }
        refinement = analysis.options.refinement.rawValue
        threshold = analysis.options.threshold
        self.outputs = outputs
        self.models = models
        timings = Dictionary(
            uniqueKeysWithValues: analysis.timings.map { ($0.key.rawValue, ($0.value * 1e6).rounded() / 1e6) })
        warnings = analysis.warnings
        version = Tamperscope.version
    }

    /// The report on one line, keys sorted; absent values are null.
    public func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The report for people to read.
    public func document() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(image, forKey: .image)
        try container.encode(sha256, forKey: .sha256)
        try container.encode(width, forKey: .width)
        try container.encode(height, forKey: .height)
        try container.encode(probability, forKey: .probability)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(views, forKey: .views)
        try container.encode(localizer, forKey: .localizer)
        try container.encode(floor, forKey: .floor)
        try container.encode(segmenter, forKey: .segmenter)
        try container.encode(candidates, forKey: .candidates)
        try container.encode(distance, forKey: .distance)
        try container.encode(regions, forKey: .regions)
        try container.encode(refinement, forKey: .refinement)
        try container.encode(threshold, forKey: .threshold)
        try container.encode(outputs, forKey: .outputs)
        try container.encode(models, forKey: .models)
        try container.encode(timings, forKey: .timings)
        try container.encode(warnings, forKey: .warnings)
        try container.encode(version, forKey: .version)
    }
}

/// The product.
public enum Tamperscope {
    public static let version = "0.1.0"
}
