/// A picture of 8-bit red, green and blue values: rows from the top, pixels interleaved, nothing between rows.
public struct RGBImage: Sendable, Hashable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `3 * width * height` values, R, G, B of the first pixel first.
    public let pixels: [UInt8]

    /// - Throws: `RasterError.sizeMismatch` unless both sides are positive and `pixels` has `3 * width * height` values.
    public init(width: Int, height: Int, pixels: [UInt8]) throws(RasterError) {
        try checkRaster(width: width, height: height, channels: 3, count: pixels.count)
        self.init(uncheckedWidth: width, height: height, pixels: pixels)
    }

    init(uncheckedWidth width: Int, height: Int, pixels: [UInt8]) {
        assert(pixels.count == 3 * width * height)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The pixel in column `x` of row `y`, both counted from the top left corner.
    public subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel outside the picture")
        let index = 3 * (y * width + x)
        return (pixels[index], pixels[index + 1], pixels[index + 2])
    }
}

/// A picture, map or mask was asked to be what it cannot be.
public enum RasterError: Error, Sendable, Hashable, CustomStringConvertible {
    case sizeMismatch(width: Int, height: Int, channels: Int, count: Int)
    case differentSizes(what: String, width: Int, height: Int, wantedWidth: Int, wantedHeight: Int)
    case badSize(width: Int, height: Int)
    case outside(x: Int, y: Int, width: Int, height: Int)

    public var description: String {
        switch self {
        case .sizeMismatch(let width, let height, let channels, let count):
            "\(count) values do not make \(width) × \(height) pixels of \(channels) channel(s)"
        case .differentSizes(let what, let width, let height, let wantedWidth, let wantedHeight):
            "\(what) has \(width) × \(height) pixels where \(wantedWidth) × \(wantedHeight) are wanted"
        case .badSize(let width, let height):
            "a picture or map cannot have \(width) × \(height) pixels"
        case .outside(let x, let y, let width, let height):
            "the part of \(width) × \(height) pixels at (\(x), \(y)) is not inside the picture"
        }
    }
}

/// - Throws: `RasterError.sizeMismatch` unless both sides are positive and their product with `channels` is `count`.
func checkRaster(width: Int, height: Int, channels: Int, count: Int) throws(RasterError) {
    let (area, areaOverflow) = width.multipliedReportingOverflow(by: height)
    let (wanted, overflow) = area.multipliedReportingOverflow(by: channels)
    guard width > 0, height > 0, !areaOverflow, !overflow, wanted == count else {
        throw .sizeMismatch(width: width, height: height, channels: channels, count: count)
    }
}

/// - Throws: `RasterError.badSize` unless both sides are positive and there are at most 2³⁰ pixels.
func checkSize(width: Int, height: Int) throws(RasterError) {
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, area <= 1 << 30 else { throw .badSize(width: width, height: height) }
}
