/// A part of the image that may have been manipulated as a whole.
public struct Candidate: Sendable, Hashable {
    public var mask: Mask
    /// What a segmenter calls it, such as a class name.
    public var label: String?
    /// How sure the segmenter is, where it says so (SAM's predicted IoU).
    public var score: Float?
    /// How little the mask depends on its threshold, where the segmenter says so (SAM's stability), 0 to 1.
    public var stability: Double?
    /// The name of the segmenter that it comes from, such as `deeplab`.
    public var segmenter: String?

    public init(
        mask: Mask, label: String? = nil, score: Float? = nil, stability: Double? = nil, segmenter: String? = nil
    ) {
        self.mask = mask
        self.label = label
        self.score = score
        self.stability = stability
        self.segmenter = segmenter
    }
}
