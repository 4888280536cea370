/// A map as its 16-bit grey file holds it: `round(65535 · v)` for every pixel. Rows from the top.
public struct LevelMap: Sendable, Hashable {
    /// The level of 1.
    public static let maximum = 65535

    /// Values in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// `width * height` levels in row-major order.
    public let levels: [UInt16]

    /// - Throws: `RasterError.sizeMismatch` unless both sides are positive and `levels` has `width * height` elements.
    public init(width: Int, height: Int, levels: [UInt16]) throws(RasterError) {
        try checkRaster(width: width, height: height, channels: 1, count: levels.count)
        self.init(uncheckedWidth: width, height: height, levels: levels)
    }

    init(uncheckedWidth width: Int, height: Int, levels: [UInt16]) {
        assert(levels.count == width * height)
        self.width = width
        self.height = height
        self.levels = levels
    }

    /// A map of values in 0 ... 1; others are limited to it, NaN is 0.
    public init(_ map: FloatMap) {
        let levels = [UInt16](unsafeUninitializedCapacity: map.values.count) { levels, count in
            let rows = ConcurrentRows(levels, width: map.width)
            forEachConcurrently(count: map.height) { y in
                let row = rows[y]
                map.values.withUnsafeBufferPointer { values in
                    for x in row.indices { row[x] = Self.level(of: values[y &* map.width &+ x]) }
                }
            }
            count = map.values.count
        }
        self.init(uncheckedWidth: map.width, height: map.height, levels: levels)
    }

    /// The level of a value.
    @inline(__always)
    static func level(of value: Float) -> UInt16 {
        // A comparison with NaN is false.
        let limited = value > 0 ? min(value, 1) : 0
        // A Float's half is added to it without loss.
        return UInt16(Double(limited * 65535) + 0.5)
    }

    /// The values `level / 65535`.
    public var floatMap: FloatMap {
        FloatMap(uncheckedWidth: width, height: height, values: levels.map { Float($0) / 65535 })
    }
}
