/// Collects a mask's runs from top to bottom and from left to right.
public struct MaskBuilder: Sendable {
    public let width: Int
    public let height: Int
    public private(set) var area = 0
    private(set) var runs: [Mask.Run] = []
    private(set) var left = Int32.max
    private(set) var right = Int32(0)

    /// - Precondition: both sizes lie in 0 ... 2^31 - 1.
    public init(width: Int, height: Int) {
        precondition(
            width >= 0 && height >= 0 && width <= Int32.max && height <= Int32.max, "a mask's size is out of range")
        self.width = width
        self.height = height
    }

    /// Adds a run. One that overlaps or touches the last is merged with it; what lies outside the image is left out.
    /// - Precondition: runs come in order of their row, then of their first column.
    public mutating func append(row: Int, columns: Range<Int>) {
        guard row >= 0, row < height else { return }
        let start = Int32(max(columns.lowerBound, 0))
        let end = Int32(min(columns.upperBound, width))
        guard start < end else { return }
        left = min(left, start)
        right = max(right, end)
        if let last = runs.last, last.row == row {
            precondition(last.start <= start, "runs come from left to right")
            if start <= last.end {
                guard end > last.end else { return }
                area += Int(end) - Int(last.end)
                runs[runs.count - 1] = Mask.Run(row: last.row, start: last.start, end: end)
                return
            }
        } else if let last = runs.last {
            precondition(last.row < row, "runs come from top to bottom")
        }
        area += Int(end) - Int(start)
        runs.append(Mask.Run(row: Int32(row), start: start, end: end))
    }

    mutating func append(_ run: Mask.Run) {
        append(row: Int(run.row), columns: Int(run.start)..<Int(run.end))
    }

    /// The mask of all runs so far.
    public func build() -> Mask { Mask(self) }
}
