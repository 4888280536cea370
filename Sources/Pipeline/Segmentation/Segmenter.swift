/// Proposes parts of an image.
public protocol Segmenter: Sendable {
    /// As the user calls it, such as `deeplab`.
    var name: String { get }

    /// - Parameters:
    ///   - image: any size.
    ///   - progress: called now and then with the share of the work that is done, 0 to 1; from any thread.
    /// - Returns: masks of the image's size, in an order that is the same every time.
    func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate]

    /// The same for a segmenter that is told something about the image as it is looked at.
    ///
    /// - Parameter orientation: how the image, which is as it is stored, is turned to be looked at.
    func candidates(
        in image: RGBImage, orientation: Orientation, progress: @escaping @Sendable (Double) -> Void
    ) throws -> [Candidate]
}

extension Segmenter {
    public func candidates(
        in image: RGBImage, orientation: Orientation, progress: @escaping @Sendable (Double) -> Void
    ) throws -> [Candidate] {
        try candidates(in: image, progress: progress)
    }

    public func candidates(in image: RGBImage) throws -> [Candidate] {
        try candidates(in: image) { _ in }
    }
}
