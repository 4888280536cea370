extension FloatMap {
    /// 0 everywhere.
    static func zero(width: Int, height: Int) -> FloatMap {
        FloatMap(uncheckedWidth: width, height: height, values: [Float](repeating: 0, count: width * height))
    }

    /// The sum of all values, each limited to a range, in double precision; the same for any number of threads.
    func sum(limitedTo range: ClosedRange<Float> = -.infinity...(.infinity)) -> Double {
        rowSums { values, y in Self.sum(values, y * width..<(y + 1) * width, range) }
    }

    /// The same over the pixels of a mask.
    /// - Precondition: the mask has the size of the map.
    func sum(over mask: Mask, limitedTo range: ClosedRange<Float>) -> Double {
        rowSums { values, y in
            mask.runs(inRow: y).reduce(0) { sum, run in
                sum + Self.sum(values, y * width + Int(run.start)..<y * width + Int(run.end), range)
            }
        }
    }

    private static func sum(
        _ values: UnsafeBufferPointer<Float>, _ places: Range<Int>, _ range: ClosedRange<Float>
    ) -> Double {
        var sum = 0.0
        for index in places { sum += Double(min(max(values[index], range.lowerBound), range.upperBound)) }
        return sum
    }

    private func rowSums(_ sum: @Sendable (UnsafeBufferPointer<Float>, Int) -> Double) -> Double {
        let sums = [Double](unsafeUninitializedCapacity: height) { sums, count in
            let rows = ConcurrentRows(sums, width: 1)
            forEachConcurrently(count: height) { y in
                rows[y].initialize(repeating: values.withUnsafeBufferPointer { sum($0, y) })
            }
            count = height
        }
        return sums.reduce(0, +)
    }

    /// Whether all values are equal.
    var isConstant: Bool {
        guard let first = values.first else { return true }
        return values.withUnsafeBufferPointer { $0.allSatisfy { $0 == first } }
    }
}
