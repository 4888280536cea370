/// A part of the image that may have been manipulated as a whole.
public struct Candidate: Sendable, Hashable {
    public var mask: Mask
    /// What a segmenter calls it, such as a class name.
    public var label: String?
    /// How sure the segmenter is, where it says so (SAM's predicted IoU).
    public var score: Float?

    public init(mask: Mask, label: String? = nil, score: Float? = nil) {
        self.mask = mask
        self.label = label
        self.score = score
    }
}
