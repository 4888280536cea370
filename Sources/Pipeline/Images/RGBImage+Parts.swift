extension RGBImage {
    /// A part of the picture.
    ///
    /// - Throws: `RasterError.outside` when the part is empty or not inside the picture.
    public func cropped(x: Int, y: Int, width: Int, height: Int) throws(RasterError) -> RGBImage {
        guard x >= 0, y >= 0, width > 0, height > 0, x <= self.width, y <= self.height, width <= self.width - x,
            height <= self.height - y
        else { throw .outside(x: x, y: y, width: width, height: height) }
        var part: [UInt8] = []
        part.reserveCapacity(3 * width * height)
        for row in y..<(y + height) {
            let start = 3 * (row * self.width + x)
            part += pixels[start..<(start + 3 * width)]
        }
        return RGBImage(uncheckedWidth: width, height: height, pixels: part)
    }

    /// The picture continued to the right and downwards by its mirror image, as often as it takes. Edge pixels are not
    /// repeated; a single row or column is.
    ///
    /// - Throws: `RasterError.badSize` when a side would become shorter.
    public func reflected(width: Int, height: Int) throws(RasterError) -> RGBImage {
        try checkSize(width: width, height: height)
        guard width >= self.width, height >= self.height else { throw .badSize(width: width, height: height) }
        guard width > self.width || height > self.height else { return self }
        let columns = (0..<width).map { 3 * reflectedIndex($0, count: self.width) }
        var continued: [UInt8] = []
        continued.reserveCapacity(3 * width * height)
        for y in 0..<height {
            let row = 3 * self.width * reflectedIndex(y, count: self.height)
            for column in columns { continued += pixels[(row + column)..<(row + column + 3)] }
        }
        return RGBImage(uncheckedWidth: width, height: height, pixels: continued)
    }
}

/// The place of `index` on a path that runs to and fro over `0..<count`: 0 1 2 1 0 1 2 … for three.
func reflectedIndex(_ index: Int, count: Int) -> Int {
    guard count > 1 else { return 0 }
    let phase = index % (2 * (count - 1))
    return min(phase, 2 * (count - 1) - phase)
}
