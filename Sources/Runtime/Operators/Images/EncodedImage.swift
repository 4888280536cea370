import CImageCodecs
import ONNXLoader

/// Image files as tensors of rows × columns × red, green and blue.
enum EncodedImage {
    /// - Returns: nil when the bytes are damaged or no image.
    /// - Throws: `OperatorError` for a format or a kind of one that is not read; `RuntimeError.memoryLimit`.
    static func decode(_ bytes: Elements<UInt8>, budget: MemoryBudget) throws -> Tensor? {
        func starts(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: signature)
        }
        if starts([0xFF, 0xD8, 0xFF]) { return try decode(bytes, IMAGE_CODEC_JPEG, "JPEG", budget) }
        if starts([0x89, 0x50, 0x4E, 0x47]) { return try decode(bytes, IMAGE_CODEC_PNG, "PNG", budget) }
        if starts([0x49, 0x49, 42, 0]) || starts([0x4D, 0x4D, 0, 42]) || starts([0x49, 0x49, 43, 0])
            || starts([0x4D, 0x4D, 0, 43])
        {
            return try decode(bytes, IMAGE_CODEC_TIFF, "TIFF", budget)
        }
        if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
            return try decode(bytes, IMAGE_CODEC_WEBP, "WebP", budget)
        }
        if starts(Array("jP  ".utf8), at: 4) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
            throw OperatorError("JPEG 2000 images are not read")
        }
        if starts(Array("BM".utf8)) { return try WindowsBitmap(bytes)?.pixels(budget: budget) }
        if starts(Array("P".utf8)) { return try PortableImage(bytes)?.pixels(budget: budget) }
        return nil
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
