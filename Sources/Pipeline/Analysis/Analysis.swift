/// What was found out about one photo. Maps and masks lie on the stored pixel grid.
public struct Analysis: Sendable {
    public let file: ImageFile
    /// Of a manipulation anywhere in the photo, 0 to 1.
    public let probability: Double
    public let isManipulated: Bool
    /// How it was found.
    public let options: Analyzer.Options
    public let views: [Classifier.View]
    public let localizer: Analyzer.Localizer
    /// The fused activation map, or the student's; values in 0 ... 1.
    public let activation: FloatMap
    public let segmenter: String?
    /// How the candidate regions agree with the activation map; nil when none were looked for.
    public var ranking: Similarity.Ranking?
    /// Where the manipulation is, values in 0 ... 1; nil when nothing was located.
    public var heatMap: FloatMap?
    public var warnings: [String] = []
    /// Seconds of each stage.
    public var timings: [Analyzer.Stage: Double] = [:]

    init(
        file: ImageFile, probability: Double, isManipulated: Bool, options: Analyzer.Options,
        views: [Classifier.View], localizer: Analyzer.Localizer, activation: FloatMap, segmenter: String?
    ) {
        self.file = file
        self.probability = probability
        self.isManipulated = isManipulated
        self.options = options
        self.views = views
        self.localizer = localizer
        self.activation = activation
        self.segmenter = segmenter
    }

    /// The candidate regions that agree best with the activation map, best first.
    public var regions: [Similarity.Region] { ranking?.regions ?? [] }

    /// In words that claim no proof.
    public var verdict: String {
        isManipulated ? "evidence of manipulation found" : "no evidence of manipulation found"
    }
}
