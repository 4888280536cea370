import Testing

@testable import Pipeline

/// Pixel and image figures against scikit-learn's.
@Suite struct MetricsTests {
    @Test(arguments: EvaluationFixtures.shared.pixels)
    func pixelFiguresAreThoseOfScikitLearn(_ expected: EvaluationFixtures.Pixels) throws {
        let histogram = try expected.histogram
        let threshold = ScoreThreshold(expected.threshold, isStrict: expected.strict)
        let figures = histogram.figures(at: threshold)
        #expect(Set(figures.keys) == Set(expected.figures.keys))
        for (figure, value) in expected.figures {
            let found = try #require(figures[figure])
            #expect(abs(found - value) < 1e-9, "\(figure): \(found), scikit-learn \(value)")
        }
        #expect(abs(histogram.areaFraction(at: threshold) - expected.area) < 1e-12)
    }

    @Test func imageFiguresAreThoseOfScikitLearn() throws {
        for expected in EvaluationFixtures.shared.images {
            let scores = DetectionScores(
                zip(expected.scores, expected.labels).map { .init(score: $0.0, isManipulated: $0.1 == 1) })
            let confusion = scores.confusion(at: ScoreThreshold(0.5))
            #expect(abs(try #require(scores.areaUnderROC) - expected.auc) < 1e-12, "\(expected.name)")
            #expect(abs(confusion.f1 - expected.f1) < 1e-12, "\(expected.name)")
            #expect(abs(confusion.accuracy - expected.accuracy) < 1e-12, "\(expected.name)")
            let balanced = (confusion.sensitivity + confusion.specificity) / 2
            #expect(abs(balanced - expected.balanced) < 1e-12, "\(expected.name)")
        }
    }

    @Test func oneKindOfImagesHasNoAUC() {
        #expect(DetectionScores([]).areaUnderROC == nil)
        #expect(DetectionScores([.init(score: 0.2, isManipulated: true)]).areaUnderROC == nil)
        #expect(DetectionScores([.init(score: .nan, isManipulated: true)]).areaUnderROC == nil)
    }

    @Test func pooledHistogramsAreThoseOfAllPixelsTogether() throws {
        let parts = EvaluationFixtures.shared.pixels.filter { !$0.strict }
        var sums = ScoreSums()
        for part in parts { sums.add(try part.histogram) }
        let together = try EvaluationFixtures.histogram(
            parts.flatMap(\.levels), parts.map(\.truth).joined())
        #expect(ScoreHistogram(sums) == together)
    }

    @Test func packedHistogramsSurvive() throws {
        for fixture in EvaluationFixtures.shared.pixels {
            let histogram = try fixture.histogram
            #expect(try ScoreHistogram(packed: histogram.packed) == histogram)
        }
        let large = ScoreHistogram(entries: [
            .init(level: 0, positives: 0, negatives: 123_456_789),
            .init(level: 65535, positives: 1 << 39, negatives: 0),
        ])
        #expect(try ScoreHistogram(packed: large.packed) == large)
    }

    @Test func damagedHistogramsAreRefused() throws {
        let packed = try EvaluationFixtures.shared.pixels[0].histogram.packed
        for count in [0, 1, 7, packed.count / 2, packed.count - 1] {
            #expect(throws: ScoreHistogram.Malformed.self) { try ScoreHistogram(packed: packed.prefix(count)) }
        }
        #expect(throws: ScoreHistogram.Malformed.self) {
            try ScoreHistogram(packed: [UInt8](repeating: 0xff, count: 200))
        }
    }

    @Test func curvesEnclose() throws {
        for fixture in EvaluationFixtures.shared.pixels {
            let histogram = try fixture.histogram
            guard let area = histogram.areaUnderROC else { continue }
            let curves = ScoreCurves(histogram, resolution: 100_000)
            let enclosed = zip(curves.roc, curves.roc.dropFirst()).reduce(0) {
                $0 + ($1.1.x - $1.0.x) * ($1.1.y + $1.0.y) / 2
            }
            #expect(abs(enclosed - area) < 1e-9, "\(fixture.name)")
            #expect(curves.roc.last == .init(x: 1, y: 1))
            #expect(curves.precisionRecall.last?.x == 1)
            let drawn = ScoreCurves(histogram, resolution: 50)
            #expect(drawn.roc.count <= 102)
        }
    }

    @Test func levelsAreWhatTheFileHolds() throws {
        let map = try FloatMap(width: 4, height: 2, values: [0, 1, 0.5, -3, 7, .nan, .infinity, 1.0 / 255])
        #expect(LevelMap(map).levels == [0, 65535, 32768, 0, 65535, 0, 65535, 257])
    }
}
