/// Eight bits a channel, red, green, blue interleaved, row-major.
public struct RGBImage: Sendable {
    public let width: Int
    public let height: Int
    public var pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width >= 0 && height >= 0 && pixels.count == width * height * 3, "an image holds three bytes a pixel")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
