/// One number a pixel, row-major.
public struct FloatMap: Sendable {
    public var width: Int
    public var height: Int
    public var values: [Float]

    public init(width: Int, height: Int, values: [Float]) {
        precondition(width >= 0 && height >= 0 && values.count == width * height, "a map holds width x height values")
        self.width = width
        self.height = height
        self.values = values
    }

    public init(width: Int, height: Int, repeating value: Float) {
        self.init(width: width, height: height, values: Array(repeating: value, count: width * height))
    }
}
