import Testing

@testable import Pipeline

@Suite struct BootstrapTests {
    @Test func percentilesAreThoseOfNumPy() throws {
        let expected = EvaluationFixtures.shared.bootstrap
        let bootstrap = Bootstrap(count: expected.count, seed: expected.seed)
        let draws = Bootstrap.Draws(bootstrap, images: expected.values.count)
        let interval = try #require(bootstrap.interval(draws, meanOf: expected.values))
        #expect(abs(interval.low - expected.low) < 1e-12)
        #expect(abs(interval.high - expected.high) < 1e-12)
    }

    @Test func nothingToResampleHasNoInterval() {
        #expect(Bootstrap().interval(Bootstrap.Draws(Bootstrap(), images: 0), meanOf: []) == nil)
        let none = Bootstrap(count: 0)
        #expect(none.interval(Bootstrap.Draws(none, images: 3), meanOf: [1, 2, 3]) == nil)
        let draws = Bootstrap.Draws(Bootstrap(), images: 2)
        #expect(Bootstrap().interval(draws) { _ in nil } == nil)
    }

    /// With every weight 1 the bins give the exact figures when no two levels share a bin, and nearly so otherwise.
    @Test func binsKeepTheOrderOfPixels() throws {
        let parts = try EvaluationFixtures.shared.pixels.filter { $0.levels.count > 500 }.map { try $0.histogram }
        var sums = ScoreSums()
        for part in parts { sums.add(part) }
        let exact = ScoreHistogram(sums)
        let bins = RankBins(sums)
        let pooled = RankBins.pooled(
            parts.map(bins.counts), weights: [UInt16](repeating: 1, count: parts.count)[...])
        #expect(pooled.positives == exact.positives && pooled.negatives == exact.negatives)
        #expect(abs(try #require(pooled.areaUnderROC) - #require(exact.areaUnderROC)) < 1e-4)
        #expect(abs(try #require(pooled.averagePrecision) - #require(exact.averagePrecision)) < 1e-3)
        let doubled = RankBins.pooled(
            parts.map(bins.counts), weights: [UInt16](repeating: 2, count: parts.count)[...])
        #expect(doubled.positives == 2 * exact.positives)
    }
}
