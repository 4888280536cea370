extension RGBImage {
    /// The picture in another size, bilinear with half-pixel centres.
    ///
    /// Rows are resampled first, rounded to 8 bits, then columns: with antialias the values are Pillow's.
    /// - Parameters:
    ///   - width: columns of the result.
    ///   - height: rows of the result.
    ///   - antialias: when shrinking, whether all source pixels count, or only the two (four) nearest ones.
    /// - Throws: `RasterError.badSize`.
    public func resized(width: Int, height: Int, antialias: Bool = true) throws(RasterError) -> RGBImage {
        try checkSize(width: width, height: height)
        var pixels = pixels
        if width != self.width {
            let weights = FixedPointWeights(ResamplingWeights(source: self.width, result: width, antialias: antialias))
            pixels = resampleRows(pixels, sourceWidth: self.width, height: self.height, width: width, weights)
        }
        if height != self.height {
            let weights = FixedPointWeights(
                ResamplingWeights(source: self.height, result: height, antialias: antialias))
            pixels = resampleColumns(pixels, rowCount: 3 * width, height: height, weights)
        }
        return RGBImage(uncheckedWidth: width, height: height, pixels: pixels)
    }
}

/// Weights as multiples of 2⁻²², so that 8-bit results do not depend on the order of additions.
private struct FixedPointWeights {
    static let bits: Int32 = 22
    static let half: Int32 = 1 << (bits - 1)
    let taps: Int
    let starts: [Int]
    let counts: [Int]
    let weights: [Int32]

    init(_ exact: ResamplingWeights) {
        taps = exact.taps
        starts = exact.starts
        counts = exact.counts
        weights = exact.weights.map { Int32(($0 * Double(1 << Self.bits)).rounded(.toNearestOrAwayFromZero)) }
    }

    /// A weighted sum and a half as an 8-bit value. Weights are positive and add up to 1 but for rounding.
    @inline(__always)
    static func round(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: min(sum &>> bits, 255)) }
}

private func resampleRows(
    _ source: [UInt8], sourceWidth: Int, height: Int, width: Int, _ weights: FixedPointWeights
) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 3 * width * height) { result, count in
        let rows = ConcurrentRows(result, width: 3 * width)
        forEachConcurrently(count: height) { y in
            let line = rows[y]
            source.withUnsafeBufferPointer { source in
                weights.weights.withUnsafeBufferPointer { factors in
                    for x in 0..<width {
                        var from = 3 &* (y &* sourceWidth &+ weights.starts[x])
                        let first = x &* weights.taps
                        // 255 times weights that add up to 2²² is below 2³⁰.
                        var red = FixedPointWeights.half
                        var green = red
                        var blue = red
                        for tap in first..<(first + weights.counts[x]) {
                            let weight = factors[tap]
                            red &+= weight &* Int32(source[from])
                            green &+= weight &* Int32(source[from &+ 1])
                            blue &+= weight &* Int32(source[from &+ 2])
                            from &+= 3
                        }
                        line[3 &* x] = FixedPointWeights.round(red)
                        line[3 &* x &+ 1] = FixedPointWeights.round(green)
                        line[3 &* x &+ 2] = FixedPointWeights.round(blue)
                    }
                }
            }
        }
        count = 3 * width * height
    }
}

private func resampleColumns(
    _ source: [UInt8], rowCount: Int, height: Int, _ weights: FixedPointWeights
) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: rowCount * height) { result, count in
        let rows = ConcurrentRows(result, width: rowCount)
        forEachConcurrently(count: height) { y in
            let line = rows[y]
            source.withUnsafeBufferPointer { source in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowCount) { sums in
                    sums.initialize(repeating: FixedPointWeights.half)
                    for tap in 0..<weights.counts[y] {
                        let weight = weights.weights[y * weights.taps + tap]
                        let from = (weights.starts[y] + tap) * rowCount
                        for i in 0..<rowCount { sums[i] &+= weight &* Int32(source[from &+ i]) }
                    }
                    for i in 0..<rowCount { line[i] = FixedPointWeights.round(sums[i]) }
                }
            }
        }
        count = rowCount * height
    }
}
