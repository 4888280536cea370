import CImageCodecs
import ImageCodecs
import ONNXLoader

/// Image files as tensors of rows × columns × red, green and blue.
enum EncodedImage {
    /// - Returns: nil when the bytes are damaged or no image.
    /// - Throws: `OperatorError` for a format or a kind of one that is not read; `RuntimeError.memoryLimit`.
    static func decode(_ bytes: Elements<UInt8>, budget: MemoryBudget) throws -> Tensor? {
        switch ImageFormat(firstBytes: bytes) {
        case .jpeg: return try decode(bytes, IMAGE_CODEC_JPEG, "JPEG", budget)
        case .png: return try decode(bytes, IMAGE_CODEC_PNG, "PNG", budget)
        case .tiff: return try decode(bytes, IMAGE_CODEC_TIFF, "TIFF", budget)
        case .webp: return try decode(bytes, IMAGE_CODEC_WEBP, "WebP", budget)
        case .bmp: return try decode(bmp: bytes, budget)
        case nil: break
        }
        if bytes.first == UInt8(ascii: "P") { return try PortableImage(bytes)?.pixels(budget: budget) }
        if let name = ImageFormat.unreadName(firstBytes: bytes) { throw OperatorError("\(name) images are not read") }
        return nil
    }

    private static func decode(bmp bytes: Elements<UInt8>, _ budget: MemoryBudget) throws -> Tensor? {
        do {
            let file = try BMPFile(Array(bytes))
            // Three channels, and the indices of a picture that is stored as run lengths.
            let byteCount = try file.width.multiplied(by: file.height).multiplied(by: 4)
            return try budget.withReservation(byteCount: byteCount) {
                let pixels = try file.pixels()
                let image = try allocate(width: file.width, height: file.height, budget: budget)
                image.storage.bytes.copyBytes(from: pixels)
                return image
            }
        } catch BMPFile.Problem.unsupported(let reason) {
            throw OperatorError("this kind of BMP is not read: \(reason)")
        } catch is BMPFile.Problem {
            return nil
        }
    }

    /// An image without pixel values.
    static func allocate(width: Int, height: Int, budget: MemoryBudget) throws -> Tensor {
        try budget.allocate(ValueType(.uint8, [height, width, 3]))
    }

    private static func decode(
        _ bytes: Elements<UInt8>, _ codec: image_codec, _ name: String, _ budget: MemoryBudget
    ) throws -> Tensor? {
        guard let base = bytes.base else { return nil }
        // What a library takes besides the pixels.
        let scratch = min(budget.limit, 1 << 31)
        guard
            let decoder = image_decoder_create(
                codec, base.assumingMemoryBound(to: UInt8.self), bytes.count, scratch)
        else { throw OperatorError("there is no memory for a \(name) image") }
        defer { image_decoder_destroy(decoder) }
        guard try isReadable(image_decoder_read_header(decoder), decoder, name) else { return nil }
        let header = image_decoder_header(decoder)
        let image = try allocate(width: Int(header.width), height: Int(header.height), budget: budget)
        let target = try image.uncheckedMutableElements(of: UInt8.self)
        let status = image_decoder_read_pixels(
            decoder, target.base.assumingMemoryBound(to: UInt8.self), target.count)
        return try isReadable(status, decoder, name) ? image : nil
    }

    private static func isReadable(_ status: image_status, _ decoder: OpaquePointer, _ name: String) throws -> Bool {
        switch status {
        case IMAGE_STATUS_OK: return true
        case IMAGE_STATUS_UNSUPPORTED:
            throw OperatorError("this kind of \(name) is not read: \(String(cString: image_decoder_error(decoder)))")
        case IMAGE_STATUS_NO_MEMORY: throw OperatorError("there is no memory for the \(name) image")
        default: return false
        }
    }
}
