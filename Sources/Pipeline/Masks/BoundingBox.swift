/// A rectangle of whole pixels: columns `x ..< x + width`, rows `y ..< y + height`.
public struct BoundingBox: Sendable, Hashable, Codable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The number of pixels.
    public var area: Int { width * height }
    /// The first column to the right of the box.
    public var right: Int { x + width }
    /// The first row below the box.
    public var bottom: Int { y + height }
}
