import Foundation

/// The manipulated pixels of an image.
public struct GroundTruth: Sendable {
    /// As large as the image. Empty for an authentic image.
    public let mask: BinaryMask
    /// The mask file's own size, when it is not the image's: it was resized by the nearest neighbour.
    public let resizedFrom: (width: Int, height: Int)?
    /// What is odd about the mask file.
    public let warnings: [String]
}

extension Dataset {
    /// Which pixels of a mask file are manipulated. Grey is ITU-R BT.601's luma of red, green and blue, rounded.
    public enum MaskRule: Sendable, Hashable {
        /// Grey values above a number.
        case above(UInt8)
        /// Green values above a number.
        case greenAbove(UInt8)
        /// Grey values below 128: white is authentic.
        case blackIsTampered

        func mask(of picture: RGBImage) -> BinaryMask {
            picture.pixels.withUnsafeBufferPointer { pixels in
                let values = [Bool](unsafeUninitializedCapacity: picture.width * picture.height) { values, count in
                    count = picture.width * picture.height
                    for index in 0..<count {
                        let red = Int(pixels[3 &* index])
                        let green = Int(pixels[3 &* index &+ 1])
                        let blue = Int(pixels[3 &* index &+ 2])
                        let grey = (299 &* red &+ 587 &* green &+ 114 &* blue &+ 500) / 1000
                        let isManipulated =
                            switch self {
                            case .above(let limit): grey > Int(limit)
                            case .greenAbove(let limit): green > Int(limit)
                            case .blackIsTampered: grey < 128
                            }
                        values.initializeElement(at: index, to: isManipulated)
                    }
                }
                return BinaryMask(uncheckedWidth: picture.width, height: picture.height, values: values)
            }
        }
    }

    /// The manipulated pixels of a sample, on its image's stored grid.
    ///
    /// - Parameters:
    ///   - width: of the image in pixels.
    ///   - height: of the image in pixels.
    /// - Throws: `ImageError` for the mask's file; `RasterError.badSize`.
    public func truth(of sample: Sample, width: Int, height: Int) throws -> GroundTruth {
        try checkSize(width: width, height: height)
        guard case .mask(let url, let rule) = sample.truth else {
            let empty = BinaryMask(
                uncheckedWidth: width, height: height, values: [Bool](repeating: false, count: width * height))
            return GroundTruth(mask: empty, resizedFrom: nil, warnings: [])
        }
        let file = try ImageFile.load(url)
        let stored = rule.mask(of: file.image)
        var warnings: [String] = []
        if case .above(let limit) = rule, let largest = file.image.pixels.max(), largest > 0, largest <= limit {
            warnings.append("no pixel of the mask is above \(limit); its largest value is \(largest)")
        }
        guard stored.width != width || stored.height != height else {
            return GroundTruth(mask: stored, resizedFrom: nil, warnings: warnings)
        }
        return GroundTruth(
            mask: try stored.resized(width: width, height: height), resizedFrom: (stored.width, stored.height),
            warnings: warnings)
    }
}
