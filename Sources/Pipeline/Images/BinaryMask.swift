/// Yes or no for every pixel, one byte each: a region ready to be drawn, turned, resized or written. Rows from the top.
public struct BinaryMask: Sendable, Hashable {
    /// Values in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `width * height` values in row-major order.
    public let values: [Bool]

    /// - Throws: `RasterError.sizeMismatch` unless both sides are positive and `values` has `width * height` elements.
    public init(width: Int, height: Int, values: [Bool]) throws(RasterError) {
        try checkRaster(width: width, height: height, channels: 1, count: values.count)
        self.init(uncheckedWidth: width, height: height, values: values)
    }

    init(uncheckedWidth width: Int, height: Int, values: [Bool]) {
        assert(values.count == width * height)
        self.width = width
        self.height = height
        self.values = values
    }

    /// The value in column `x` of row `y`, both counted from the top left corner.
    public subscript(x: Int, y: Int) -> Bool {
        precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel outside the mask")
        return values[y * width + x]
    }
}
