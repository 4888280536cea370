import Foundation
import Testing

@testable import Pipeline

@Suite struct DistanceTransformTests {
    /// The definition: the least distance to a pixel that is not set, one ring around the image included.
    static func bruteForce(_ dense: DenseMask) -> [Double] {
        var unset: [(x: Int, y: Int)] = []
        for y in -1...dense.height {
            for x in -1...dense.width {
                let inside = (0..<dense.width).contains(x) && (0..<dense.height).contains(y)
                if !inside || !dense.pixels[y * dense.width + x] { unset.append((x, y)) }
            }
        }
        return dense.pixels.indices.filter { dense.pixels[$0] }.map { index in
            let (x, y) = (index % dense.width, index / dense.width)
            let squares = unset.map { ($0.x - x) * ($0.x - x) + ($0.y - y) * ($0.y - y) }
            return Double(squares.min() ?? 0).squareRoot()
        }
    }

    static let shapes: [DenseMask] =
        denseMasks + [
            shape(41, 37) { x, y in (x - 20) * (x - 20) + (y - 18) * (y - 18) < 300 },
            shape(50, 30) { x, y in (x - 25) * (x - 25) + (y - 15) * (y - 15) < 220 && !(x == 22 && y == 14) },
            shape(30, 60) { x, y in abs(x - 15) + abs(y - 30) < 14 || y < 6 },
            shape(64, 9) { x, _ in x > 2 }, shape(9, 64) { _, y in y % 20 != 0 },
            shape(35, 35) { x, y in (x / 7 + y / 5) % 2 == 0 },
        ]

    private static func shape(_ width: Int, _ height: Int, _ isSet: (Int, Int) -> Bool) -> DenseMask {
        DenseMask(Mask(width: width, height: height, where: isSet))
    }

    @Test(arguments: shapes) func equalsBruteForce(_ dense: DenseMask) {
        let distances = DistanceTransform(dense.mask).distances
        #expect(distances == Self.bruteForce(dense).map { Float($0) })
    }

    /// What SciPy found for a mask made by a formula (Tests/Fixtures/masks.py).
    struct Reference: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let width: Int
        let height: Int
        let area: Int
        let sum: Int
        let largest: Int
        let samples: [Int]
        var testDescription: String { name }
    }

    private static func noise(_ x: Int, _ y: Int, unset: Int) -> Bool {
        ((x &* 73_856_093 ^ y &* 19_349_663) &* 2_654_435_761 & 0xffff_ffff) % 100_000 >= unset
    }

    private static let patterns: [String: @Sendable (Int, Int) -> Bool] = [
        "noise of 1 in 2": { noise($0, $1, unset: 50000) }, "noise of 1 in 100": { noise($0, $1, unset: 1000) },
        "noise of 1 in 3000": { noise($0, $1, unset: 33) },
        "noise beside a plain": { $0 > 600 || noise($0, $1, unset: 300) },
        "disc": { ($0 - 450) * ($0 - 450) + ($1 - 390) * ($1 - 390) < 144_400 },
        "ring": {
            ($0 - 450) * ($0 - 450) + ($1 - 390) * ($1 - 390) < 144_400
                && ($0 - 500) * ($0 - 500) + ($1 - 380) * ($1 - 380) > 8100
        },
        "rows of 95": { $1 % 96 != 0 }, "rows of 97": { $1 % 98 != 0 }, "columns of 95": { x, _ in x % 96 != 0 },
        "columns of 98": { x, _ in x % 99 != 0 }, "steps": { $1 < 40 + $0 / 50 * 35 }, "everything": { _, _ in true },
    ]

    private static let references: [Reference] =
        (try? JSONDecoder().decode(
            [Reference].self,
            from: Data(
                contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(
                    path: "../../Fixtures/masks.json")))) ?? []

    @Test func thereAreReferences() { #expect(Self.references.count == Self.patterns.count) }

    @Test(arguments: references) func equalsSciPy(_ reference: Reference) throws {
        let pattern = try #require(Self.patterns[reference.name])
        let mask = Mask(width: reference.width, height: reference.height, where: pattern)
        let distances = DistanceTransform(mask).distances
        let squares = distances.map { Int((Double($0) * Double($0)).rounded()) }
        #expect(zip(distances, squares).allSatisfy { $0 == Float($1).squareRoot() })
        #expect(mask.area == reference.area && squares.count == reference.area)
        #expect(squares.reduce(0, +) == reference.sum && squares.max() == reference.largest)
        #expect(stride(from: 0, to: squares.count, by: 997).map { squares[$0] } == reference.samples)
    }

    @Test func bordersCountAsOutside() {
        // A full image of 5 x 3: the middle row is two pixels from the rows outside, its ends one from the columns outside.
        let full = Mask(width: 5, height: 3) { _, _ in true }
        #expect(DistanceTransform(full).distances == [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1])
    }

    @Test func diagonalsAreEuclidean() {
        // One pixel missing in the middle of a large square: its diagonal neighbour is the square root of 2 away.
        let mask = Mask(width: 41, height: 41) { x, y in x != 20 || y != 20 }
        let transform = DistanceTransform(mask).distances
        var index = 0
        mask.forEachPixelIndex { pixel in
            if pixel == 21 * 41 + 21 { #expect(transform[index] == Float(2).squareRoot()) }
            if pixel == 24 * 41 + 23 { #expect(transform[index] == 5) }
            index += 1
        }
        #expect(index == mask.area)
    }
}
