import Testing

@testable import Pipeline

@Suite struct ProtocolTests {
    @Test func bandsAreThoseOfSciPyFilters() throws {
        for band in EvaluationFixtures.shared.bands {
            let mask = try BinaryMask(
                width: band.width, height: band.height, values: EvaluationFixtures.flags(band.mask))
            let truth = try EvaluationProtocol.Preparation.banded.truth(mask)
            let classes = truth.classes.map { String($0.rawValue) }.joined()
            #expect(classes == band.classes, "\(band.width) × \(band.height)")
        }
    }

    @Test func truforTakesTheBetterOfMapAndInverse() throws {
        let expected = EvaluationFixtures.shared.better
        let histogram = try EvaluationFixtures.histogram(expected.levels, expected.truth)
        let figures = EvaluationProtocol.trufor.figures(of: histogram, isManipulated: true, threshold: 0.5)
        for (figure, value) in [
            (PixelFigure.f1, expected.f1), (.permutedF1, expected.f1), (.bestF1, expected.bestF1), (.auc, expected.auc),
            (.ap, expected.ap), (.mcc, expected.mcc),
        ] {
            #expect(abs(try #require(figures[figure]) - value) < 1e-9, "\(figure)")
        }
    }

    private func histogram(levels: [UInt16]) throws -> ScoreHistogram {
        try EvaluationFixtures.histogram(levels, String(repeating: "0", count: levels.count))
    }

    @Test func emptyMasksCountAsEachProtocolSays() throws {
        let (unmarked, marked) = (try histogram(levels: [0, 32767]), try histogram(levels: [0, 32768]))
        for isManipulated in [true, false] {
            for histogram in [unmarked, marked] {
                func figures(_ scoring: EvaluationProtocol) -> [PixelFigure: Double] {
                    scoring.figures(of: histogram, isManipulated: isManipulated, threshold: 0.5)
                }
                #expect(figures(.default).isEmpty)
                #expect(figures(.paper).isEmpty)
                #expect(figures(.benco).count == PixelFigure.allCases.count)
                #expect(figures(.benco).values.allSatisfy { $0 == 0 })
                #expect(figures(.mvss)[.f1] == (isManipulated ? histogram == unmarked ? 1 : 0 : nil))
                #expect(figures(.mvss)[.auc] == nil)
            }
        }
        #expect(EvaluationProtocol.mvss.f1OfAnyImage(unmarked, threshold: 0.5) == 1)
        #expect(EvaluationProtocol.mvss.f1OfAnyImage(marked, threshold: 0.5) == 0)
    }

    @Test func mapsAreResizedAsOpenCVDoes() throws {
        let resized = EvaluationFixtures.shared.resized
        let map = try LevelMap(width: resized.width, height: resized.height, levels: resized.levels)
        for (size, expected) in resized.results {
            let sides = size.split(separator: "x").compactMap { Int($0) }
            #expect(try map.resized(width: sides[0], height: sides[1]).levels == expected, "\(size)")
        }
        #expect(try map.resized(width: resized.width, height: resized.height) == map)
    }

    @Test func squaresAre512() throws {
        let mask = try BinaryMask(width: 2, height: 1, values: [true, false])
        let truth = try EvaluationProtocol.Preparation.square.truth(mask)
        #expect(truth.width == 512 && truth.height == 512)
        #expect(truth.classes.filter { $0 == .manipulated }.count == 512 * 256)
        let map = try EvaluationProtocol.Preparation.square.map(LevelMap(width: 2, height: 1, levels: [65535, 0]))
        #expect(map.width == 512 && map.height == 512)
        #expect(map.levels.first == 65535 && map.levels.last == 0)
    }

    /// 65535 is odd, so no level lies at a half and a strict comparison changes nothing there; elsewhere it does.
    @Test func strictness() throws {
        let histogram = try histogram(levels: [32767, 32768, 13107])
        let strict = ScoreThreshold(0.5, isStrict: true)
        #expect(histogram.areaFraction(at: ScoreThreshold(0.5)) == histogram.areaFraction(at: strict))
        #expect(histogram.areaFraction(at: ScoreThreshold(0.2)) == 1)
        #expect(abs(histogram.areaFraction(at: ScoreThreshold(0.2, isStrict: true)) - 2 / 3.0) < 1e-12)
    }
}
