/// A plane of numbers seen at another resolution, row by row, so that the enlarged plane never needs to be whole.
struct InterpolatedPlane: Sendable {
    /// `rows.sourceCount` rows of `columns.sourceCount` values.
    let values: [Float]
    let columns: ResamplingAxis
    let rows: ResamplingAxis

    init(values: [Float], columns: ResamplingAxis, rows: ResamplingAxis) {
        precondition(values.count == columns.sourceCount * rows.sourceCount, "the axes do not belong to the plane")
        self.values = values
        self.columns = columns
        self.rows = rows
    }

    /// One row of the enlarged plane, `columns.count` values.
    func row(_ index: Int, into result: UnsafeMutableBufferPointer<Float>) {
        precondition(result.count == columns.count, "a row holds one value a column")
        let combined = combinedRow(index)
        combined.withUnsafeBufferPointer { line in
            columns.weights.withUnsafeBufferPointer { weights in
                columns.starts.withUnsafeBufferPointer { starts in
                    let taps = columns.tapCount
                    for x in 0..<result.count {
                        var sum: Float = 0
                        for tap in 0..<taps { sum += weights[x * taps + tap] * line[starts[x] + tap] }
                        result[x] = sum
                    }
                }
            }
        }
    }

    /// The source rows of an output row combined, still at the source's columns.
    func combinedRow(_ index: Int) -> [Float] {
        let width = columns.sourceCount
        var line = [Float](repeating: 0, count: width)
        for tap in 0..<rows.tapCount {
            let weight = rows.weights[index * rows.tapCount + tap]
            guard weight != 0 else { continue }
            let start = (rows.starts[index] + tap) * width
            values.withUnsafeBufferPointer { values in
                line.withUnsafeMutableBufferPointer { line in
                    for x in 0..<width { line[x] += weight * values[start + x] }
                }
            }
        }
        return line
    }
}
