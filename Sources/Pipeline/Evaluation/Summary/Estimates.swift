/// Figures over images with their intervals.
struct Estimates: Sendable {
    private let bootstrap: Bootstrap
    private let imageThreshold: Double

    init(_ options: Evaluation.Options) {
        bootstrap = options.bootstrap
        imageThreshold = options.imageThreshold
    }

    /// The mean of some numbers; nil when there are none.
    func mean(_ values: [Double]) -> Estimate? {
        guard !values.isEmpty else { return nil }
        return Estimate(
            value: values.reduce(0, +) / Double(values.count),
            interval: bootstrap.interval(Bootstrap.Draws(bootstrap, images: values.count), meanOf: values))
    }

    /// The mean of every figure over the images for which it is defined.
    func means(of images: [[PixelFigure: Double]]) -> [PixelFigure: Estimate] {
        var means: [PixelFigure: Estimate] = [:]
        for figure in PixelFigure.allCases { means[figure] = mean(images.compactMap { $0[figure] }) }
        return means
    }

    func falsePositives(_ images: [(area: Double, maximum: Double)]) -> [FalsePositiveFigure: Estimate] {
        var figures: [FalsePositiveFigure: Estimate] = [:]
        figures[.area] = mean(images.map(\.area))
        figures[.maximum] = mean(images.map(\.maximum))
        return figures
    }

    /// Image-level figures; none unless there are images of both kinds.
    ///
    /// - Parameter pixelF1: each image's, nil for those outside the mean.
    func detection(
        _ images: [DetectionScores.Image], _ scoring: EvaluationProtocol, pixelF1: [Double?]
    ) -> [DetectionFigure: Estimate] {
        let values = figures(images, scoring, pixelF1)
        guard !values.isEmpty else { return [:] }
        let draws = Bootstrap.Draws(bootstrap, images: images.count)
        let resamples = mapConcurrently(count: draws.resamples) { resample in
            let indices = zip(images.indices, draws[resample]).flatMap { index, weight in
                repeatElement(index, count: Int(weight))
            }
            return figures(indices.map { images[$0] }, scoring, indices.map { pixelF1[$0] })
        }
        return Dictionary(
            uniqueKeysWithValues: values.map { figure, value in
                (figure, Estimate(value: value, interval: bootstrap.interval(resamples.compactMap { $0[figure] })))
            })
    }

    private func figures(
        _ images: [DetectionScores.Image], _ scoring: EvaluationProtocol, _ pixelF1: [Double?]
    ) -> [DetectionFigure: Double] {
        let scores = DetectionScores(images)
        guard let area = scores.areaUnderROC else { return [:] }
        let confusion = scores.confusion(at: scoring.threshold(imageThreshold))
        var figures: [DetectionFigure: Double] = [
            .auc: area, .balancedAccuracy: (confusion.sensitivity + confusion.specificity) / 2,
        ]
        guard scoring == .mvss else {
            figures[.f1] = confusion.f1
            return figures
        }
        let imageF1 = harmonicMean(confusion.sensitivity, confusion.specificity)
        figures[.f1] = imageF1
        let pixels = pixelF1.compactMap { $0 }
        if !pixels.isEmpty {
            figures[.combinedF1] = harmonicMean(pixels.reduce(0, +) / Double(pixels.count), imageF1)
        }
        return figures
    }
}
