import CImageCodecs
import Synchronization

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

        fileprivate var lumaSampling: (horizontal: Int32, vertical: Int32) {
            switch self {
            case .s444: (1, 1)
            case .s422: (2, 1)
            case .s420: (2, 2)
            }
        }

        /// Rows that are encoded together: no others have a part in their coefficients.
        fileprivate var unitRows: Int { self == .s420 ? 16 : 8 }
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

    /// Rows of a picture that one thread recompresses.
    private static let bandRows = 512

    /// The picture after encoding and decoding, in bands on several threads.
    ///
    /// Every unit of rows is encoded by itself, and smooth chroma upsampling looks one row of chroma up and down: with a
    /// unit more on both sides, a band comes out as it does in the whole picture.
    /// - Parameter bandRows: rounded up to whole units.
    func recompress(_ image: RGBImage, bandRows: Int = bandRows) throws(ErrorLevelsError) -> RGBImage {
        guard max(image.width, image.height) <= Self.maximumSide else {
            throw .sideTooLong(width: image.width, height: image.height)
        }
        let unit = subsampling.unitRows
        let units = (min(max(bandRows, 1), image.height) + unit - 1) / unit
        let step = units * unit
        let failure = Mutex<ErrorLevelsError?>(nil)
        let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { pixels, count in
            let bands = ConcurrentRows(pixels, width: 3 * image.width)
            forEachConcurrently(count: (image.height + step - 1) / step) { band in
                let rows = band * step..<min((band + 1) * step, image.height)
                do throws(ErrorLevelsError) {
                    try recompress(image, rows, around: unit, into: bands[rows])
                } catch {
                    failure.withLock { $0 = error }
                }
            }
            count = image.pixels.count
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return RGBImage(uncheckedWidth: image.width, height: image.height, pixels: pixels)
    }

    /// Recompresses some rows with a number of rows more on both sides.
    private func recompress(
        _ image: RGBImage, _ rows: Range<Int>, around margin: Int, into result: UnsafeMutableBufferPointer<UInt8>
    ) throws(ErrorLevelsError) {
        let top = max(rows.lowerBound - margin, 0)
        let bottom = min(rows.upperBound + margin, image.height)
        let (horizontal, vertical) = subsampling.lumaSampling
        var reason = [CChar](repeating: 0, count: 256)
        let status = image.pixels.withUnsafeBufferPointer { source in
            image_jpeg_recompress(
                UnsafeBufferPointer(rebasing: source[(3 * image.width * top)...]).baseAddress, UInt32(image.width),
                UInt32(bottom - top), Int32(quality), horizontal, vertical, UInt32(rows.lowerBound - top),
                UInt32(rows.count), result.baseAddress, &reason, reason.count)
        }
        guard status == IMAGE_STATUS_OK else {
            result.initialize(repeating: 0)
            throw .codecFailed(String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
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
