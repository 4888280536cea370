/// The pixels of every label, as runs.
struct LabelRuns {
    private(set) var runs: [Int: [Mask.Run]] = [:]

    /// Adds pixels of one label; a run that continues the last one of its label is joined with it.
    mutating func append(_ label: Int, row: Int, columns: Range<Int>) {
        guard !columns.isEmpty else { return }
        let run = Mask.Run(row: Int32(row), start: Int32(columns.lowerBound), end: Int32(columns.upperBound))
        runs[label, default: []].appendJoining(run)
    }

    /// The labels that occur, ascending.
    var labels: [Int] { runs.keys.sorted() }

    func mask(_ label: Int, width: Int, height: Int) -> Mask {
        Mask(width: width, height: height, unordered: runs[label] ?? [])
    }
}

extension Array where Element == Mask.Run {
    fileprivate mutating func appendJoining(_ run: Mask.Run) {
        if let last, last.row == run.row, last.end == run.start {
            self[count - 1] = Mask.Run(row: last.row, start: last.start, end: run.end)
        } else {
            append(run)
        }
    }
}
