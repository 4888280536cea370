/// Proposes parts of an image.
public protocol Segmenter: Sendable {
    /// As the user calls it, such as `deeplab`.
    var name: String { get }

    /// - Parameters:
    ///   - image: any size.
    ///   - progress: called now and then with the share of the work that is done, 0 to 1; from any thread.
    /// - Returns: masks of the image's size, in an order that is the same every time.
    func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate]
}

extension Segmenter {
    public func candidates(in image: RGBImage) throws -> [Candidate] {
        try candidates(in: image) { _ in }
    }
}
