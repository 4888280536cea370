/// Makes the figures of all rows from the results of all images. Histograms are read from their files, a few at a time.
struct FigureMaker: Sendable {
    private let results: [StoredResult]
    private let options: Evaluation.Options
    /// In order of their first appearance.
    private let rows: [EvaluationRow]

    init(_ results: [StoredResult], options: Evaluation.Options) {
        self.results = results
        self.options = options
        var seen: Set<String> = []
        rows = results.flatMap { $0.result.rows.map(\.row) }.filter { seen.insert($0.id).inserted }
    }

    /// - Parameter skipped: images on which the evaluation failed.
    /// - Throws: `EvaluationError.unreadableResult`.
    func rows(skipped: Int) throws(EvaluationError) -> [EvaluationSummary.Row] {
        var summaries: [EvaluationSummary.Row] = []
        for scoring in options.protocols {
            for row in rows { summaries.append(try summary(of: row, scoring, skipped: skipped)) }
        }
        return summaries
    }

    /// Every image's figures.
    /// - Throws: `EvaluationError.unreadableResult`.
    func images() throws(EvaluationError) -> [EvaluationSummary.Image] {
        try mapConcurrently(count: results.count) { index throws(EvaluationError) in
            let stored = results[index]
            let result = stored.result
            var rows: [EvaluationSummary.ImageRow] = []
            for scoring in options.protocols {
                for row in result.rows {
                    let score = try score(of: row, in: stored, scoring)
                    rows.append(
                        EvaluationSummary.ImageRow(
                            row: row.row.id, scoring: scoring, figures: score.figures, confusion: score.confusion,
                            area: score.area, maximum: row.maximum, score: score.detection.score))
                }
            }
            return EvaluationSummary.Image(
                name: result.name, file: resultStem(result.name) + ".png", isManipulated: result.isManipulated,
                width: result.width, height: result.height,
                maskArea: result.maskArea, maskResizedFrom: result.maskResizedFrom, probability: result.probability,
                warnings: result.warnings, rows: rows, missing: result.missing)
        }
    }

    /// What one image adds to a row.
    private struct Score: Sendable {
        var isEmpty: Bool
        /// Whether the protocol leaves the image out because the classifier does not find it manipulated.
        var isNotFound: Bool
        /// Empty when the image has no part in the means.
        var figures: [PixelFigure: Double]
        var confusion: Confusion
        var area: Double
        var maximum: Double
        var f1OfAnyImage: Double
        var detection: DetectionScores.Image
        var isResized: Bool
        var histogram: ScoreHistogram

        var isScored: Bool { !figures.isEmpty }
    }

    private func score(
        of row: ImageResult.Row, in stored: StoredResult, _ scoring: EvaluationProtocol
    ) throws(EvaluationError) -> Score {
        let histogram = try stored.histogram(row, scoring.preparation)
        let result = stored.result
        let threshold = scoring.threshold(options.pixelThreshold)
        let isEmpty = result.maskArea == 0
        let isNotFound = scoring == .paper && !isEmpty && row.probability < options.imageThreshold
        let scoresByMaximum = scoring.scoresImagesByMaximum || row.row.kind == .external
        let figures =
            isNotFound
            ? [:]
            : scoring.figures(
                of: histogram, isManipulated: result.isManipulated, threshold: options.pixelThreshold)
        return Score(
            isEmpty: isEmpty, isNotFound: isNotFound, figures: figures, confusion: histogram.confusion(at: threshold),
            area: histogram.areaFraction(at: threshold), maximum: row.maximum,
            f1OfAnyImage: scoring.f1OfAnyImage(histogram, threshold: options.pixelThreshold),
            detection: .init(
                score: scoresByMaximum ? row.maximum : row.score ?? row.probability, isManipulated: result.isManipulated
            ),
            isResized: row.resizedFrom != nil, histogram: histogram)
    }

    /// Images whose histograms are in memory at once.
    private static let batch = 64

    private func summary(
        of row: EvaluationRow, _ scoring: EvaluationProtocol, skipped: Int
    ) throws(EvaluationError) -> EvaluationSummary.Row {
        let places = results.compactMap { stored in
            stored.result.rows.first { $0.row.id == row.id }.map { (stored, $0) }
        }
        var scores: [Score] = []
        var sums = ScoreSums()
        for start in stride(from: 0, to: places.count, by: Self.batch) {
            let batch = try mapConcurrently(count: min(Self.batch, places.count - start)) {
                index throws(EvaluationError) in
                try score(of: places[start + index].1, in: places[start + index].0, scoring)
            }
            for var score in batch {
                if score.isScored { sums.add(score.histogram) }
                score.histogram = ScoreHistogram(entries: [])
                scores.append(score)
            }
        }
        let pooled = ScoreHistogram(sums)
        let scored = scores.indices.filter { scores[$0].isScored }
        var confusion = Confusion()
        for index in scored { confusion += scores[index].confusion }
        let estimates = Estimates(options)
        let mean = estimates.means(of: scored.map { scores[$0].figures })
        return EvaluationSummary.Row(
            row: row, scoring: scoring, threshold: scoring.threshold(options.pixelThreshold),
            counts: .init(
                images: places.count, scored: scored.count, emptyMask: scores.count { $0.isEmpty },
                notFound: scores.count { $0.isNotFound }, missingMaps: results.count - places.count, skipped: skipped,
                resizedMaps: scores.count { $0.isResized }, pixels: pooled.count, manipulatedPixels: pooled.positives),
            mean: mean,
            pooled: try pooledFigures(
                pooled, sums, scored.map { places[$0] }, scored.map { scores[$0].confusion }, scoring),
            bestThreshold: pooled.bestF1?.threshold, confusion: confusion,
            detection: estimates.detection(
                scores.map(\.detection), scoring, pixelF1: scores.map { $0.figures[.f1] }),
            falsePositives: estimates.falsePositives(
                scores.filter(\.isEmpty).map { (area: $0.area, maximum: $0.maximum) }),
            f1OfAllImages: scoring == .mvss ? estimates.mean(scores.map(\.f1OfAnyImage)) : nil,
            curves: ScoreCurves(pooled))
    }

    /// Exact figures of all pixels together; their intervals from the images' confusions and from bins of ranks.
    private func pooledFigures(
        _ pooled: ScoreHistogram, _ sums: ScoreSums, _ places: [(StoredResult, ImageResult.Row)],
        _ confusions: [Confusion], _ scoring: EvaluationProtocol
    ) throws(EvaluationError) -> [PixelFigure: Estimate] {
        let values = scoring.pooledFigures(of: pooled, threshold: options.pixelThreshold)
        guard options.bootstrap.count > 0, !values.isEmpty else { return values.mapValues { Estimate(value: $0) } }
        let bins = RankBins(sums)
        let counts = try mapConcurrently(count: places.count) { index throws(EvaluationError) in
            bins.counts(of: try places[index].0.histogram(places[index].1, scoring.preparation))
        }
        let permuted = try permutedConfusions(places, scoring)
        let draws = Bootstrap.Draws(options.bootstrap, images: places.count)
        let resamples = mapConcurrently(count: draws.resamples) { resample -> [PixelFigure: Double] in
            let weights = draws[resample]
            var figures = scoring.pooledFigures(
                of: RankBins.pooled(counts, weights: weights), threshold: options.pixelThreshold)
            let confusion = weightedSum(confusions, weights)
            let opposite = weightedSum(permuted, weights)
            let isBetterOfBoth = scoring == .trufor
            figures[.permutedF1] = max(confusion.f1, opposite.f1)
            figures[.f1] = isBetterOfBoth ? max(confusion.f1, confusion.inverse.f1) : confusion.f1
            figures[.iou] = isBetterOfBoth ? max(confusion.iou, confusion.inverse.iou) : confusion.iou
            figures[.mcc] = isBetterOfBoth ? abs(confusion.mcc) : confusion.mcc
            if isBetterOfBoth { figures[.permutedF1] = figures[.f1] }
            return figures
        }
        return Dictionary(
            uniqueKeysWithValues: values.map { figure, value in
                let interval = options.bootstrap.interval(resamples.compactMap { $0[figure] })
                return (figure, Estimate(value: value, interval: interval))
            })
    }

    /// What the threshold makes of the inverse maps.
    private func permutedConfusions(
        _ places: [(StoredResult, ImageResult.Row)], _ scoring: EvaluationProtocol
    ) throws(EvaluationError) -> [Confusion] {
        try mapConcurrently(count: places.count) { index throws(EvaluationError) in
            try places[index].0.histogram(places[index].1, scoring.preparation).inverse
                .confusion(at: scoring.threshold(options.pixelThreshold))
        }
    }
}

private func weightedSum(_ confusions: [Confusion], _ weights: ArraySlice<UInt16>) -> Confusion {
    var sum = Confusion()
    for (confusion, weight) in zip(confusions, weights) where weight > 0 {
        let factor = Int(weight)
        sum += Confusion(
            truePositives: confusion.truePositives * factor, falsePositives: confusion.falsePositives * factor,
            falseNegatives: confusion.falseNegatives * factor, trueNegatives: confusion.trueNegatives * factor)
    }
    return sum
}
