/// What is known about every pixel of an image. Rows from the top.
public struct PixelTruth: Sendable, Hashable {
    public enum Class: UInt8, Sendable, Hashable {
        case authentic
        case manipulated
        /// Not scored.
        case ignored
    }

    public let width: Int
    public let height: Int
    /// `width * height` classes in row-major order.
    public let classes: [Class]

    /// Manipulated where the mask is set, authentic elsewhere.
    public init(_ mask: BinaryMask) {
        width = mask.width
        height = mask.height
        classes = mask.values.map { $0 ? .manipulated : .authentic }
    }

    /// A band along the outline is ignored: a pixel is manipulated when all of its square neighbourhood of `2 · eroded + 1`
    /// pixels a side is, authentic when all of that of `2 · dilated + 1` is. Neighbourhoods end at the image's border.
    init(_ mask: BinaryMask, eroded: Int, dilated: Int) {
        let rest = BinaryMask(uncheckedWidth: mask.width, height: mask.height, values: mask.values.map { !$0 })
        let outside = rest.grown(by: eroded)
        let reached = mask.grown(by: dilated)
        width = mask.width
        height = mask.height
        classes = zip(outside.values, reached.values).map { outside, reached in
            !outside ? .manipulated : reached ? .ignored : .authentic
        }
    }
}
