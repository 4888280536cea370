/// A picture of an image, its truth and its maps side by side, small, for the report's gallery.
struct ThumbnailStrip: Sendable {
    /// The size of every part.
    let width: Int
    let height: Int
    private var parts: [RGBImage]

    /// - Throws: `RasterError`.
    init(_ image: RGBImage, _ truth: BinaryMask, side: Int) throws(RasterError) {
        (width, height) = Self.size(width: image.width, height: image.height, side: side)
        let mask = RGBImage(
            uncheckedWidth: truth.width, height: truth.height,
            pixels: truth.values.flatMap { [UInt8](repeating: $0 ? 255 : 0, count: 3) })
        parts = [
            try image.resized(width: width, height: height), try mask.resized(width: width, height: height),
        ]
    }

    /// The size of an image's parts.
    static func size(width: Int, height: Int, side: Int) -> (width: Int, height: Int) {
        let scale = min(1, Double(side) / Double(max(width, height)))
        return (max(1, Int((Double(width) * scale).rounded())), max(1, Int((Double(height) * scale).rounded())))
    }

    /// Adds a map in the heat map's colours.
    /// - Throws: `RasterError`.
    mutating func add(_ map: LevelMap, row: String) throws(RasterError) {
        let small = try map.floatMap.resized(width: width, height: height, antialias: true)
        parts.append(
            RGBImage(
                uncheckedWidth: width, height: height,
                pixels: small.values.flatMap { value in
                    let (red, green, blue) = ColorMap.color(value)
                    return [red, green, blue]
                }))
    }

    /// Writes the parts beside each other as a PNG file.
    /// - Throws: `ImageError` with `.unwritable`.
    func write(to path: String) throws(ImageError) {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * width * height * parts.count)
        for y in 0..<height {
            for part in parts { pixels += part.pixels[3 * width * y..<3 * width * (y + 1)] }
        }
        try PNGWriter.write(
            RGBImage(uncheckedWidth: width * parts.count, height: height, pixels: pixels), to: path)
    }
}
