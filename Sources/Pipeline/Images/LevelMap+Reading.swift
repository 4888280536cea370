import CImageCodecs

extension LevelMap {
    /// The grey values of a picture: of a PNG with 16 bits, of others with 8. Coloured pictures give their luminance.
    /// - Throws: `ImageError`.
    init(contentsOf path: String, limits: ImageLimits = ImageLimits()) throws(ImageError) {
        do throws(ImageError.Problem) {
            let bytes = try FileBytes.read(path, limit: limits.maximumFileBytes)
            if ImageFormat(firstBytes: bytes) == .png {
                self = try LibraryDecoder.decodeLevels(png: bytes, limits: limits)
                return
            }
        } catch {
            throw ImageError(file: path, problem: error)
        }
        let image = try ImageFile.load(path, limits: limits).image
        self = image.pixels.withUnsafeBufferPointer { pixels in
            LevelMap(
                uncheckedWidth: image.width, height: image.height,
                levels: (0..<image.width * image.height).map { index in
                    let (red, green, blue) = (
                        UInt32(pixels[3 &* index]), UInt32(pixels[3 &* index &+ 1]), UInt32(pixels[3 &* index &+ 2])
                    )
                    return UInt16((299 * red + 587 * green + 114 * blue) * 257 / 1000)
                })
        }
    }
}

extension LibraryDecoder {
    /// A PNG's grey values at 16 bits; those of fewer bits spread over the whole range.
    fileprivate static func decodeLevels(
        png bytes: [UInt8], limits: ImageLimits
    ) throws(ImageError.Problem) -> LevelMap {
        try withDecoder(bytes, .png, codec: IMAGE_CODEC_PNG, limits: limits) {
            decoder, width, height throws(ImageError.Problem) in
            var status = IMAGE_STATUS_OK
            let levels = [UInt16](unsafeUninitializedCapacity: width * height) { levels, count in
                status = image_decoder_read_levels(decoder, levels.baseAddress, levels.count)
                count = status == IMAGE_STATUS_OK ? width * height : 0
            }
            try check(status, decoder, .png)
            return LevelMap(uncheckedWidth: width, height: height, levels: levels)
        }
    }
}
