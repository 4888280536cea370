import Foundation
import Testing

@testable import Pipeline

@Suite struct SimilarityTests {
    /// 7 x 5 with the 5 x 3 block in the middle set: distances 1 on its outline, 2 on the three pixels inside.
    static let block = DenseMask(".......", ".#####.", ".#####.", ".#####.", ".......").mask
    /// 0.1, 0.2, … along each row.
    static let ramp = FloatMap(
        uncheckedWidth: 7, height: 5, values: (0..<35).map { Float($0 % 7 + 1) / 10 })

    @Test func normalisedByHand() throws {
        let ranking = Similarity().rank([Candidate(mask: Self.block)], activation: Self.ramp)
        let region = try #require(ranking.regions.first)
        // Columns 1 … 5 hold 0.2 … 0.6. Outline: two full rows and both ends of the third; inside 0.3 + 0.4 + 0.5, doubled.
        let outline = 2 * (0.2 + 0.3 + 0.4 + 0.5 + 0.6) + 0.2 + 0.6
        let middle = 0.3 + 0.4 + 0.5
        #expect(abs(region.similarity - (outline / 2 + middle) / 15) < 1e-6)
        #expect(abs(region.meanInside - 0.4) < 1e-6)
        // All 35 pixels sum up to 14, the block to 6.
        #expect(abs(region.meanOutside - 8.0 / 20) < 1e-6)

        let raw = Similarity(distance: .raw).rank([Candidate(mask: Self.block)], activation: Self.ramp)
        #expect(abs(raw.regions[0].similarity - (outline + 2 * middle) / 15) < 1e-6)
        let tau = 8 * 35.0.squareRoot() / 384
        let near = Similarity(distance: .proximity).rank([Candidate(mask: Self.block)], activation: Self.ramp)
        let expected = (outline * exp(-1 / tau) + middle * exp(-2 / tau)) / 15
        #expect(abs(near.regions[0].similarity / expected - 1) < 1e-4)
    }

    @Test(arguments: [Similarity.Distance.normalised, .raw, .proximity])
    func equalsTheFormulaOnWholeImages(_ distance: Similarity.Distance) throws {
        let dense = DenseMask(width: 60, height: 45, chance: 0.8, seed: 31)
        let activation = FloatMap(
            uncheckedWidth: 60, height: 45, values: (0..<2700).map { Float(($0 * 7919) % 1000) / 1000 })
        let distances = DistanceTransformTests.bruteForce(dense)
        let values = zip(dense.pixels, activation.values).filter(\.0).map { Double($0.1) }
        let largest = try #require(distances.max())
        let tau = 8 * (60.0 * 45).squareRoot() / 384
        let weights = distances.map { d in
            switch distance {
            case .normalised: d / largest
            case .raw: d
            case .proximity: exp(-d / tau)
            }
        }
        let expected = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count)
        let region = try #require(
            Similarity(distance: distance).rank([Candidate(mask: dense.mask)], activation: activation).regions.first)
        #expect(abs(region.similarity - expected) < 1e-5 * max(expected, 1))
        #expect(abs(region.meanInside - values.reduce(0, +) / Double(values.count)) < 1e-6)
        let rest = zip(dense.pixels, activation.values).filter { !$0.0 }.map { Double($0.1) }
        #expect(abs(region.meanOutside - rest.reduce(0, +) / Double(rest.count)) < 1e-6)
    }

    /// A hundred rectangles of 5 % of a photo of 12 megapixels. In a rectangle the distance is that to its nearest side.
    @Test func aHundredLargeMasks() throws {
        let (width, height) = (4000, 3000)
        let activation = FloatMap(
            uncheckedWidth: width, height: height,
            values: (0..<width * height).map { Float($0 &* 7919 % 1000) / 1000 })
        let boxes = (0..<100).map { index in
            let side = 500 + 8 * index
            return BoundingBox(x: 27 * index, y: 11 * index, width: side, height: 600_000 / side)
        }
        let candidates = boxes.map { box in
            var builder = MaskBuilder(width: width, height: height)
            for row in box.y..<box.bottom { builder.append(row: row, columns: box.x..<box.right) }
            return Candidate(mask: builder.build())
        }
        let ranking = Similarity(limit: 100).rank(candidates, activation: activation)
        #expect(ranking.regions.count == 100)
        for index in [0, 37, 99] {
            let box = boxes[index]
            var (sum, largest) = (0.0, 0)
            for y in box.y..<box.bottom {
                for x in box.x..<box.right {
                    let distance = min(x - box.x + 1, box.right - x, y - box.y + 1, box.bottom - y)
                    largest = max(largest, distance)
                    sum += Double(distance) * Double(activation.values[y * width + x])
                }
            }
            let region = try #require(ranking.regions.first { $0.index == index })
            #expect(abs(region.similarity - sum / Double(largest * box.area)) < 1e-9)
        }
    }

    @Test func sizesOutsideTheLimitsAreDropped() {
        let activation = FloatMap.zero(width: 100, height: 100)
        func candidate(_ count: Int) -> Candidate {
            Candidate(mask: Mask(width: 100, height: 100) { x, y in y * 100 + x < count })
        }
        let ranking = Similarity().rank([0, 9, 10, 9500, 9501].map(candidate), activation: activation)
        #expect(ranking.tooSmall == 2 && ranking.tooLarge == 1)
        #expect(Set(ranking.regions.map(\.index)) == [2, 3])
    }

    @Test func tiesGoToMeanThenAreaThenIndex() {
        // One row or column of pixels has distance 1 throughout, so S is the mean of A: equal for lines on equal values.
        let activation = FloatMap(
            uncheckedWidth: 20, height: 20, values: (0..<400).map { $0 / 20 == 15 ? 0.5 : 0.25 })
        func line(_ y: Int, _ columns: Range<Int>) -> Candidate {
            var builder = MaskBuilder(width: 20, height: 20)
            builder.append(row: y, columns: columns)
            return Candidate(mask: builder.build())
        }
        // A ring one pixel wide around an unset middle: a normalised distance of 1 everywhere.
        let candidates = [line(2, 0..<9), line(5, 0..<6), line(7, 3..<9), line(15, 0..<3)]
        let ranking = Similarity().rank(candidates, activation: activation)
        #expect(ranking.regions.map(\.index) == [3, 1, 2, 0])
        #expect(Similarity(limit: 2).rank(candidates, activation: activation).regions.map(\.index) == [3, 1])
    }

    @Test func higherMeanWinsAmongEqualSimilarities() {
        // In a 3 x 3 square the middle has the normalised distance 1, the ring 1/2. S = (m + r / 2) / 9 with r the ring's sum.
        // Left: m = 0, ring 0.25 each (r = 2): S = 1/9, mean 2/9. Right: m = 1, ring 0: S = 1/9, mean 1/9.
        var values = [Float](repeating: 0, count: 100)
        for y in 1...3 { for x in 1...3 { values[y * 10 + x] = 0.25 } }
        values[2 * 10 + 2] = 0
        values[6 * 10 + 6] = 1
        let activation = FloatMap(uncheckedWidth: 10, height: 10, values: values)
        let right = Mask(width: 10, height: 10) { x, y in (5...7).contains(x) && (5...7).contains(y) }
        let left = Mask(width: 10, height: 10) { x, y in (1...3).contains(x) && (1...3).contains(y) }
        let ranking = Similarity().rank([Candidate(mask: right), Candidate(mask: left)], activation: activation)
        #expect(ranking.regions[0].similarity == ranking.regions[1].similarity)
        #expect(ranking.regions.map(\.index) == [1, 0])
    }
}
