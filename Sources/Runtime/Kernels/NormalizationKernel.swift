import CKernels

// Means, variances and what is done with them: in C for binary32, in binary64 else.
extension Elements where Element: FloatingElement {
    /// The mean and the variance of the elements in `range`.
    func moments(_ range: Range<Int>) -> (mean: Double, variance: Double) {
        let count = Double(range.count)
        if let single = self as? Elements<Float> {
            let mean = ReductionKernel(TS_SUM).reduce(single, range) / count
            guard !range.isEmpty, let from = single.pointer else { return (mean, mean) }
            return (mean, ts_squared_deviations_f32(from + range.lowerBound, range.count, Float(mean)) / count)
        }
        let mean = range.reduce(0) { $0 + self[$1].double } / count
        let squares = range.reduce(0) { $0 + (self[$1].double - mean) * (self[$1].double - mean) }
        return (mean, squares / count)
    }

    /// The mean of the squares of the elements in `range`.
    func meanSquare(_ range: Range<Int>) -> Double {
        if let single = self as? Elements<Float> {
            return ReductionKernel(TS_SUM_OF_SQUARES).reduce(single, range) / Double(range.count)
        }
        return range.reduce(0) { $0 + self[$1].double * self[$1].double } / Double(range.count)
    }

    /// `(x − mean) · factor + offset` for the elements in `range`; the target may be the same memory.
    func standardize(
        to target: MutableElements<Element>, _ range: Range<Int>, mean: Double, factor: Double, offset: Double
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= Swift.min(target.count, count), "element range out of bounds")
        guard let single = self as? Elements<Float>, let singleTarget = target as? MutableElements<Float> else {
            return target.assign(range, from: self, at: range.lowerBound) {
                Element(($0.double - mean) * factor + offset)
            }
        }
        guard !range.isEmpty, let from = single.pointer else { return }
        ts_standardize_f32(
            from + range.lowerBound, singleTarget.pointer(at: range.lowerBound), range.count, Float(mean),
            Float(factor),
            Float(offset))
    }

    /// `(x − mean) · factor · scale + bias` for the elements in `range`, with a scale and, unless it is nil, a bias for each
    /// of them; the target may be the same memory.
    func standardize(
        to target: MutableElements<Element>, _ range: Range<Int>, mean: Double, factor: Double,
        scale: Elements<Element>, at scaleIndex: Int, bias: Elements<Element>?, at biasIndex: Int
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= Swift.min(target.count, count) && scaleIndex >= 0
                && biasIndex >= 0 && range.count <= scale.count - scaleIndex
                && range.count <= (bias?.count ?? .max) - biasIndex, "element range out of bounds")
        guard let single = self as? Elements<Float>, let singleTarget = target as? MutableElements<Float>,
            let scales = scale as? Elements<Float>
        else {
            for (offset, index) in range.enumerated() {
                let scaled = (self[index].double - mean) * factor * scale[scaleIndex + offset].double
                target[index] = Element(scaled + (bias?[biasIndex + offset].double ?? 0))
            }
            return
        }
        guard !range.isEmpty, let from = single.pointer, let scales = scales.pointer else { return }
        ts_standardize_each_f32(
            from + range.lowerBound, singleTarget.pointer(at: range.lowerBound), range.count, Float(mean),
            Float(factor),
            scales + scaleIndex, (bias as? Elements<Float>)?.pointer.map { $0 + biasIndex })
    }
}

extension Elements<Float> {
    /// Standardises each column of a matrix whose rows are `stride` apart by its own mean and variance, then scales and
    /// shifts each row; the target may be the same memory.
    /// - Parameter scratch: `(rows + 3) · columns` elements.
    func normalizeColumns(
        to target: MutableElements<Float>, at start: Int, stride: Int, rows: Int, columns: Int, epsilon: Float,
        scale: Elements<Float>?, bias: Elements<Float>?, scratch: MutableElements<Float>
    ) {
        guard rows > 0, columns > 0, let from = pointer else { return }
        precondition(
            start >= 0 && stride >= columns && start + (rows - 1) * stride + columns <= Swift.min(count, target.count)
                && scale?.count ?? rows >= rows && bias?.count ?? rows >= rows
                && (rows + 3) * columns <= scratch.count, "matrix out of bounds")
        ts_normalize_columns_f32(
            from + start, stride, rows, columns, epsilon, scale?.pointer, bias?.pointer, scratch.pointer(at: 0),
            target.pointer(at: start))
    }
}
