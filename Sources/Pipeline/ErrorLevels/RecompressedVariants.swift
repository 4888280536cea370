import Synchronization

/// One image recompressed in all the ways that its classifiers ask for, each made once.
final class RecompressedVariants: Sendable {
    /// How the image is brought to the size at which it is recompressed.
    enum Size: Hashable {
        /// Bilinear with antialias.
        case resized(width: Int, height: Int)
        /// Continued to the right and downwards by its mirror image.
        case reflected(width: Int, height: Int)
    }

    private struct Key: Hashable {
        let quality: Int
        let subsampling: ErrorLevels.Subsampling
        let size: Size
    }

    let image: RGBImage
    private let made = Mutex<[Key: RecompressedImage]>([:])

    init(_ image: RGBImage) {
        self.image = image
    }

    /// How often an image was recompressed so far.
    var count: Int { made.withLock { $0.count } }

    /// The image at a size together with its recompressed twin. Another thread that asks at the same time waits.
    /// - Throws: `RasterError` or `ErrorLevelsError`.
    func variant(_ levels: ErrorLevels, _ size: Size) throws -> RecompressedImage {
        let key = Key(quality: levels.quality, subsampling: levels.subsampling, size: size)
        var variant = try made.withLock { made in
            if let variant = made[key] { return variant }
            let original =
                switch size {
                case .resized(let width, let height): try image.resized(width: width, height: height)
                case .reflected(let width, let height): try image.reflected(width: width, height: height)
                }
            let variant = try levels.compare(original)
            made[key] = variant
            return variant
        }
        variant.gain = levels.gain
        return variant
    }
}
