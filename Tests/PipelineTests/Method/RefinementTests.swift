import Foundation
import Testing

@testable import Pipeline

@Suite struct RefinementTests {
    /// Four pixels, the first two in the region.
    static let mask = DenseMask("##..").mask
    static func activation() -> FloatMap { FloatMap(uncheckedWidth: 4, height: 1, values: [0.8, 0.6, 0.4, 0]) }

    private func refined(_ refinement: Refinement) -> [Float] {
        var map = Self.activation()
        #expect(refinement.apply(to: &map, mask: Self.mask) == nil)
        return map.values
    }

    private func expectClose(_ values: [Float], _ expected: [Double], _ location: SourceLocation = #_sourceLocation) {
        #expect(values.count == expected.count, sourceLocation: location)
        for (value, wanted) in zip(values, expected) {
            #expect(abs(Double(value) - wanted) < 2e-6, "\(values) is not \(expected)", sourceLocation: location)
        }
    }

    @Test func evidenceByHand() {
        // a = 0.8, 0.6, 0.4, 0.0001. Sum a = 1.8001, inside 1.4. Sum (1 - a) = 2.1999, inside 0.6.
        let l1 = 2.4 / 3.8001
        let l0 = 1.6 / 4.1999
        func inside(_ a: Double) -> Double { a * l1 / (a * l1 + (1 - a) * l0) }
        func outside(_ a: Double) -> Double { a * (1 - l1) / (a * (1 - l1) + (1 - a) * (1 - l0)) }
        expectClose(refined(.evidence), [inside(0.8), inside(0.6), outside(0.4), outside(0.0001)])
        // And with the numbers worked out.
        expectClose(refined(.evidence).prefix(3).map { ($0 * 1000).rounded() / 1000 }, [0.869, 0.713, 0.284])
    }

    @Test func literalByHand() {
        // P(M) = 1/2, so inside a * 2 L1, outside a * 2 (1 - L1).
        let l1 = 2.4 / 3.8001
        expectClose(
            refined(.literal), [min(1, 0.8 * 2 * l1), 0.6 * 2 * l1, 0.4 * 2 * (1 - l1), 0.0001 * 2 * (1 - l1)])
    }

    @Test func gateAndNone() {
        #expect(refined(.gate) == [0.8, 0.6, 0, 0])
        #expect(refined(.none) == [0.8, 0.6, 0.4, 0])
    }

    @Test func histogramByHand() {
        // 32 bins: 0.8 → 25, 0.6 → 19, 0.4 → 12, 0 → 0. Each holds one pixel: inside (1 + 1) / (2 + 32), outside 1 / 34, or reversed.
        expectClose(refined(.histogram), [2.0 / 3, 2.0 / 3, 1.0 / 3, 1.0 / 3])
    }

    @Test func literalIsLimitedToOne() {
        var map = FloatMap(uncheckedWidth: 10, height: 1, values: [0.9] + [Float](repeating: 0.05, count: 9))
        _ = Refinement.literal.apply(to: &map, mask: DenseMask("#.........").mask)
        // a L1 / P(M) = 0.9 * (1.9 / 3.35) * 10 = 5.1
        #expect(map.values[0] == 1)
    }

    /// On many pixels the pseudo-counts do not matter: logit H = logit a + logit(mean a in the region) - logit(mean a).
    @Test func evidenceAddsLogits() {
        let (width, height) = (200, 100)
        let mask = Mask(width: width, height: height) { x, y in x < 60 && y > 25 }
        let dense = DenseMask(mask).pixels
        var map = FloatMap(
            uncheckedWidth: width, height: height,
            values: dense.enumerated().map { ($1 ? 0.6 : 0.2) + Float(($0 * 31) % 100) / 400 })
        let before = map.values.map(Double.init)
        func logit(_ p: Double) -> Double { log(p / (1 - p)) }
        let inside = zip(before, dense).filter(\.1).map(\.0)
        let outside = zip(before, dense).filter { !$0.1 }.map(\.0)
        let mean = before.reduce(0, +) / Double(before.count)
        let meanInside = inside.reduce(0, +) / Double(inside.count)
        let meanOutside = outside.reduce(0, +) / Double(outside.count)
        #expect(Refinement.evidence.apply(to: &map, mask: mask) == nil)
        for index in stride(from: 0, to: before.count, by: 97) {
            let region = dense[index] ? meanInside : meanOutside
            let expected = logit(before[index]) + logit(region) - logit(mean)
            #expect(abs(logit(Double(map.values[index])) - expected) < 2e-3)
        }
    }

    /// A region in which A is as everywhere else says nothing: H = A but for the pseudo-counts.
    @Test func evidenceIsTheIdentityForAMaskThatSaysNothing() {
        let mask = Mask(width: 100, height: 100) { x, _ in x % 4 == 0 }
        var map = FloatMap(
            uncheckedWidth: 100, height: 100, values: (0..<10000).map { Float(($0 / 100) % 10) / 20 + 0.05 })
        let before = map.values
        _ = Refinement.evidence.apply(to: &map, mask: mask)
        let change = zip(before, map.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(change > 0 && change < 2e-4)
    }

    @Test(arguments: Refinement.allCases) func unchangedMapsSayWhy(_ refinement: Refinement) {
        let none = refinement == .none
        let full = Mask(width: 4, height: 1) { _, _ in true }
        var map = Self.activation()
        #expect(refinement.apply(to: &map, mask: nil) == (none ? nil : .noMask))
        #expect(refinement.apply(to: &map, mask: Mask(width: 4, height: 1)) == (none ? nil : .noMask))
        #expect(refinement.apply(to: &map, mask: full) == (none ? nil : .maskCoversEverything))
        #expect(map.values == Self.activation().values)
        var flat = FloatMap(uncheckedWidth: 4, height: 1, values: [0.3, 0.3, 0.3, 0.3])
        #expect(refinement.apply(to: &flat, mask: Self.mask) == (none ? nil : .constantActivation))
        #expect(flat.values == [0.3, 0.3, 0.3, 0.3])
    }

    @Test(arguments: Refinement.allCases) func resultsStayInRange(_ refinement: Refinement) {
        let dense = DenseMask(width: 30, height: 20, chance: 0.3, seed: 5)
        var map = FloatMap(uncheckedWidth: 30, height: 20, values: (0..<600).map { Float($0 % 11) / 10 })
        _ = refinement.apply(to: &map, mask: dense.mask)
        #expect(map.values.allSatisfy { (0...1).contains($0) })
    }
}
