/// How often a map takes each of its 65536 levels on manipulated and on authentic pixels: all that a pixel metric needs, in
/// a size that does not depend on the image's. Equal values of a map fall on one level, so ties are exact.
public struct ScoreHistogram: Sendable, Hashable {
    /// A level that occurs.
    public struct Entry: Sendable, Hashable {
        public var level: UInt16
        /// Manipulated pixels of this level.
        public var positives: Int
        /// Authentic pixels of this level.
        public var negatives: Int
    }

    /// By rising level; levels that do not occur have none.
    public let entries: [Entry]
    /// Manipulated pixels.
    public let positives: Int
    /// Authentic pixels.
    public let negatives: Int

    /// - Precondition: levels rise.
    init(entries: [Entry]) {
        self.entries = entries
        positives = entries.reduce(0) { $0 + $1.positives }
        negatives = entries.reduce(0) { $0 + $1.negatives }
    }

    /// Counts the pixels of a map.
    ///
    /// - Throws: `RasterError.differentSizes` unless the truth has the map's size.
    public init(_ map: LevelMap, truth: PixelTruth) throws(RasterError) {
        guard map.width == truth.width, map.height == truth.height else {
            throw .differentSizes(
                what: "the map", width: map.width, height: map.height, wantedWidth: truth.width,
                wantedHeight: truth.height)
        }
        var sums = ScoreSums()
        sums.add(map.levels, classes: truth.classes)
        self.init(sums)
    }

    init(_ sums: ScoreSums) {
        self.init(
            entries: (0...LevelMap.maximum).compactMap { level in
                let (positives, negatives) = (Int(sums.positives[level]), Int(sums.negatives[level]))
                guard positives > 0 || negatives > 0 else { return nil }
                return Entry(level: UInt16(level), positives: positives, negatives: negatives)
            })
    }

    /// Pixels that were scored.
    public var count: Int { positives + negatives }

    /// The highest value that occurs, 0 to 1; 0 when there are no pixels.
    public var maximum: Double { entries.last.map { Double($0.level) / Double(LevelMap.maximum) } ?? 0 }

    /// The histogram of the inverse map, `1 − v`.
    public var inverse: ScoreHistogram {
        ScoreHistogram(
            entries: entries.reversed().map {
                Entry(
                    level: UInt16(LevelMap.maximum) - $0.level, positives: $0.positives, negatives: $0.negatives)
            })
    }
}

/// Histograms of several images together, in an amount of memory that does not depend on their number.
struct ScoreSums: Sendable {
    /// For each level the number of manipulated pixels.
    private(set) var positives = [Int64](repeating: 0, count: LevelMap.maximum + 1)
    /// For each level the number of authentic pixels.
    private(set) var negatives = [Int64](repeating: 0, count: LevelMap.maximum + 1)

    mutating func add(_ histogram: ScoreHistogram) {
        for entry in histogram.entries {
            positives[Int(entry.level)] += Int64(entry.positives)
            negatives[Int(entry.level)] += Int64(entry.negatives)
        }
    }

    fileprivate mutating func add(_ levels: [UInt16], classes: [PixelTruth.Class]) {
        positives.withUnsafeMutableBufferPointer { positives in
            negatives.withUnsafeMutableBufferPointer { negatives in
                for (level, pixel) in zip(levels, classes) {
                    switch pixel {
                    case .authentic: negatives[Int(level)] &+= 1
                    case .manipulated: positives[Int(level)] &+= 1
                    case .ignored: break
                    }
                }
            }
        }
    }
}
