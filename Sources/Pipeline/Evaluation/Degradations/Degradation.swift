import Foundation

/// What an image goes through on its way, to see how much of a method's figures is left.
public enum Degradation: Sendable, Hashable {
    /// Gaussian blur with a square kernel of this odd side; its weights are OpenCV's for that side.
    case blur(kernel: Int)
    /// Independent Gaussian noise on every sample; the standard deviation in levels of 0 ... 255.
    case noise(deviation: Int)
    /// Saved as a JPEG of this IJG quality, 4:2:0.
    case jpeg(quality: Int)
    /// Resized by a factor, bilinear with antialias. Maps are brought back to the image's size to be scored.
    case resize(percent: Int)

    /// The grid of the published robustness tests, with resizing besides.
    public static let grid: [Degradation] =
        [3, 7, 11, 15, 19, 23].map { .blur(kernel: $0) } + [3, 7, 11, 15, 19, 23].map { .noise(deviation: $0) }
        + [50, 60, 70, 80, 90, 100].map { .jpeg(quality: $0) } + [50, 75, 125].map { .resize(percent: $0) }

    /// Such as `jpeg-70`: part of row names and of file names.
    public var name: String {
        switch self {
        case .blur(let kernel): "blur-\(kernel)"
        case .noise(let deviation): "noise-\(deviation)"
        case .jpeg(let quality): "jpeg-\(quality)"
        case .resize(let percent): "resize-\(percent)"
        }
    }

    /// Such as `JPEG quality 70`.
    public var title: String {
        switch self {
        case .blur(let kernel): "Gaussian blur \(kernel) × \(kernel)"
        case .noise(let deviation): "Gaussian noise σ \(deviation)"
        case .jpeg(let quality): "JPEG quality \(quality)"
        case .resize(let percent): "resized to \(percent) %"
        }
    }

    /// The image after it.
    ///
    /// - Parameter seed: of the noise.
    /// - Throws: `RasterError`, or `ErrorLevelsError` when the image cannot be a JPEG.
    public func applied(to image: RGBImage, seed: UInt64) throws -> RGBImage {
        switch self {
        case .blur(let kernel): return image.blurred(kernel: kernel)
        case .noise(let deviation): return image.noisy(deviation: Double(deviation), seed: seed)
        case .jpeg(let quality): return try ErrorLevels(quality: quality).compare(image).recompressed
        case .resize(let percent):
            return try image.resized(
                width: max(1, image.width * percent / 100), height: max(1, image.height * percent / 100))
        }
    }
}
