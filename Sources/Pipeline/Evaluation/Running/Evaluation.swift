import Foundation

/// Scores all variants of the method, and other tools' maps, on a dataset: one pass over the images, then figures.
public struct Evaluation: Sendable {
    public struct Options: Sendable {
        /// The image probability from which an image counts as found manipulated.
        public var imageThreshold: Double
        /// The value from which a pixel counts as manipulated.
        public var pixelThreshold: Double
        public var protocols: [EvaluationProtocol]
        public var bootstrap: Bootstrap
        /// What images go through besides; each gives rows of its own.
        public var degradations: [Degradation]
        /// Whether the maps are written as 16-bit PNG files.
        public var savesMaps: Bool
        /// The longest side of the report's small pictures in pixels; 0 for none.
        public var thumbnailSide: Int

        public init(
            imageThreshold: Double = 0.5, pixelThreshold: Double = 0.5, protocols: [EvaluationProtocol] = [.default],
            bootstrap: Bootstrap = Bootstrap(), degradations: [Degradation] = [], savesMaps: Bool = false,
            thumbnailSide: Int = 160
        ) {
            self.imageThreshold = imageThreshold
            self.pixelThreshold = pixelThreshold
            self.protocols = protocols
            self.bootstrap = bootstrap
            self.degradations = degradations
            self.savesMaps = savesMaps
            self.thumbnailSide = thumbnailSide
        }
    }

    /// An image on which an evaluation failed, or a file that the dataset does not use.
    public struct Skipped: Sendable, Hashable, Codable {
        public var file: String
        public var reason: String
    }

    /// How far the pass over the images is.
    public struct Progress: Sendable {
        public var index: Int
        public var count: Int
        public var image: String
        public var stage: String
        /// Of the stage, 0 to 1.
        public var share: Double
    }

    public let dataset: Dataset
    public let variants: MethodVariants
    public let models: [AnalysisReport.ModelUsed]
    public let maps: [ExternalMaps]
    public let options: Options
    /// Where everything is written.
    public let folder: URL

    /// - Parameters:
    ///   - models: what was opened for `variants`. Results of other models are made again.
    ///   - maps: other tools' maps.
    /// - Throws: `EvaluationError.sameName` when two sets of maps have the same name.
    public init(
        _ dataset: Dataset, variants: MethodVariants, models: [AnalysisReport.ModelUsed], maps: [ExternalMaps] = [],
        options: Options = Options(), folder: URL
    ) throws(EvaluationError) {
        var rows: Set<String> = []
        for maps in maps where !rows.insert(EvaluationRow.external(maps.name).id).inserted {
            throw .sameName(maps.name)
        }
        self.dataset = dataset
        self.variants = variants
        self.models = models
        self.maps = maps
        self.options = options
        self.folder = folder
    }

    /// Evaluates every image that has no result yet, then makes the figures of all.
    ///
    /// An image that fails is skipped with the reason.
    /// - Parameter progress: called now and then, from any thread.
    /// - Throws: `EvaluationError`.
    public func run(progress: @escaping @Sendable (Progress) -> Void = { _ in }) throws(EvaluationError)
        -> EvaluationSummary
    {
        let store = try ResultStore(folder.appendingPathComponent("results"))
        let pass = try ImagePass(self)
        let start = ContinuousClock.now
        var results: [StoredResult] = []
        var skipped: [Skipped] = []
        var resumed = 0
        for (index, sample) in dataset.samples.enumerated() {
            @Sendable func report(_ stage: String, _ share: Double) {
                progress(
                    Progress(
                        index: index, count: dataset.samples.count, image: sample.name, stage: stage, share: share))
            }
            do {
                let key = try pass.key(of: sample)
                if let result = store.result(for: sample.name, key: key), pass.hasFiles(of: result.result) {
                    results.append(result)
                    resumed += 1
                    continue
                }
                let (result, histograms) = try pass.evaluate(sample, key: key, progress: report)
                results.append(try store.write(result, histograms: histograms))
            } catch let error as EvaluationError {
                // A folder that cannot be written to will not take the next image either.
                throw error
            } catch {
                skipped.append(Skipped(file: sample.name, reason: "\(error)"))
            }
        }
        guard !results.isEmpty else {
            throw .nothingEvaluated(skipped: skipped.prefix(3).map { "\($0.file): \($0.reason)" })
        }
        let seconds = (ContinuousClock.now - start).seconds
        let figures = FigureMaker(results, options: options)
        progress(
            Progress(
                index: dataset.samples.count - 1, count: dataset.samples.count, image: "all images", stage: "figures",
                share: 0))
        var summary = EvaluationSummary(
            self, results: results.map(\.result),
            skipped: skipped + dataset.skipped.map { Skipped(file: $0.file, reason: $0.reason.description) },
            rows: try figures.rows(skipped: skipped.count), images: try figures.images())
        summary.timing = .init(
            seconds: seconds, evaluated: results.count - resumed, resumed: resumed,
            stages: Self.meanSeconds(results.map(\.result)))
        return summary
    }

    private static func meanSeconds(_ results: [ImageResult]) -> [String: Double] {
        var sums: [String: Double] = [:]
        for result in results { sums.merge(result.seconds) { $0 + $1 } }
        return sums.mapValues { $0 / Double(results.count) }
    }
}
