import Testing

@testable import Pipeline

/// Masks as plain arrays of pixels, against which the run lengths are held.
struct DenseMask: Sendable, CustomStringConvertible {
    var width: Int
    var height: Int
    var pixels: [Bool]

    /// Seeded noise: each pixel is set with the given chance (a linear congruential generator, upper bits).
    init(width: Int, height: Int, chance: Double, seed: UInt64) {
        var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
        self.width = width
        self.height = height
        pixels = (0..<width * height).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 33) / Double(1 << 31) < chance
        }
    }

    init(_ rows: String...) {
        width = rows.first?.count ?? 0
        height = rows.count
        pixels = rows.joined().map { $0 == "#" }
    }

    init(_ mask: Mask) {
        width = mask.width
        height = mask.height
        pixels = mask.dense(in: BoundingBox(x: 0, y: 0, width: mask.width, height: mask.height))
    }

    var mask: Mask { Mask(width: width, height: height) { x, y in pixels[y * width + x] } }

    func combined(_ other: DenseMask, _ rule: (Bool, Bool) -> Bool) -> DenseMask {
        var result = self
        result.pixels = zip(pixels, other.pixels).map(rule)
        return result
    }

    /// Components by flood fill from the first pixel on.
    func components(_ connectivity: Mask.Connectivity) -> [DenseMask] {
        var rest = pixels
        var components: [DenseMask] = []
        while let seed = rest.firstIndex(of: true) {
            var component = self
            component.pixels = rest.map { _ in false }
            var open = [seed]
            rest[seed] = false
            while let index = open.popLast() {
                component.pixels[index] = true
                for dy in -1...1 {
                    for dx in -1...1 where connectivity == .eight || dx == 0 || dy == 0 {
                        let (x, y) = (index % width + dx, index / width + dy)
                        guard (0..<width).contains(x), (0..<height).contains(y), rest[y * width + x] else { continue }
                        rest[y * width + x] = false
                        open.append(y * width + x)
                    }
                }
            }
            components.append(component)
        }
        return components
    }

    var description: String { "\(width) x \(height), \(pixels.count { $0 }) set" }
}

/// Noise of several densities, and sizes down to one row or column.
let denseMasks: [DenseMask] = [
    DenseMask(width: 1, height: 1, chance: 0, seed: 1), DenseMask(width: 1, height: 1, chance: 1, seed: 2),
    DenseMask(width: 17, height: 1, chance: 0.6, seed: 3), DenseMask(width: 1, height: 19, chance: 0.6, seed: 4),
    DenseMask(width: 23, height: 31, chance: 0.1, seed: 5), DenseMask(width: 31, height: 23, chance: 0.5, seed: 6),
    DenseMask(width: 40, height: 25, chance: 0.9, seed: 7), DenseMask(width: 12, height: 12, chance: 1, seed: 8),
    DenseMask(width: 33, height: 27, chance: 0.98, seed: 9),
]

@Suite struct MaskTests {
    @Test(arguments: denseMasks) func denseRoundTrip(_ dense: DenseMask) {
        let mask = dense.mask
        #expect(DenseMask(mask).pixels == dense.pixels)
        #expect(mask.binaryMask.values == dense.pixels)
        #expect(Mask(mask.binaryMask) == mask)
        #expect(mask.area == dense.pixels.count { $0 })
        let set = dense.pixels.indices.filter { dense.pixels[$0] }
        let xs = set.map { $0 % dense.width }
        let ys = set.map { $0 / dense.width }
        let box = mask.boundingBox
        #expect(box.x == xs.min() ?? 0 && box.y == ys.min() ?? 0)
        #expect(box.right == (xs.max() ?? -1) + 1 && box.bottom == (ys.max() ?? -1) + 1)
        for (index, isSet) in dense.pixels.enumerated() {
            #expect(mask.contains(x: index % dense.width, y: index / dense.width) == isSet)
        }
        #expect(!mask.contains(x: -1, y: 0) && !mask.contains(x: 0, y: dense.height))
        // Runs are maximal: no two of a row touch.
        for (a, b) in zip(mask.runs, mask.runs.dropFirst()) {
            #expect(a.row < b.row || (a.row == b.row && a.end < b.start))
        }
    }

    @Test(arguments: denseMasks) func boxesMayReachBeyondTheImage(_ dense: DenseMask) {
        let box = BoundingBox(x: -2, y: 1, width: dense.width + 1, height: dense.height + 3)
        let part = dense.mask.dense(in: box)
        for y in 0..<box.height {
            for x in 0..<box.width {
                let (column, row) = (x + box.x, y + box.y)
                let inside = (0..<dense.width).contains(column) && (0..<dense.height).contains(row)
                #expect(part[y * box.width + x] == (inside && dense.pixels[row * dense.width + column]))
            }
        }
    }

    @Test(arguments: denseMasks) func setOperations(_ dense: DenseMask) {
        let other = DenseMask(width: dense.width, height: dense.height, chance: 0.4, seed: 77)
        let (a, b) = (dense.mask, other.mask)
        let both = dense.combined(other) { $0 && $1 }
        let either = dense.combined(other) { $0 || $1 }
        #expect(a.union(b) == either.mask)
        #expect(a.intersection(b) == both.mask)
        #expect(a.subtracting(b) == dense.combined(other) { $0 && !$1 }.mask)
        #expect(a.complement == dense.combined(other) { first, _ in !first }.mask)
        #expect(a.intersectionArea(b) == both.mask.area)
        let expected = either.mask.area == 0 ? 1 : Double(both.mask.area) / Double(either.mask.area)
        #expect(a.intersectionOverUnion(b) == expected)
    }

    @Test(arguments: denseMasks, [Mask.Connectivity.four, .eight])
    func componentsEqualFloodFill(_ dense: DenseMask, _ connectivity: Mask.Connectivity) {
        #expect(dense.mask.components(connectivity: connectivity) == dense.components(connectivity).map(\.mask))
        let large = dense.components(connectivity).map(\.mask).filter { $0.area >= 4 }
        #expect(dense.mask.components(connectivity: connectivity, minimumArea: 4) == large)
    }

    @Test func componentsThatMeetLate() {
        // A comb and a spiral: runs that look apart for many rows.
        let comb = DenseMask("#.#.#.#", "#.#.#.#", "#######")
        #expect(comb.mask.components(connectivity: .four).count == 1)
        let diagonal = DenseMask("#..#", ".##.", "#..#")
        #expect(diagonal.mask.components(connectivity: .four).count == 5)
        #expect(diagonal.mask.components(connectivity: .eight).count == 1)
        let spiral = DenseMask("#######", "......#", "#####.#", "#...#.#", "#.###.#", "#.....#", "#######")
        #expect(spiral.mask.components(connectivity: .four).count == 1)
    }

    @Test func buildersJoinWhatTouches() {
        var builder = MaskBuilder(width: 10, height: 3)
        builder.append(row: -1, columns: 0..<3)
        builder.append(row: 1, columns: -4..<2)
        builder.append(row: 1, columns: 2..<4)
        builder.append(row: 1, columns: 3..<4)
        builder.append(row: 1, columns: 8..<40)
        builder.append(row: 1, columns: 9..<9)
        builder.append(row: 3, columns: 0..<3)
        let mask = builder.build()
        #expect(mask.runs == [Mask.Run(row: 1, start: 0, end: 4), Mask.Run(row: 1, start: 8, end: 10)])
        #expect(mask.area == 6)
        #expect(mask.boundingBox == BoundingBox(x: 0, y: 1, width: 10, height: 1))
    }

    @Test(arguments: denseMasks, [(7, 5), (1, 1), (64, 100), (40, 25)])
    func resizingTakesThePixelUnderTheCentre(_ dense: DenseMask, _ size: (width: Int, height: Int)) {
        let expected = Mask(width: size.width, height: size.height) { x, y in
            let column = Int(((Double(x) + 0.5) * Double(dense.width) / Double(size.width)).rounded(.down))
            let row = Int(((Double(y) + 0.5) * Double(dense.height) / Double(size.height)).rounded(.down))
            return dense.pixels[row * dense.width + column]
        }
        #expect(dense.mask.resized(width: size.width, height: size.height) == expected)
    }

    @Test func smallIslandsAndHoles() {
        let mask = DenseMask(
            "####....#",
            "#.##....#",
            "####.....",
            "####..#.."
        ).mask
        #expect(mask.fillingHoles(smallerThan: 2).area == mask.area + 1)
        #expect(mask.fillingHoles(smallerThan: 1) == mask)
        let large = mask.removingIslands(smallerThan: 3)
        #expect(large.area == 15 && large.boundingBox == BoundingBox(x: 0, y: 0, width: 4, height: 4))
        #expect(mask.removingIslands(smallerThan: 2).area == 17)
        // All are smaller: the largest stays.
        #expect(mask.removingIslands(smallerThan: 100) == large)
        #expect(Mask(width: 4, height: 4).removingIslands(smallerThan: 5).isEmpty)
    }

    @Test func thresholds() throws {
        let map = try FloatMap(width: 3, height: 1, values: [0.2, 0.5, .nan])
        #expect(Mask(map, atLeast: 0.5).runs == [Mask.Run(row: 0, start: 1, end: 2)])
    }
}
