/// A contiguous tensor seen from one of its axes, or a group of adjacent ones: as `outer` × `size` × `inner`. A line are
/// the elements along the axis.
struct AxisLayout: Sendable {
    let outer, size, inner: Int

    init(_ shape: [Int], axis: Int) {
        self.init(shape, axes: axis..<axis + 1)
    }

    init(_ shape: [Int], axes: Range<Int>) {
        outer = shape[..<axes.lowerBound].reduce(1, &*)
        size = shape[axes].reduce(1, &*)
        inner = shape[axes.upperBound...].reduce(1, &*)
    }

    /// 0 when there are no elements.
    var lineCount: Int { size == 0 ? 0 : outer &* inner }

    /// Index of a line's first element; the others follow `inner` apart.
    func start(of line: Int) -> Int { line / inner * (size * inner) + line % inner }
}

extension Step {
    /// Works on the lines of a layout, several at a time.
    func forEachLine(of layout: AxisLayout, _ body: @Sendable (_ line: Int, _ start: Int) throws -> Void) throws {
        try parallel(layout.lineCount, grain: max(1, Self.elementGrain / max(1, layout.size))) { lines in
            for line in lines { try body(line, layout.start(of: line)) }
        }
    }
}
