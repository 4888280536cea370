/// The candidates of several segmenters, one after another: they compete for the best similarity.
public struct CombinedSegmenter: Segmenter {
    public let segmenters: [any Segmenter]

    public init(_ segmenters: [any Segmenter]) {
        self.segmenters = segmenters
    }

    /// Such as `deeplab,sam`.
    public var name: String { segmenters.map(\.name).joined(separator: ",") }

    public func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate] {
        try candidates(in: image, orientation: .up, progress: progress)
    }

    public func candidates(
        in image: RGBImage, orientation: Orientation, progress: @escaping @Sendable (Double) -> Void
    ) throws -> [Candidate] {
        try segmenters.enumerated().flatMap { index, segmenter in
            try segmenter.candidates(in: image, orientation: orientation) { share in
                progress((Double(index) + share) / Double(segmenters.count))
            }
        }
    }
}
