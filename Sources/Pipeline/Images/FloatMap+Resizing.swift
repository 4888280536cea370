extension FloatMap {
    /// The map in another size, bilinear with half-pixel centres (`align_corners` false).
    ///
    /// - Parameters:
    ///   - width: columns of the result.
    ///   - height: rows of the result.
    ///   - antialias: when shrinking, whether all source values count, or only the two (four) nearest ones.
    /// - Throws: `RasterError.badSize`.
    public func resized(width: Int, height: Int, antialias: Bool = false) throws(RasterError) -> FloatMap {
        try checkSize(width: width, height: height)
        var values = values
        if width != self.width {
            let weights = ResamplingWeights(source: self.width, result: width, antialias: antialias)
            values = resampleRows(values, sourceWidth: self.width, height: self.height, width: width, weights)
        }
        if height != self.height {
            let weights = ResamplingWeights(source: self.height, result: height, antialias: antialias)
            values = resampleColumns(values, width: width, height: height, weights)
        }
        return FloatMap(uncheckedWidth: width, height: height, values: values)
    }
}

extension BinaryMask {
    /// The mask in another size: every pixel is the one that its centre falls on.
    ///
    /// - Throws: `RasterError.badSize`.
    public func resized(width: Int, height: Int) throws(RasterError) -> BinaryMask {
        try checkSize(width: width, height: height)
        let columns = (0..<width).map { (2 * $0 + 1) * self.width / (2 * width) }
        var resized: [Bool] = []
        resized.reserveCapacity(width * height)
        for y in 0..<height {
            let row = (2 * y + 1) * self.height / (2 * height) * self.width
            for column in columns { resized.append(values[row + column]) }
        }
        return BinaryMask(uncheckedWidth: width, height: height, values: resized)
    }
}

private func resampleRows(
    _ source: [Float], sourceWidth: Int, height: Int, width: Int, _ weights: ResamplingWeights
) -> [Float] {
    let factors = weights.weights.map { Float($0) }
    return [Float](unsafeUninitializedCapacity: width * height) { result, count in
        source.withUnsafeBufferPointer { source in
            factors.withUnsafeBufferPointer { factors in
                for y in 0..<height {
                    for x in 0..<width {
                        let from = y &* sourceWidth &+ weights.starts[x]
                        let first = x &* weights.taps
                        var sum: Float = 0
                        for tap in 0..<weights.counts[x] { sum += factors[first &+ tap] * source[from &+ tap] }
                        result[y &* width &+ x] = sum
                    }
                }
            }
        }
        count = width * height
    }
}

private func resampleColumns(_ source: [Float], width: Int, height: Int, _ weights: ResamplingWeights) -> [Float] {
    [Float](unsafeUninitializedCapacity: width * height) { result, count in
        source.withUnsafeBufferPointer { source in
            for y in 0..<height {
                let row = UnsafeMutableBufferPointer(rebasing: result[(y * width)..<((y + 1) * width)])
                row.initialize(repeating: 0)
                for tap in 0..<weights.counts[y] {
                    let weight = Float(weights.weights[y * weights.taps + tap])
                    let from = (weights.starts[y] + tap) * width
                    for x in 0..<width { row[x] += weight * source[from &+ x] }
                }
            }
        }
        count = width * height
    }
}
