import CImageCodecs

/// Signed error levels: what a picture loses when it is saved as a JPEG once more,
/// `gain · (I − decode(encode(I))) / 255` for each colour channel.
///
/// The codec is libjpeg: the tables of the standard's annex K scaled as IJG's `quality` does, the integer "islow"
/// transform, fancy upsampling. Another codec's rounding would move a signal that is rarely larger than ten levels.
public struct ErrorLevels: Sendable, Hashable {
    /// The longest side of a picture that JPEG encoders of the libjpeg family take, in pixels.
    public static let maximumSide = 65_500

    /// IJG quality, 1...100.
    public let quality: Int
    public let subsampling: Subsampling
    /// What differences are multiplied with, after division by 255.
    public let gain: Float

    /// How many pixels share one colour difference.
    public enum Subsampling: String, Sendable, Hashable, CaseIterable {
        /// Every pixel its own.
        case s444 = "4:4:4"
        /// Two pixels beside each other.
        case s422 = "4:2:2"
        /// Squares of four pixels.
        case s420 = "4:2:0"

        var lumaSampling: (horizontal: Int32, vertical: Int32) {
            switch self {
            case .s444: (1, 1)
            case .s422: (2, 1)
            case .s420: (2, 2)
            }
        }
    }

    /// - Throws: `ErrorLevelsError` unless `quality` is 1...100 and `gain` is a finite number.
    public init(quality: Int = 90, subsampling: Subsampling = .s420, gain: Float = 1) throws(ErrorLevelsError) {
        guard (1...100).contains(quality) else { throw .badQuality(quality) }
        guard gain.isFinite else { throw .badGain(gain) }
        self.quality = quality
        self.subsampling = subsampling
        self.gain = gain
    }

    /// The error levels of a picture as three planes R, G, B, row-major: the elements of a `[1, 3, height, width]` tensor.
    ///
    /// - Throws: `ErrorLevelsError` when the picture cannot be a JPEG.
    public func planes(of image: RGBImage) throws(ErrorLevelsError) -> [Float] {
        try compare(image).planes()
    }

    /// The picture together with its recompressed twin, from which the error levels of any part can be taken.
    ///
    /// - Throws: `ErrorLevelsError` when the picture cannot be a JPEG.
    public func compare(_ image: RGBImage) throws(ErrorLevelsError) -> RecompressedImage {
        RecompressedImage(original: image, recompressed: try recompress(image), gain: gain)
    }

    /// The picture after encoding and decoding.
    private func recompress(_ image: RGBImage) throws(ErrorLevelsError) -> RGBImage {
        guard max(image.width, image.height) <= Self.maximumSide else {
            throw .sideTooLong(width: image.width, height: image.height)
        }
        let (horizontal, vertical) = subsampling.lumaSampling
        var status = IMAGE_STATUS_OK
        var reason = [CChar](repeating: 0, count: 256)
        let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { pixels, count in
            status = image_jpeg_recompress(
                image.pixels, UInt32(image.width), UInt32(image.height), Int32(quality), horizontal, vertical,
                pixels.baseAddress, &reason, reason.count)
            count = status == IMAGE_STATUS_OK ? image.pixels.count : 0
        }
        guard status == IMAGE_STATUS_OK else {
            throw .codecFailed(String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return RGBImage(uncheckedWidth: image.width, height: image.height, pixels: pixels)
    }
}

/// Error levels cannot be taken.
public enum ErrorLevelsError: Error, Sendable, Hashable, CustomStringConvertible {
    case badQuality(Int)
    case badGain(Float)
    case sideTooLong(width: Int, height: Int)
    case outside(x: Int, y: Int, width: Int, height: Int)
    case codecFailed(String)

    public var description: String {
        switch self {
        case .badQuality(let quality):
            "the JPEG quality \(quality) of error levels is not between 1 and 100; correct errorLevels.quality"
        case .badGain(let gain):
            "the gain \(gain) of error levels is not a finite number; correct errorLevels.gain"
        case .sideTooLong(let width, let height):
            "a picture of \(width) × \(height) pixels cannot be a JPEG, whose sides have at most \(ErrorLevels.maximumSide)"
        case .outside(let x, let y, let width, let height):
            "the part of \(width) × \(height) pixels at (\(x), \(y)) is not inside the picture"
        case .codecFailed(let reason):
            "recompression as JPEG failed: \(reason)"
        }
    }
}
