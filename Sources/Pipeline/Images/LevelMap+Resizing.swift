extension LevelMap {
    /// The map in another size, bilinear with half-pixel centres (`align_corners` false) and without antialiasing, in double
    /// precision and rounded once.
    ///
    /// - Throws: `RasterError.badSize`.
    public func resized(width: Int, height: Int) throws(RasterError) -> LevelMap {
        try checkSize(width: width, height: height)
        guard width != self.width || height != self.height else { return self }
        let columns = ResamplingWeights(source: self.width, result: width, antialias: false)
        let rows = ResamplingWeights(source: self.height, result: height, antialias: false)
        var result: [UInt16] = []
        result.reserveCapacity(width * height)
        // Rows of the source at the new width, made when they are first needed; results go down the source.
        var lines: [Int: [Double]] = [:]
        for y in 0..<height {
            let first = rows.starts[y]
            lines = lines.filter { $0.key >= first }
            var sums = [Double](repeating: 0, count: width)
            for tap in 0..<rows.counts[y] {
                let line = lines[first + tap] ?? line(first + tap, columns, count: width)
                lines[first + tap] = line
                let weight = rows.weights[y * rows.taps + tap]
                for x in 0..<width { sums[x] += weight * line[x] }
            }
            for sum in sums { result.append(UInt16(min(max(sum.rounded(), 0), Double(Self.maximum)))) }
        }
        return LevelMap(uncheckedWidth: width, height: height, levels: result)
    }

    private func line(_ row: Int, _ columns: ResamplingWeights, count: Int) -> [Double] {
        (0..<count).map { x in
            let start = row * width + columns.starts[x]
            return (0..<columns.counts[x]).reduce(0) { sum, tap in
                sum + columns.weights[x * columns.taps + tap] * Double(levels[start + tap])
            }
        }
    }
}
