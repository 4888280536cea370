/// What a file may ask for. Checked against its header, before memory is taken for pixels.
public struct ImageLimits: Sendable, Hashable {
    /// Pixels of a picture, at most 2³¹. The default of 100 × 1024² admits the 102 million of cameras sold as 100 megapixels.
    public var maximumPixels: Int
    /// Pixels of a side. The default is the most that a JPEG encoder takes, and error levels are taken with one.
    public var maximumSide: Int
    /// Bytes of a file.
    public var maximumFileBytes: Int

    public init(
        maximumPixels: Int = 100 << 20, maximumSide: Int = ErrorLevels.maximumSide, maximumFileBytes: Int = 1 << 30
    ) {
        self.maximumPixels = maximumPixels
        self.maximumSide = maximumSide
        self.maximumFileBytes = maximumFileBytes
    }

    func check(width: Int, height: Int) throws(ImageError.Problem) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        let limit = min(maximumPixels, 1 << 31)
        guard !overflow, pixels <= limit else { throw .tooManyPixels(width: width, height: height, limit: limit) }
        guard max(width, height) <= maximumSide else {
            throw .sideTooLong(width: width, height: height, limit: maximumSide)
        }
    }
}

extension ImageError.Problem: Error {}
