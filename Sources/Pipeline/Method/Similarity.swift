import Foundation

/// How well a mask agrees with an activation map (eq. 5): `S(M, A) = sum over M of D * A / sum over M of 1`, where `D` grows
/// from the mask's outline to its middle.
public struct Similarity: Sendable {
    /// What the equation's `D` is, given the exact Euclidean distance `d` to the nearest pixel outside the mask.
    public enum Distance: String, Sendable, Hashable, CaseIterable {
        /// `D = d / max d` over the mask: size does not raise the similarity.
        case normalised
        /// `D = d`, in pixels: the literal reading. It grows with the mask's radius.
        case raw
        /// `D = exp(-d / tau)`, highest along the outline. `tau` is 8 pixels in a frame of 384 x 384, which is
        /// `8 * sqrt(width * height) / 384` pixels of the image: the geometric mean of the two sides' factors.
        case proximity
    }

    public var distance: Distance
    /// Masks of a smaller share of the image are dropped.
    public var minimumAreaFraction: Double
    /// Masks of a larger share of the image are dropped.
    public var maximumAreaFraction: Double
    /// The number of regions to keep.
    public var limit: Int

    public init(
        distance: Distance = .normalised, minimumAreaFraction: Double = 0.001, maximumAreaFraction: Double = 0.95,
        limit: Int = 10
    ) {
        self.distance = distance
        self.minimumAreaFraction = minimumAreaFraction
        self.maximumAreaFraction = maximumAreaFraction
        self.limit = limit
    }

    /// A candidate with what it was ranked by.
    public struct Region: Sendable {
        /// Its place among the candidates.
        public var index: Int
        public var candidate: Candidate
        public var similarity: Double
        /// Mean of the activation map over the mask's pixels.
        public var meanInside: Double
        /// Mean of the activation map over all other pixels; 0 when there are none.
        public var meanOutside: Double
    }

    public struct Ranking: Sendable {
        /// The best regions, best first.
        public var regions: [Region]
        /// How many candidates there were.
        public var candidates: Int
        /// How many candidates were dropped for their size.
        public var tooSmall: Int
        public var tooLarge: Int
    }

    /// The similarity of every candidate of a fitting size, best first. Ties: the higher mean activation inside, then the
    /// smaller area, then the lower index.
    /// - Precondition: masks have the size of the map.
    public func rank(_ candidates: [Candidate], activation: FloatMap) -> Ranking {
        var ranking = Ranking(regions: [], candidates: candidates.count, tooSmall: 0, tooLarge: 0)
        var fitting: [Int] = []
        for (index, candidate) in candidates.enumerated() {
            let fraction = candidate.mask.areaFraction
            if candidate.mask.isEmpty || fraction < minimumAreaFraction {
                ranking.tooSmall += 1
            } else if fraction > maximumAreaFraction {
                ranking.tooLarge += 1
            } else {
                fitting.append(index)
            }
        }
        let total = activation.sum()
        let chosen = fitting
        let regions = mapConcurrently(count: chosen.count) { position in
            region(at: chosen[position], candidates[chosen[position]], activation, total: total)
        }
        ranking.regions = Array(regions.sorted(by: Self.isBetter).prefix(max(limit, 0)))
        return ranking
    }

    private static func isBetter(_ a: Region, _ b: Region) -> Bool {
        if a.similarity != b.similarity { return a.similarity > b.similarity }
        if a.meanInside != b.meanInside { return a.meanInside > b.meanInside }
        if a.candidate.mask.area != b.candidate.mask.area { return a.candidate.mask.area < b.candidate.mask.area }
        return a.index < b.index
    }

    private func region(at index: Int, _ candidate: Candidate, _ activation: FloatMap, total: Double) -> Region {
        let mask = candidate.mask
        precondition(
            mask.width == activation.width && mask.height == activation.height, "a mask has the size of the map")
        let tau = Float(8 * (Double(mask.width) * Double(mask.height)).squareRoot() / 384)
        var inside = 0.0
        var weighted = 0.0
        var largest: Float = 0
        activation.values.withUnsafeBufferPointer { values in
            var runs = mask.runs.makeIterator()
            DistanceTransform.forEachRun(of: mask) { distances in
                guard let run = runs.next() else { return }
                let start = Int(run.row) * mask.width + Int(run.start)
                let line = UnsafeBufferPointer(rebasing: values[start..<start + run.count])
                for (distance, value) in zip(distances, line) {
                    let weight = self.distance == .proximity ? exp(-distance / tau) : distance
                    inside += Double(value)
                    weighted += Double(weight) * Double(value)
                    largest = max(largest, distance)
                }
            }
        }
        if distance == .normalised, largest > 0 { weighted /= Double(largest) }
        let rest = mask.width * mask.height - mask.area
        return Region(
            index: index, candidate: candidate, similarity: weighted / Double(mask.area),
            meanInside: inside / Double(mask.area), meanOutside: rest > 0 ? (total - inside) / Double(rest) : 0)
    }
}
