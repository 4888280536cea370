/// A rectangle by its edges, in pixels of the stored image: pixel (0, 0) covers 0 to 1 in both directions.
public struct PixelBox: Sendable, Hashable, Codable {
    public var left: Double
    public var top: Double
    public var right: Double
    public var bottom: Double

    public init(left: Double, top: Double, right: Double, bottom: Double) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    public var width: Double { right - left }
    public var height: Double { bottom - top }

    /// What may be wrong with a box that was drawn.
    public enum Problem: String, Sendable, Hashable, Codable, CaseIterable {
        /// A coordinate is missing, infinite or not a number; the box is left out.
        case notANumber = "not a number"
        /// It has no area; left out.
        case empty
        /// Nothing of it lies in the image; left out.
        case outside
        /// Its right edge was left of its left one, or its lower edge above its upper one; exchanged.
        case reversed
        /// It reached out of the image; cut.
        case clipped
    }

    /// The box as it can be used in an image, or nil, and what was wrong with it.
    public func fitted(width: Int, height: Int) -> (box: PixelBox?, problems: [Problem]) {
        guard [left, top, right, bottom].allSatisfy(\.isFinite) else { return (nil, [.notANumber]) }
        var problems: [Problem] = []
        var box = self
        if right < left || bottom < top {
            problems.append(.reversed)
            box = PixelBox(
                left: min(left, right), top: min(top, bottom), right: max(left, right), bottom: max(top, bottom))
        }
        guard box.left < box.right, box.top < box.bottom else { return (nil, problems + [.empty]) }
        let inside = PixelBox(
            left: max(box.left, 0), top: max(box.top, 0), right: min(box.right, Double(width)),
            bottom: min(box.bottom, Double(height)))
        guard inside.left < inside.right, inside.top < inside.bottom else { return (nil, problems + [.outside]) }
        return (inside, inside == box ? problems : problems + [.clipped])
    }

    /// The pixels whose centres lie inside.
    /// - Precondition: the edges lie within the image, as those of a fitted box do.
    public var pixels: BoundingBox {
        let (x, y) = (Int((left - 0.5).rounded(.up)), Int((top - 0.5).rounded(.up)))
        return BoundingBox(
            x: x, y: y, width: max(Int((right - 0.5).rounded(.up)) - x, 0),
            height: max(Int((bottom - 0.5).rounded(.up)) - y, 0))
    }
}
