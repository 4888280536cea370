import Foundation
import ONNXLoader
import Runtime

/// The whole method on one photo after another: classifier views, fused activation maps, candidate regions, similarity,
/// refinement.
public final class Analyzer: Sendable {
    public struct Options: Sendable {
        /// The image probability from which a manipulation is located.
        public var threshold: Double
        /// Whether a manipulation is located whatever the probability.
        public var alwaysLocalizes: Bool
        public var refinement: Refinement
        public var similarity: Similarity
        public var fusion: ActivationFusion
        /// Instead of the scale that a classifier's metadata names.
        public var scale: ModelMetadata.Scale?
        public var limits: ImageLimits

        public init(
            threshold: Double = 0.5, alwaysLocalizes: Bool = false, refinement: Refinement = .evidence,
            similarity: Similarity = Similarity(), fusion: ActivationFusion = ActivationFusion(),
            scale: ModelMetadata.Scale? = nil, limits: ImageLimits = ImageLimits()
        ) {
            self.threshold = threshold
            self.alwaysLocalizes = alwaysLocalizes
            self.refinement = refinement
            self.similarity = similarity
            self.fusion = fusion
            self.scale = scale
            self.limits = limits
        }
    }

    public let options: Options
    private let classifiers: [Classifier]
    private let segmenter: (any Segmenter)?

    /// - Parameters:
    ///   - classifiers: at least one; together they give the views.
    ///   - segmenter: nil to take the activation map as it is.
    public init(classifiers: [Classifier], segmenter: (any Segmenter)?, options: Options = Options()) {
        self.classifiers = classifiers
        self.segmenter = segmenter
        self.options = options
    }

    /// A part of the work, as progress names it.
    public enum Stage: String, Sendable, CaseIterable {
        case decode, classify, segment, refine, write
    }

    /// Analyses one photo.
    /// - Parameter progress: called now and then with the stage and the share of it that is done; from any thread.
    /// - Throws: `ImageError` for the file, and what the models' runs throw.
    public func analyze(
        _ path: String, progress: @escaping @Sendable (Stage, Double) -> Void = { _, _ in }
    ) throws -> Analysis {
        var watch = Stopwatch()
        progress(.decode, 0)
        let file = try ImageFile.load(path, limits: options.limits)
        watch.lap(.decode)

        var results: [Classifier.Result] = []
        for (index, classifier) in classifiers.enumerated() {
            results.append(
                try classifier.classify(file.image, scale: options.scale) { share in
                    progress(.classify, (Double(index) + share) / Double(self.classifiers.count))
                })
        }
        let views = results.flatMap(\.views)
        let fused = options.fusion.fuse(
            views.map(\.activation), width: file.image.width, height: file.image.height)
        watch.lap(.classify)

        let logit = Self.imageLogit(results)
        let probability = 1 / (1 + exp(-logit))
        var analysis = Analysis(
            file: file, probability: probability, isManipulated: probability >= options.threshold,
            threshold: options.threshold, views: views, activation: fused.map, refinement: options.refinement,
            segmenter: segmenter?.name)
        analysis.warnings = file.warnings + results.flatMap(\.warnings) + fused.warnings
        if analysis.isManipulated || options.alwaysLocalizes {
            try locate(&analysis, file.image, &watch, progress)
        }
        analysis.timings = watch.laps
        return analysis
    }

    /// Adds regions and the heat map.
    private func locate(
        _ analysis: inout Analysis, _ image: RGBImage, _ watch: inout Stopwatch,
        _ progress: @escaping @Sendable (Stage, Double) -> Void
    ) throws {
        var heatMap = analysis.activation
        if let segmenter {
            let candidates = try segmenter.candidates(in: image, orientation: analysis.file.orientation) { share in
                progress(.segment, share)
            }
            watch.lap(.segment)
            progress(.refine, 0)
            let ranking = options.similarity.rank(candidates, activation: analysis.activation)
            analysis.regions = ranking.regions
            if let reason = options.refinement.apply(to: &heatMap, mask: ranking.regions.first?.candidate.mask) {
                analysis.warnings.append(reason.description)
            }
        }
        analysis.heatMap = heatMap
        watch.lap(.refine)
    }

    /// The highest mean logit over places, when all files looked at the same places; else the mean of their highest.
    static func imageLogit(_ results: [Classifier.Result]) -> Double {
        guard let first = results.first else { return -.infinity }
        let weights = results.map { Double($0.views.count) }
        let total = weights.reduce(0, +)
        if results.allSatisfy({ $0.placeLogits.count == first.placeLogits.count }) {
            return first.placeLogits.indices.map { place in
                zip(results, weights).reduce(0) { $0 + $1.0.placeLogits[place] * $1.1 } / total
            }.max() ?? -.infinity
        }
        return zip(results, weights).reduce(0) { $0 + ($1.0.placeLogits.max() ?? 0) * $1.1 } / total
    }
}

/// The time between one stage's end and the next.
struct Stopwatch {
    private(set) var laps: [Analyzer.Stage: Double] = [:]
    private var start = ContinuousClock.now

    mutating func lap(_ stage: Analyzer.Stage) {
        let now = ContinuousClock.now
        let time = (now - start).components
        laps[stage, default: 0] += Double(time.seconds) + Double(time.attoseconds) * 1e-18
        start = now
    }
}
