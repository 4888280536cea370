/// Intervals by resampling images with replacement: the percentile bootstrap (Efron and Tibshirani, 1993).
public struct Bootstrap: Sendable, Hashable, Codable {
    /// Resamples; 0 for no intervals.
    public var count: Int
    /// Of the generator that draws images (SplitMix64).
    public var seed: UInt64
    /// The share of resamples inside an interval.
    public var confidence: Double

    public init(count: Int = 1000, seed: UInt64 = 20_240_229, confidence: Double = 0.95) {
        self.count = count
        self.seed = seed
        self.confidence = confidence
    }

    public struct Interval: Sendable, Hashable, Codable {
        public var low: Double
        public var high: Double
    }

    /// How often each of a number of images is drawn in each resample. The same for equal numbers, so that differences
    /// between rows are not differences of luck.
    struct Draws: Sendable {
        let images: Int
        let resamples: Int
        private let weights: [UInt16]

        init(_ bootstrap: Bootstrap, images: Int) {
            self.images = images
            resamples = images > 0 ? bootstrap.count : 0
            var weights = [UInt16](repeating: 0, count: images * resamples)
            var generator = SplitMix64(seed: bootstrap.seed)
            for resample in 0..<resamples {
                for _ in 0..<images { weights[resample * images + generator.index(below: images)] &+= 1 }
            }
            self.weights = weights
        }

        /// The weights of one resample, one for each image.
        subscript(resample: Int) -> ArraySlice<UInt16> { weights[resample * images..<(resample + 1) * images] }
    }

    /// The interval of a statistic.
    ///
    /// - Parameter statistic: of a resample, given how often each image is in it; nil where it is undefined, such as an
    ///   image-level AUC without authentic images: such resamples are left out.
    /// - Returns: nil when no resample defines the statistic.
    func interval(_ draws: Draws, _ statistic: @Sendable (ArraySlice<UInt16>) -> Double?) -> Interval? {
        interval(mapConcurrently(count: draws.resamples) { statistic(draws[$0]) }.compactMap { $0 })
    }

    /// The interval of a mean over images.
    func interval(_ draws: Draws, meanOf values: [Double]) -> Interval? {
        interval(draws) { weights in
            zip(weights, values).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(values.count)
        }
    }

    /// The middle `confidence` of a statistic's values over resamples.
    func interval(_ values: [Double]) -> Interval? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        return Interval(
            low: Self.quantile(sorted, (1 - confidence) / 2), high: Self.quantile(sorted, (1 + confidence) / 2))
    }

    /// Linear between order statistics, `q (n − 1)` places from the first: NumPy's default.
    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let index = min(max(Int(place), 0), sorted.count - 1)
        let next = min(index + 1, sorted.count - 1)
        return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
    }
}
