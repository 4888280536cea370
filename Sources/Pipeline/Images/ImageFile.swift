import CImageCodecs
import Foundation
import ImageCodecs

/// A photograph as its file holds it.
public struct ImageFile: Sendable {
    /// The file as it was named by the caller.
    public let name: String
    public let format: ImageFormat
    /// The stored grid. It is analysed as it is; only what people look at is turned by `orientation`.
    public let image: RGBImage
    public let orientation: Orientation
    /// SHA-256 of the file: 64 lower-case hexadecimal digits.
    public let sha256: String
    /// What is odd about the file although it can be used: transparency, several pages, slight damage.
    public let warnings: [String]

    /// Reads a JPEG, PNG, TIFF, WebP or BMP file, whatever its name.
    ///
    /// Samples of 16 bits are rounded to 8, grey becomes equal red, green and blue, opacity is left out, colour profiles
    /// are not applied.
    /// - Throws: `ImageError`.
    public static func load(_ path: String, limits: ImageLimits = ImageLimits()) throws(ImageError) -> ImageFile {
        let bytes: [UInt8]
        do throws(ImageError.Problem) {
            bytes = try FileBytes.read(path, limit: limits.maximumFileBytes)
        } catch {
            throw ImageError(file: path, problem: error)
        }
        return try decode(bytes, name: path, limits: limits)
    }

    /// Reads a file that a URL names. The same as with its path.
    public static func load(_ url: URL, limits: ImageLimits = ImageLimits()) throws(ImageError) -> ImageFile {
        try load(url.path, limits: limits)
    }

    /// Reads the bytes of a file.
    ///
    /// - Parameter name: what errors call it.
    /// - Throws: `ImageError`.
    public static func decode(
        _ bytes: [UInt8], name: String, limits: ImageLimits = ImageLimits()
    ) throws(ImageError) -> ImageFile {
        do throws(ImageError.Problem) {
            guard !bytes.isEmpty else { throw .empty }
            guard bytes.count <= limits.maximumFileBytes else {
                throw .fileTooLarge(bytes: bytes.count, limit: limits.maximumFileBytes)
            }
            guard let format = ImageFormat(firstBytes: bytes) else {
                throw .unknownFormat(name: ImageFormat.unreadName(firstBytes: bytes))
            }
            let decoded =
                switch format {
                case .bmp: try decode(bmp: bytes, limits: limits)
                case .jpeg: try LibraryDecoder.decode(bytes, format, codec: IMAGE_CODEC_JPEG, limits: limits)
                case .png: try LibraryDecoder.decode(bytes, format, codec: IMAGE_CODEC_PNG, limits: limits)
                case .tiff: try LibraryDecoder.decode(bytes, format, codec: IMAGE_CODEC_TIFF, limits: limits)
                case .webp: try LibraryDecoder.decode(bytes, format, codec: IMAGE_CODEC_WEBP, limits: limits)
                }
            return ImageFile(
                name: name, format: format, image: decoded.image, orientation: decoded.orientation,
                sha256: try Checksum.sha256(bytes), warnings: decoded.warnings)
        } catch {
            throw ImageError(file: name, problem: error)
        }
    }
}

extension ImageFile {
    private static func decode(bmp bytes: [UInt8], limits: ImageLimits) throws(ImageError.Problem) -> DecodedImage {
        let file = try problem { () throws(BMPFile.Problem) in try BMPFile(bytes) }
        try limits.check(width: file.width, height: file.height)
        let pixels = try problem { () throws(BMPFile.Problem) in try file.pixels() }
        return DecodedImage(image: RGBImage(uncheckedWidth: file.width, height: file.height, pixels: pixels))
    }

    private static func problem<Result>(
        _ read: () throws(BMPFile.Problem) -> Result
    ) throws(ImageError.Problem) -> Result {
        do throws(BMPFile.Problem) {
            return try read()
        } catch {
            switch error {
            case .unsupported(let reason): throw .unsupported(.bmp, reason: reason)
            case .corrupt(let reason): throw .corrupt(.bmp, reason: reason)
            case .truncated(let reason): throw .truncated(.bmp, reason: reason)
            }
        }
    }
}

/// What a decoder gives.
struct DecodedImage {
    let image: RGBImage
    var orientation = Orientation.up
    var warnings: [String] = []
}
