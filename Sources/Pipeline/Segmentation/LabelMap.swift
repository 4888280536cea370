/// A network's output that names a label for every place of a grid.
struct LabelMap {
    let width: Int
    let height: Int
    let labels: [Int]

    /// Adds the labels of the image's pixels: each takes the label that its centre falls on.
    func collect(_ placement: InputPlacement, into result: inout LabelRuns) {
        let columns = sources(
            placement.owned.x..<placement.owned.right, in: placement.source.x..<placement.source.right,
            content: placement.contentWidth, input: placement.inputWidth, count: width)
        let rows = sources(
            placement.owned.y..<placement.owned.bottom, in: placement.source.y..<placement.source.bottom,
            content: placement.contentHeight, input: placement.inputHeight, count: height)
        for (index, row) in rows.enumerated() {
            var start = 0
            for end in 1...max(columns.count, 1) where end <= columns.count {
                let label = labels[row * width + columns[start]]
                guard end == columns.count || labels[row * width + columns[end]] != label else { continue }
                result.append(
                    label, row: placement.owned.y + index,
                    columns: placement.owned.x + start..<placement.owned.x + end)
                start = end
            }
        }
    }

    /// For every pixel the place of the grid under its centre; padding is never reached.
    private func sources(_ owned: Range<Int>, in source: Range<Int>, content: Int, input: Int, count: Int) -> [Int] {
        let last = InputPlacement.contentCount(output: count, input: input, content: content) - 1
        let scale = Double(count) * Double(content) / (Double(input) * Double(source.count))
        return owned.map { min(max(Int((Double($0 - source.lowerBound) + 0.5) * scale), 0), last) }
    }
}
