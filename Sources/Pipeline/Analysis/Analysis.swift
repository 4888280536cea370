/// What was found out about one photo. Maps and masks lie on the stored pixel grid.
public struct Analysis: Sendable {
    public let file: ImageFile
    /// Of a manipulation anywhere in the photo, 0 to 1.
    public let probability: Double
    public let isManipulated: Bool
    /// The probability from which a manipulation is assumed.
    public let threshold: Double
    public let views: [Classifier.View]
    /// The fused activation map, values in 0 ... 1.
    public let activation: FloatMap
    public let refinement: Refinement
    public let segmenter: String?
    /// The candidate regions that agree best with the activation map, best first.
    public var regions: [Similarity.Region] = []
    /// Where the manipulation is, values in 0 ... 1; nil when nothing was located.
    public var heatMap: FloatMap?
    public var warnings: [String] = []
    /// Seconds of each stage.
    public var timings: [Analyzer.Stage: Double] = [:]

    init(
        file: ImageFile, probability: Double, isManipulated: Bool, threshold: Double, views: [Classifier.View],
        activation: FloatMap, refinement: Refinement, segmenter: String?
    ) {
        self.file = file
        self.probability = probability
        self.isManipulated = isManipulated
        self.threshold = threshold
        self.views = views
        self.activation = activation
        self.refinement = refinement
        self.segmenter = segmenter
    }

    /// In words that claim no proof.
    public var verdict: String {
        isManipulated ? "evidence of manipulation found" : "no evidence of manipulation found"
    }
}
