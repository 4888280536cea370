import Foundation

/// A figure with its interval over resampled images.
public struct Estimate: Sendable, Hashable, Codable {
    public var value: Double
    /// Nil without resampling.
    public var interval: Bootstrap.Interval?
}

/// A figure of how well images, not pixels, are told apart.
public enum DetectionFigure: String, Sendable, Hashable, CaseIterable, Codable, CodingKeyRepresentable {
    case auc
    /// F1; under `mvss` the harmonic mean of sensitivity and specificity.
    case f1
    /// Mean of sensitivity and specificity.
    case balancedAccuracy
    /// `mvss`: harmonic mean of the pixel and the image F1.
    case combinedF1

    public var title: String {
        switch self {
        case .auc: "AUC"
        case .f1: "F1"
        case .balancedAccuracy: "balanced accuracy"
        case .combinedF1: "Com-F1"
        }
    }
}

/// How much is marked where nothing is manipulated.
public enum FalsePositiveFigure: String, Sendable, Hashable, CaseIterable, Codable, CodingKeyRepresentable {
    /// The mean share of an image that reaches the threshold.
    case area
    /// The mean of the maps' highest values.
    case maximum

    public var title: String {
        switch self {
        case .area: "area over the threshold"
        case .maximum: "mean maximum"
        }
    }
}

/// All that an evaluation found out, ready to be printed.
public struct EvaluationSummary: Sendable, Codable {
    public struct DatasetUsed: Sendable, Codable {
        public var name: String
        public var layout: String
        /// Images that were evaluated.
        public var images: Int
        public var manipulated: Int
        public var authentic: Int
    }

    public struct Parameters: Sendable, Codable {
        public var imageThreshold: Double
        public var pixelThreshold: Double
        public var protocols: [EvaluationProtocol]
        public var bootstrap: Bootstrap
        public var segmenters: [String]
        public var refinements: [Refinement]
        /// The refinement of the rows on degraded images.
        public var degradedRefinement: Refinement
        public var degradations: [String]
        public var similarity: String
        public var fusionFloor: Double
        public var scale: String
        /// How SAM and the semantic segmenters were set.
        public var segmentation: String
        public var savesMaps: Bool
        public var thumbnailSide: Int
    }

    public struct Timing: Sendable, Codable {
        /// Of the whole pass.
        public var seconds: Double
        /// Images evaluated in this run, and taken from an earlier one.
        public var evaluated: Int
        public var resumed: Int
        /// Mean seconds an image and stage, of all runs.
        public var stages: [String: Double]
    }

    /// What a row's figures are made of.
    public struct Counts: Sendable, Hashable, Codable {
        /// Images with this row's map.
        public var images: Int
        /// Of these, those in the means.
        public var scored: Int
        /// Without manipulated pixels.
        public var emptyMask: Int
        /// With manipulated pixels, but not found manipulated by the classifier (protocol `paper`).
        public var notFound: Int
        /// Without a map of this row.
        public var missingMaps: Int
        /// Images of the dataset on which the evaluation failed.
        public var skipped: Int
        /// Maps of another size than their image's.
        public var resizedMaps: Int
        /// Pixels of all scored images.
        public var pixels: Int
        /// Of these, manipulated ones.
        public var manipulatedPixels: Int
    }

    /// One row under one protocol.
    public struct Row: Sendable, Codable {
        public var row: EvaluationRow
        public var scoring: EvaluationProtocol
        public var threshold: ScoreThreshold
        public var counts: Counts
        /// Means over images. A figure that is undefined for an image leaves it out.
        public var mean: [PixelFigure: Estimate]
        /// Of all scored images' pixels together.
        public var pooled: [PixelFigure: Estimate]
        /// The value with the highest pooled F1.
        public var bestThreshold: Double?
        public var confusion: Confusion
        public var detection: [DetectionFigure: Estimate]
        public var falsePositives: [FalsePositiveFigure: Estimate]
        /// `mvss`: the mean F1 of all images, authentic ones scoring 1 when nothing is marked.
        public var f1OfAllImages: Estimate?
        public var curves: ScoreCurves
    }

    /// One image.
    public struct Image: Sendable, Codable {
        public var name: String
        /// What its files are called in `thumbnails` and in the folders of `maps`.
        public var file: String
        public var isManipulated: Bool
        public var width: Int
        public var height: Int
        public var maskArea: Int
        public var maskResizedFrom: [Int]?
        public var probability: Double
        public var warnings: [String]
        public var rows: [ImageRow]
        /// Why rows have no map, by their ids.
        public var missing: [String: String]
    }

    /// One image's figures in one row under one protocol.
    public struct ImageRow: Sendable, Codable {
        public var row: String
        public var scoring: EvaluationProtocol
        /// Undefined figures are absent.
        public var figures: [PixelFigure: Double]
        public var confusion: Confusion
        public var area: Double
        public var maximum: Double
        /// What the image is told apart by.
        public var score: Double
    }

    public var version: String
    public var dataset: DatasetUsed
    public var models: [AnalysisReport.ModelUsed]
    public var parameters: Parameters
    public var timing: Timing
    public var skipped: [Evaluation.Skipped]
    public var rows: [Row]
    /// By name. Not part of the document, which stays small however many images there are.
    public var images: [Image] = []

    private enum CodingKeys: CodingKey {
        case version, dataset, models, parameters, timing, skipped, rows
    }

    init(
        _ evaluation: Evaluation, results: [ImageResult], skipped: [Evaluation.Skipped], rows: [Row], images: [Image]
    ) {
        let options = evaluation.options
        let variants = evaluation.variants
        version = Tamperscope.version
        dataset = DatasetUsed(
            name: evaluation.dataset.root.lastPathComponent, layout: evaluation.dataset.layout.rawValue,
            images: results.count, manipulated: results.count { $0.isManipulated },
            authentic: results.count { !$0.isManipulated })
        models = evaluation.models
        parameters = Parameters(
            imageThreshold: options.imageThreshold, pixelThreshold: options.pixelThreshold,
            protocols: options.protocols,
            bootstrap: options.bootstrap, segmenters: variants.segmenters.map(\.name),
            refinements: variants.refinements, degradedRefinement: variants.options.refinement,
            degradations: options.degradations.map(\.title), similarity: "\(variants.options.similarity.distance)",
            fusionFloor: Double(variants.options.fusion.floor),
            scale: variants.options.scale?.rawValue ?? "as the model says", segmentation: variants.configuration,
            savesMaps: options.savesMaps, thumbnailSide: options.thumbnailSide)
        timing = Timing(seconds: 0, evaluated: 0, resumed: 0, stages: [:])
        self.skipped = skipped
        self.rows = rows
        self.images = images
    }

    /// The rows of a protocol.
    public func rows(under scoring: EvaluationProtocol) -> [Row] { rows.filter { $0.scoring == scoring } }
}

extension Refinement: Codable {}
