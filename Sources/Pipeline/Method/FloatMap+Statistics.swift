extension FloatMap {
    /// 0 everywhere.
    static func zero(width: Int, height: Int) -> FloatMap {
        FloatMap(uncheckedWidth: width, height: height, values: [Float](repeating: 0, count: width * height))
    }

    /// The sum of a function of all values, in double precision; the same for any number of threads.
    func sum(of function: @Sendable (Float) -> Float = { $0 }) -> Double {
        rowSums { values, y in values[y * width..<(y + 1) * width].reduce(0) { $0 + Double(function($1)) } }
    }

    /// The same over the pixels of a mask.
    /// - Precondition: the mask has the size of the map.
    func sum(over mask: Mask, of function: @Sendable (Float) -> Float) -> Double {
        rowSums { values, y in
            var sum = 0.0
            for run in mask.runs(inRow: y) {
                for x in y * width + Int(run.start)..<y * width + Int(run.end) { sum += Double(function(values[x])) }
            }
            return sum
        }
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
