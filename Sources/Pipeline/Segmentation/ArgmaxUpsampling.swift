/// The class of the highest score at every pixel, the scores being interpolated bilinearly to the image.
///
/// A cell is the square between four neighbouring scores. Where one class is the highest at all four corners it is the
/// highest throughout the cell, because interpolation is a mean; only the other cells compare scores pixel by pixel, and
/// only of classes that can win somewhere in the cell. Nothing of the size classes x pixels is ever made.
///
/// Unchecked because of the scores, which are only read.
struct ArgmaxUpsampling: @unchecked Sendable {
    private let scores: ClassScores
    private let columns: ResamplingAxis
    private let rows: ResamplingAxis
    private let best: [Int32]
    /// The pixels of each row that lie between the same two columns of scores.
    private let cells: [(start: Int, pixels: Range<Int>)]
    private let origin: BoundingBox

    init(_ scores: ClassScores, _ placement: InputPlacement) {
        self.scores = scores
        (columns, rows) = placement.axes(outputWidth: scores.layout.width, outputHeight: scores.layout.height)
        best = scores.bestClasses(columns: columns.sourceCount, rows: rows.sourceCount)
        cells = columns.groups
        origin = placement.owned
    }

    /// Adds the labels of all pixels, which are found on several threads.
    func collect(into labels: inout LabelRuns) {
        let bands = rows.groups
        let parts = mapConcurrently(count: (bands.count + Self.bandsAtOnce - 1) / Self.bandsAtOnce) { part in
            var labels = LabelRuns()
            for band in bands.dropFirst(part * Self.bandsAtOnce).prefix(Self.bandsAtOnce) {
                let contents = cells.map { content(column: $0.start, row: band.start) }
                for row in band.pixels {
                    var line = LabelLine(row: origin.y + row, column: origin.x)
                    for (cell, content) in zip(cells, contents) {
                        switch content {
                        case .single(let label): line.append(label, count: cell.pixels.count, to: &labels)
                        case .several(let corners): compare(corners, cell.pixels, row: row, &line, to: &labels)
                        }
                    }
                    line.finish(to: &labels)
                }
            }
            return labels
        }
        for part in parts { labels.append(part) }
    }

    private static let bandsAtOnce = 8

    private enum Content {
        case single(Int)
        case several([Corners])
    }

    /// One class's scores at the corners of a cell.
    private struct Corners {
        var label: Int
        var topLeft: Float
        var topRight: Float
        var bottomLeft: Float
        var bottomRight: Float

        var lowest: Float { min(min(topLeft, topRight), min(bottomLeft, bottomRight)) }
        var highest: Float { max(max(topLeft, topRight), max(bottomLeft, bottomRight)) }
    }

    private func content(column: Int, row: Int) -> Content {
        let right = min(column + 1, columns.sourceCount - 1)
        let bottom = min(row + 1, rows.sourceCount - 1)
        let width = columns.sourceCount
        let label = best[row * width + column]
        if label == best[row * width + right], label == best[bottom * width + column],
            label == best[bottom * width + right]
        {
            return .single(Int(label))
        }
        var corners: [Corners] = []
        corners.reserveCapacity(scores.layout.classCount)
        var threshold = -Float.infinity
        for candidate in 0..<scores.layout.classCount {
            let start = candidate * scores.layout.classStride
            let corner = Corners(
                label: candidate, topLeft: scores.values[start + scores.offset(column: column, row: row)],
                topRight: scores.values[start + scores.offset(column: right, row: row)],
                bottomLeft: scores.values[start + scores.offset(column: column, row: bottom)],
                bottomRight: scores.values[start + scores.offset(column: right, row: bottom)])
            threshold = max(threshold, corner.lowest)
            corners.append(corner)
        }
        return .several(corners.filter { $0.highest >= threshold })
    }

    /// Compares the classes of one cell along one row of pixels.
    private func compare(
        _ corners: [Corners], _ pixels: Range<Int>, row: Int, _ line: inout LabelLine, to labels: inout LabelRuns
    ) {
        let below = rows.tapCount > 1 ? rows.weights[row * rows.tapCount + 1] : 0
        let ends = corners.map { corner in
            (
                label: corner.label, left: corner.topLeft + below * (corner.bottomLeft - corner.topLeft),
                right: corner.topRight + below * (corner.bottomRight - corner.topRight)
            )
        }
        for x in pixels {
            let across = columns.tapCount > 1 ? columns.weights[x * columns.tapCount + 1] : 0
            var label = 0
            var highest = -Float.infinity
            for end in ends {
                let score = end.left + across * (end.right - end.left)
                if score > highest {
                    highest = score
                    label = end.label
                }
            }
            line.append(label, count: 1, to: &labels)
        }
    }
}
