import CImageCodecs

/// Decoding by libjpeg-turbo, libpng, libtiff and libwebp.
enum LibraryDecoder {
    /// Reads the header, checks it against the limits, then takes memory for the pixels and reads them. Rows that are
    /// never reached never touch their memory.
    static func decode(
        _ bytes: [UInt8], _ format: ImageFormat, codec: image_codec, limits: ImageLimits
    ) throws(ImageError.Problem) -> DecodedImage {
        try withDecoder(bytes, format, codec: codec, limits: limits) {
            decoder, width, height throws(ImageError.Problem) in
            var status = IMAGE_STATUS_OK
            let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { pixels, count in
                status = image_decoder_read_pixels(decoder, pixels.baseAddress, pixels.count)
                count = status == IMAGE_STATUS_OK ? 3 * width * height : 0
            }
            try check(status, decoder, format)
            return DecodedImage(
                image: RGBImage(uncheckedWidth: width, height: height, pixels: pixels),
                orientation: orientation(image_decoder_header(decoder)),
                warnings: (0..<image_decoder_warning_count(decoder)).map {
                    "\(format.rawValue): \(String(cString: image_decoder_warning(decoder, $0)))"
                })
        }
    }

    /// Calls `body` with a decoder whose header was read and found to be within the limits, and with the picture's size.
    static func withDecoder<Result>(
        _ bytes: [UInt8], _ format: ImageFormat, codec: image_codec, limits: ImageLimits,
        _ body: (OpaquePointer, _ width: Int, _ height: Int) throws(ImageError.Problem) -> Result
    ) throws(ImageError.Problem) -> Result {
        try bytes.withUnsafeBufferPointer { bytes throws(ImageError.Problem) in
            // A strip of a TIFF or the coefficients of a progressive JPEG take up to 8 bytes a pixel.
            let memoryLimit = 8 * min(max(limits.maximumPixels, 0), 1 << 31) + 64 << 20
            guard let decoder = image_decoder_create(codec, bytes.baseAddress, bytes.count, memoryLimit) else {
                throw .outOfMemory
            }
            defer { image_decoder_destroy(decoder) }

            try check(image_decoder_read_header(decoder), decoder, format)
            let size = image_decoder_header(decoder)
            let (width, height) = (Int(size.width), Int(size.height))
            try limits.check(width: width, height: height)
            return try body(decoder, width, height)
        }
    }

    /// Turns a status into an error.
    static func check(
        _ status: image_status, _ decoder: OpaquePointer, _ format: ImageFormat
    ) throws(ImageError.Problem) {
        let reason = String(cString: image_decoder_error(decoder))
        switch status {
        case IMAGE_STATUS_OK: return
        case IMAGE_STATUS_TRUNCATED: throw .truncated(format, reason: reason)
        case IMAGE_STATUS_UNSUPPORTED: throw .unsupported(format, reason: reason)
        case IMAGE_STATUS_NO_MEMORY: throw .outOfMemory
        default: throw .corrupt(format, reason: reason)
        }
    }

    private static func orientation(_ header: image_header) -> Orientation {
        if let orientation = Orientation(rawValue: Int(header.orientation)) { return orientation }
        guard let exif = header.exif else { return .up }
        return Exif.orientation(in: Array(UnsafeBufferPointer(start: exif, count: header.exif_count))) ?? .up
    }
}
