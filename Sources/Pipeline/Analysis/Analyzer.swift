import Foundation
import ONNXLoader
import Runtime
import Synchronization

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
        /// The most threads outside the networks' own; nil for one per core.
        public var threads: Int?

        public init(
            threshold: Double = 0.5, alwaysLocalizes: Bool = false, refinement: Refinement = .evidence,
            similarity: Similarity = Similarity(), fusion: ActivationFusion = ActivationFusion(),
            scale: ModelMetadata.Scale? = nil, limits: ImageLimits = ImageLimits(), threads: Int? = nil
        ) {
            self.threshold = threshold
            self.alwaysLocalizes = alwaysLocalizes
            self.refinement = refinement
            self.similarity = similarity
            self.fusion = fusion
            self.scale = scale
            self.limits = limits
            self.threads = threads
        }
    }

    public let options: Options
    private let classifiers: [Classifier]
    private let student: Student?
    private let segmenter: (any Segmenter)?
    private let networks: NetworkClock

    /// - Parameters:
    ///   - classifiers: together they give the views; at least one unless there is a student.
    ///   - student: its map is taken instead of the views', and without classifiers its probability too.
    ///   - segmenter: nil to take the activation map as it is.
    ///   - networks: measures the runs of both, so that timings tell them from the rest.
    public init(
        classifiers: [Classifier], student: Student? = nil, segmenter: (any Segmenter)?,
        networks: NetworkClock = NetworkClock(),
        options: Options = Options()
    ) {
        self.classifiers = classifiers
        self.student = student
        self.segmenter = segmenter
        self.networks = networks
        self.options = options
    }

    /// What the activation map comes from.
    public enum Localizer: String, Sendable { case classifiers, student }

    /// A part of the work, as progress and timings name it.
    public enum Stage: String, Sendable, CaseIterable {
        /// Reading and decoding the file, with its checksum.
        case decode
        case errorLevels
        /// The classifiers' networks.
        case classify
        /// The student's network.
        case student
        /// Blending tiles, fusing views, and enlarging the student's map.
        case activation
        /// The segmenters' networks.
        case segment
        /// Making their input, and masks of their output.
        case candidates
        case similarity
        case refine
        case write
    }

    /// Analyses one photo.
    /// - Parameter progress: called now and then with the stage and the share of it that is done; from any thread.
    /// - Throws: `ImageError` for the file, and what the models' runs throw.
    public func analyze(
        _ path: String, progress: @escaping @Sendable (Stage, Double) -> Void = { _, _ in }
    ) throws -> Analysis {
        var watch = Stopwatch(networks: networks)
        progress(.decode, 0)
        let file = try ImageFile.load(path, limits: options.limits)
        watch.lap(.decode)

        let results = try classify(file.image, &watch, progress)
        let views = results.flatMap(\.views)
        var warnings = file.warnings + results.flatMap(\.warnings)
        var probability = 1 / (1 + exp(-Self.imageLogit(results)))
        let activation: FloatMap
        if let student {
            progress(.student, 0)
            let result = try student.localize(file.image) { progress(.student, $0) }
            activation = result.map
            if classifiers.isEmpty { probability = result.probability }
            watch.lap(.activation, network: .student)
        } else {
            let fused = options.fusion.fuse(
                views.map(\.activation), width: file.image.width, height: file.image.height)
            activation = fused.map
            warnings += fused.warnings
            watch.lap(.activation)
        }

        var analysis = Analysis(
            file: file, probability: probability, isManipulated: probability >= options.threshold, options: options,
            views: views, localizer: student == nil ? .classifiers : .student, activation: activation,
            segmenter: segmenter?.name)
        analysis.warnings = warnings
        if analysis.isManipulated || options.alwaysLocalizes {
            try locate(&analysis, file.image, &watch, progress)
        }
        analysis.timings = watch.laps
        return analysis
    }

    /// What each classifier says, with the time of their networks and of everything around them.
    private func classify(
        _ image: RGBImage, _ watch: inout Stopwatch, _ progress: @escaping @Sendable (Stage, Double) -> Void
    ) throws -> [Classifier.Result] {
        let variants = RecompressedVariants(image)
        progress(.errorLevels, 0)
        for classifier in classifiers { try classifier.prepare(variants, scale: options.scale) }
        watch.lap(.errorLevels)

        let shares = Mutex([Double](repeating: 0, count: classifiers.count))
        let results = try mapConcurrently(count: classifiers.count, threads: options.threads) { index in
            try classifiers[index].classify(variants, scale: options.scale, threads: options.threads) { share in
                let total = shares.withLock { shares in
                    shares[index] = share
                    return shares.reduce(0, +)
                }
                progress(.classify, total / Double(classifiers.count))
            }
        }
        watch.lap(.activation, network: .classify)
        return results
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
            watch.lap(.candidates, network: .segment)
            progress(.similarity, 0)
            let ranking = options.similarity.rank(candidates, activation: analysis.activation)
            analysis.ranking = ranking
            watch.lap(.similarity)
            progress(.refine, 0)
            if let reason = options.refinement.apply(to: &heatMap, mask: ranking.regions.first?.candidate.mask) {
                analysis.warnings.append(reason.description)
            }
            watch.lap(.refine)
        }
        analysis.heatMap = heatMap
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
