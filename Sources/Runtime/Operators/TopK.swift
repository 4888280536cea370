import ONNXLoader

/// TopK (opsets 1–24): the `k` largest or smallest elements along an axis with their indices, in order; of equal ones the
/// first. NaN counts as the largest.
struct TopK: NumericOperator {
    private let axis: Int
    private let wantsLargest: Bool
    /// Nil where `k` is an input.
    private let k: Int?

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: -1)
        k = node.opset < 10 ? try node.int("k") : nil
        wantsLargest = try node.flag("largest", or: true)
        // Whoever does not need them sorted may have them sorted.
        node.ignore("sorted")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        var type = try inputs.required(0).type
        let axis = try normalized(axis, rank: type.shape.count)
        let counts = try k.map { [$0] } ?? inputs.integers(1)
        guard counts.count == 1, (0...type.shape[axis]).contains(counts[0]) else {
            throw OperatorError(
                "k = \(counts) does not lie between 0 and the \(type.shape[axis]) elements of axis \(axis)")
        }
        type.shape[axis] = counts[0]
        return Array([type, ValueType(.int64, type.shape)].prefix(arity))
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let axis = try normalized(axis, rank: shape.count)
        let layout = AxisLayout(shape, axis: axis)
        let input = try step.elements(0, of: type)
        let values = step.wants(0) ? try step.mutableElements(0, of: type) : nil
        let indices = step.wants(1) ? try step.mutableElements(1, of: Int64.self) : nil
        let result = AxisLayout(try step.output(step.wants(0) ? 0 : 1).shape, axis: axis)
        let count = result.size
        let wantsLargest = wantsLargest
        guard count > 0 else { return }
        try step.forEachLine(of: layout) { line, start in
            // Only NaN differs from itself.
            let best = bestPositions(count, of: layout.size) { left, right in
                let (x, y) = (input[start + left * layout.inner], input[start + right * layout.inner])
                if x != x || y != y { return wantsLargest ? x != x && y == y : x == x && y != y }
                return wantsLargest ? x > y : x < y
            }
            for (rank, position) in best.enumerated() {
                let target = result.start(of: line) + rank * layout.inner
                values?[target] = input[start + position * layout.inner]
                indices?[target] = Int64(position)
            }
        }
    }
}

/// The best `count` of `0..<total` in order, of equally good ones the first.
private func bestPositions(_ count: Int, of total: Int, _ isBetter: (Int, Int) -> Bool) -> [Int] {
    guard count < total / 16 else {
        return Array((0..<total).sorted { isBetter($0, $1) || (!isBetter($1, $0) && $0 < $1) }.prefix(count))
    }
    // A few of many: keep the best so far, sorted.
    var best: [Int] = []
    best.reserveCapacity(count + 1)
    for position in 0..<total {
        if best.count == count, !isBetter(position, best[count - 1]) { continue }
        var (low, high) = (0, best.count)
        while low < high {
            let middle = (low + high) / 2
            if isBetter(position, best[middle]) { high = middle } else { low = middle + 1 }
        }
        best.insert(position, at: low)
        if best.count > count { best.removeLast() }
    }
    return best
}

extension TopK: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.tape.apply(
                "ScatterElements", [node.input(0).zeros(), node.output(1), node.gradient()],
                ["axis": .int(Int64(axis))])
        }
    }
}
