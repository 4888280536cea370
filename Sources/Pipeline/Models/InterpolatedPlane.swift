import CKernels

/// A plane of numbers seen at another resolution, row by row, so that the enlarged plane never needs to be whole.
struct InterpolatedPlane: Sendable {
    /// `rows.sourceCount` rows of `columns.sourceCount` values.
    let values: [Float]
    let columns: ResamplingAxis
    let rows: ResamplingAxis
    /// For each column of the enlarged plane the source columns of its weights.
    private let taps: [Int32]

    init(values: [Float], columns: ResamplingAxis, rows: ResamplingAxis) {
        precondition(values.count == columns.sourceCount * rows.sourceCount, "the axes do not belong to the plane")
        self.values = values
        self.columns = columns
        self.rows = rows
        taps = columns.starts.flatMap { start in (start..<start + columns.tapCount).map(Int32.init) }
    }

    /// One row of the enlarged plane, `columns.count` values.
    func row(_ index: Int, into result: UnsafeMutableBufferPointer<Float>) {
        precondition(result.count == columns.count, "a row holds one value a column")
        // An axis never reaches beyond its source.
        combinedRow(index).withUnsafeBufferPointer { line in
            ts_interpolate_line_f32(
                line.baseAddress, taps, columns.weights, columns.tapCount, result.count, result.baseAddress)
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
