import Testing

@testable import Pipeline

@Suite struct NonMaximumSuppressionTests {
    private typealias Box = NonMaximumSuppression.Box

    /// The definition, from the other side: strike out whatever a better remaining box covers, again and again.
    private static func bruteForce(_ boxes: [Box], _ scores: [Double], _ threshold: Double) -> [Int] {
        var rest = Array(boxes.indices)
        var kept: [Int] = []
        while !rest.isEmpty {
            var best = rest[0]
            for index in rest where scores[index] > scores[best] { best = index }
            kept.append(best)
            rest.removeAll { index in
                guard index != best else { return true }
                let (a, b) = (boxes[index], boxes[best])
                let width = min(a.right, b.right) - max(a.left, b.left)
                let height = min(a.bottom, b.bottom) - max(a.top, b.top)
                guard width > 0, height > 0 else { return false }
                let union =
                    (a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - width * height
                return width * height / union > threshold
            }
        }
        return kept
    }

    @Test(arguments: [0.1, 0.5, 0.7], [1, 2, 3]) func equalsBruteForce(_ threshold: Double, _ seed: Int) {
        let numbers = DenseMask(width: 400, height: 6, chance: 0.5, seed: UInt64(seed)).pixels
        func number(_ index: Int) -> Double {
            Double((0..<6).reduce(0) { 2 * $0 + (numbers[(index * 6 + $1) % numbers.count] ? 1 : 0) })
        }
        let boxes = (0..<80).map { index in
            Box(
                left: number(5 * index) / 8, top: number(5 * index + 1) / 8, right: 40 + number(5 * index + 2) / 2,
                bottom: 40 + number(5 * index + 3) / 2)
        }
        // Few different scores, so that many are equal.
        let scores = (0..<80).map { (number(5 * $0 + 4) / 8).rounded() }
        let kept = NonMaximumSuppression.keep(boxes, scores: scores, threshold: threshold)
        #expect(kept == Self.bruteForce(boxes, scores, threshold))
        #expect(kept.count < boxes.count)
    }

    @Test func boxesWithoutAreaSuppressNothing() {
        let point = Box(BoundingBox(x: 3, y: 4, width: 1, height: 1))
        #expect(NonMaximumSuppression.keep([point, point], scores: [1, 2], threshold: 0.7) == [1, 0])
        #expect(NonMaximumSuppression.keep([], scores: [], threshold: 0.7) == [])
    }
}
