/// How a SAM wants its automatic mask generation, from its decoder's metadata; what that does not say is as published.
public struct SAMGeneration: Sendable, Hashable {
    /// Points of the grid along each side.
    public var pointsPerSide = 32
    /// Masks of a lower predicted intersection over union go.
    public var predictedIoUThreshold: Float = 0.88
    /// Masks of a lower stability go.
    public var stabilityThreshold: Double = 0.95

    public init() {}

    init(_ metadata: ModelMetadata) {
        pointsPerSide = metadata.pointsPerSide ?? pointsPerSide
        predictedIoUThreshold = metadata.predictedIoUThreshold ?? predictedIoUThreshold
        // The decimal number that was written, not the nearest Float.
        stabilityThreshold = metadata.stabilityThreshold.flatMap { Double("\($0)") } ?? stabilityThreshold
    }
}
