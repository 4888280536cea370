/// A picture and what is left of it after a JPEG encoder.
public struct RecompressedImage: Sendable {
    public let original: RGBImage
    public let recompressed: RGBImage
    /// What differences are multiplied with, after division by 255.
    public var gain: Float

    /// The error levels of the whole picture; see `planes(x:y:width:height:)`.
    public func planes() -> [Float] {
        differences(x: 0, y: 0, width: original.width, height: original.height)
    }

    /// The error levels of a part of the picture: planes R, G, B of `gain · (original − recompressed) / 255`, row-major.
    ///
    /// - Throws: `ErrorLevelsError.outside` when the part is empty or not inside the picture.
    public func planes(x: Int, y: Int, width: Int, height: Int) throws(ErrorLevelsError) -> [Float] {
        guard x >= 0, y >= 0, width > 0, height > 0, x <= original.width, y <= original.height,
            width <= original.width - x, height <= original.height - y
        else { throw .outside(x: x, y: y, width: width, height: height) }
        return differences(x: x, y: y, width: width, height: height)
    }

    private func differences(x left: Int, y top: Int, width: Int, height: Int) -> [Float] {
        let scaled = (-255...255).map { gain * (Float($0) / 255) }
        return [Float](unsafeUninitializedCapacity: 3 * width * height) { planes, count in
            original.pixels.withUnsafeBufferPointer { original in
                recompressed.pixels.withUnsafeBufferPointer { recompressed in
                    scaled.withUnsafeBufferPointer { scaled in
                        for channel in 0..<3 {
                            for y in 0..<height {
                                let from = 3 * ((top + y) * self.original.width + left) + channel
                                let to = (channel * height + y) * width
                                for x in 0..<width {
                                    let index = from &+ 3 &* x
                                    let difference = Int(original[index]) &- Int(recompressed[index])
                                    planes[to &+ x] = scaled[difference &+ 255]
                                }
                            }
                        }
                    }
                }
            }
            count = 3 * width * height
        }
    }
}
