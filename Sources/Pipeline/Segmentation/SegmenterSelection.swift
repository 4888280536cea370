import Foundation

/// Which segmenters propose regions, and how.
public struct SegmenterSelection: Sendable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case deeplab, pspnet, sam
    }

    /// Their candidates compete with each other; none for no regions at all.
    public var kinds: [Kind]
    /// For DeepLab and PSPNet.
    public var semantic: SemanticSegmenter.Options
    /// For SAM's automatic mask generation.
    public var sam: SAMSegmenter.Options
    /// The side of SAM's point grid; nil for the one that the decoder's metadata names.
    public var pointsPerSide: Int?
    /// The least predicted intersection over union of SAM's masks; nil for what the decoder's metadata names.
    public var predictedIoUThreshold: Float?
    /// The least stability of SAM's masks; nil for what the decoder's metadata names.
    public var stabilityThreshold: Double?
    /// SAM's prompts in pixels of the image as it is looked at; automatic mask generation when there are none.
    public var prompts: [SAMPrompt]
    /// Where SAM's embeddings are kept; nil for nowhere.
    public var embeddingCache: URL?

    public init(
        _ kinds: [Kind] = [], semantic: SemanticSegmenter.Options = .init(), sam: SAMSegmenter.Options = .init(),
        pointsPerSide: Int? = nil, predictedIoUThreshold: Float? = nil, stabilityThreshold: Double? = nil,
        prompts: [SAMPrompt] = [], embeddingCache: URL? = nil
    ) {
        self.kinds = kinds
        self.semantic = semantic
        self.sam = sam
        self.pointsPerSide = pointsPerSide
        self.predictedIoUThreshold = predictedIoUThreshold
        self.stabilityThreshold = stabilityThreshold
        self.prompts = prompts
        self.embeddingCache = embeddingCache
    }
}
