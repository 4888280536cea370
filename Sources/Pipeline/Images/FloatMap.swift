/// One number for every pixel: an activation map, a heat map. Rows from the top.
public struct FloatMap: Sendable, Hashable {
    /// Values in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `width * height` values in row-major order.
    public var values: [Float] {
        didSet { precondition(values.count == width * height, "a map's size is fixed") }
    }

    /// - Throws: `RasterError.sizeMismatch` unless both sides are positive and `values` has `width * height` elements.
    public init(width: Int, height: Int, values: [Float]) throws(RasterError) {
        try checkRaster(width: width, height: height, channels: 1, count: values.count)
        self.init(uncheckedWidth: width, height: height, values: values)
    }

    init(uncheckedWidth width: Int, height: Int, values: [Float]) {
        assert(values.count == width * height)
        self.width = width
        self.height = height
        self.values = values
    }

    /// The value in column `x` of row `y`, both counted from the top left corner.
    public subscript(x: Int, y: Int) -> Float {
        precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel outside the map")
        return values[y * width + x]
    }
}
