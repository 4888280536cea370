extension FloatMap {
    /// 0 everywhere.
    static func zero(width: Int, height: Int) -> FloatMap {
        FloatMap(uncheckedWidth: width, height: height, values: [Float](repeating: 0, count: width * height))
    }

    /// The sum of all values, in double precision.
    func sum() -> Double {
        values.withUnsafeBufferPointer { values in values.reduce(0.0) { $0 + Double($1) } }
    }

    /// Whether all values are equal.
    var isConstant: Bool {
        guard let first = values.first else { return true }
        return values.withUnsafeBufferPointer { $0.allSatisfy { $0 == first } }
    }
}
