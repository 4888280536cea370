/// The pixels of every label, as runs.
struct LabelRuns {
    private(set) var runs: [Int: [Mask.Run]] = [:]

    /// Adds pixels of one label; a run that continues the last one of its label is joined with it.
    mutating func append(_ label: Int, row: Int, columns: Range<Int>) {
        guard !columns.isEmpty else { return }
        let run = Mask.Run(row: Int32(row), start: Int32(columns.lowerBound), end: Int32(columns.upperBound))
        runs[label, default: []].appendJoining(run)
    }

    /// Adds the runs of rows below those that are here.
    mutating func append(_ other: LabelRuns) {
        for (label, more) in other.runs { runs[label, default: []] += more }
    }

    /// The labels that occur, ascending.
    var labels: [Int] { runs.keys.sorted() }

    func mask(_ label: Int, width: Int, height: Int) -> Mask {
        Mask(width: width, height: height, unordered: runs[label] ?? [])
    }
}

/// One row of labels from left to right, of which neighbours that are equal become one run.
struct LabelLine {
    private let row: Int
    private var label = 0
    private var columns: Range<Int>

    init(row: Int, column: Int) {
        self.row = row
        columns = column..<column
    }

    mutating func append(_ next: Int, count: Int, to labels: inout LabelRuns) {
        if next != label {
            finish(to: &labels)
            label = next
            columns = columns.upperBound..<columns.upperBound
        }
        columns = columns.lowerBound..<columns.upperBound + count
    }

    func finish(to labels: inout LabelRuns) {
        labels.append(label, row: row, columns: columns)
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
