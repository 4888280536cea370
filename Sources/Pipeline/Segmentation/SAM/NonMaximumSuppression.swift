/// Of boxes that overlap much only the best.
enum NonMaximumSuppression {
    /// A box's outermost pixels: both ends belong to it, and its area is the product of the differences, as published.
    struct Box: Sendable, Hashable {
        var left: Double
        var top: Double
        var right: Double
        var bottom: Double

        var area: Double { (right - left) * (bottom - top) }

        func intersectionOverUnion(_ other: Box) -> Double {
            let width = max(0, min(right, other.right) - max(left, other.left))
            let height = max(0, min(bottom, other.bottom) - max(top, other.top))
            let intersection = width * height
            // Not a number for two boxes without area: such boxes suppress nothing.
            return intersection / (area + other.area - intersection)
        }
    }

    /// The boxes to keep, best first: a box goes when a better one that stays overlaps it by more than `threshold`
    /// (intersection over union). Of equal scores the earlier box is the better.
    /// - Precondition: as many scores as boxes, none of them not a number.
    static func keep(_ boxes: [Box], scores: [Double], threshold: Double) -> [Int] {
        precondition(boxes.count == scores.count, "every box has a score")
        let order = boxes.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        var kept: [Int] = []
        for index in order {
            let overlaps = kept.contains { boxes[$0].intersectionOverUnion(boxes[index]) > threshold }
            if !overlaps { kept.append(index) }
        }
        return kept
    }
}

extension NonMaximumSuppression.Box {
    init(_ box: BoundingBox) {
        left = Double(box.x)
        top = Double(box.y)
        right = Double(max(box.right - 1, box.x))
        bottom = Double(max(box.bottom - 1, box.y))
    }
}
