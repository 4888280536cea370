/// A tensor whose elements are those of another one at regular distances: what transposing, reshaping, splitting and slicing
/// make of it, as long as it can be told without moving anything.
struct StridedView: Sendable {
    /// A part of a dimension: indices, and elements from one to the next.
    private struct Factor {
        var size, stride: Int
    }

    private(set) var shape: [Int]
    /// Index of the first element.
    private(set) var start = 0
    /// Elements of the original.
    private let sourceCount: Int
    /// The factors of each dimension, the outermost first; none for a dimension of 1.
    private var factors: [[Factor]]

    /// A contiguous tensor, seen as it is.
    init(_ shape: [Int]) {
        self.shape = shape
        sourceCount = saturatingProduct(shape)
        factors = zip(shape, strides(of: shape)).map { $0 == 1 ? [] : [Factor(size: $0, stride: $1)] }
    }

    /// The same elements in another order of dimensions.
    mutating func transpose(_ permutation: [Int]) {
        shape = permutation.map { shape[$0] }
        factors = permutation.map { factors[$0] }
    }

    /// Indices `range` of a dimension.
    /// - Returns: whether it can be told.
    mutating func slice(_ axis: Int, _ range: Range<Int>) -> Bool {
        if range == 0..<shape[axis] { return true }
        guard factors[axis].count <= 1, !range.isEmpty, range.lowerBound >= 0, range.upperBound <= shape[axis] else {
            return false
        }
        start += range.lowerBound * (factors[axis].first?.stride ?? 0)
        shape[axis] = range.count
        factors[axis] = range.count == 1 ? [] : factors[axis].map { Factor(size: range.count, stride: $0.stride) }
        return true
    }

    /// The same elements under another shape.
    /// - Returns: whether it can be told.
    mutating func reshape(_ target: [Int]) -> Bool {
        guard saturatingProduct(target) == saturatingProduct(shape), !target.contains(0) else { return false }
        var rest: [Factor] = []
        for factor in factors.joined() {
            if let last = rest.last, last.stride == factor.stride * factor.size {
                rest[rest.count - 1] = Factor(size: last.size * factor.size, stride: factor.stride)
            } else {
                rest.append(factor)
            }
        }
        rest.reverse()
        var result: [[Factor]] = []
        for size in target {
            var (missing, dimension) = (size, [Factor]())
            while missing > 1 {
                guard let next = rest.popLast() else { return false }
                if missing % next.size == 0 {
                    dimension.append(next)
                    missing /= next.size
                } else {
                    guard next.size % missing == 0 else { return false }
                    let inner = next.size / missing
                    dimension.append(Factor(size: missing, stride: next.stride * inner))
                    rest.append(Factor(size: inner, stride: next.stride))
                    missing = 1
                }
            }
            result.append(dimension)
        }
        shape = target
        factors = result
        return true
    }

    /// For a view of all elements, where each element of the original is in it: the view's elements in the original's order.
    var inverse: StridedView? {
        let all = Array(factors.joined())
        var count = 1
        var places: [(own: Factor, stride: Int)] = []
        for factor in all.reversed() {
            places.append((factor, count))
            count *= factor.size
        }
        places.sort { $0.own.stride < $1.own.stride }
        var expected = 1
        for place in places {
            guard place.own.stride == expected else { return nil }
            expected *= place.own.size
        }
        var result = StridedView([expected])
        result.factors = [places.reversed().map { Factor(size: $0.own.size, stride: $0.stride) }]
        return start == 0 && count == sourceCount ? result : nil
    }

    /// Where the indices of a dimension lie, relative to the first.
    func offsets(_ axis: Int) -> [Int] {
        factors[axis].reduce([0]) { offsets, factor in
            offsets.flatMap { offset in (0..<factor.size).map { offset + $0 * factor.stride } }
        }
    }

    /// The distance from one index of a dimension to the next; nil when it varies.
    func stride(_ axis: Int) -> Int? {
        factors[axis].isEmpty ? 1 : factors[axis].count == 1 ? factors[axis][0].stride : nil
    }
}

extension PatternFinder {
    /// The value from which another one is taken by moving elements alone, and how it is seen.
    func source(of value: String, _ shape: (String) -> [Int]?) -> (name: String, view: StridedView) {
        var chain: [OperatorGraph.Element] = []
        var values = [value]
        while let element = producer(of: values[values.count - 1]), element.movesOnly,
            let input = element.node.inputs.first
        {
            chain.append(element)
            values.append(input)
        }
        // The longest part of the chain that can be told.
        for length in stride(from: chain.count, through: 1, by: -1) {
            guard let own = shape(values[length]) else { continue }
            var view = StridedView(own)
            let isTold = (0..<length).reversed().allSatisfy { position in
                follow(chain[position], values[position], &view, shape)
            }
            if isTold { return (values[length], view) }
        }
        return (value, StridedView(shape(value) ?? []))
    }

    /// Sees a view through an element that moves elements.
    /// - Parameter output: which of the element's outputs is seen.
    func follow(
        _ element: OperatorGraph.Element, _ output: String, _ view: inout StridedView, _ shape: (String) -> [Int]?
    ) -> Bool {
        guard let target = shape(output) else { return false }
        if element.operation.isView { return view.reshape(target) }
        switch element.operation {
        case let transpose as Transpose:
            let permutation = transpose.permutation ?? view.shape.indices.reversed()
            guard permutation.sorted() == Array(view.shape.indices) else { return false }
            view.transpose(permutation)
            return view.shape == target
        case let split as Split:
            let axis = split.axis < 0 ? split.axis + view.shape.count : split.axis
            guard view.shape.indices.contains(axis), target.count == view.shape.count else { return false }
            var first = 0
            for name in element.node.outputs {
                if name == output { return view.slice(axis, first..<first + target[axis]) && view.shape == target }
                guard let size = shape(name)?[axis] else { return false }
                first += size
            }
            return false
        default: return false
        }
    }
}

extension OperatorGraph.Element {
    /// Whether it hands on its first input's elements, or parts of them, in a way that a strided view may tell.
    var movesOnly: Bool { operation.isView || operation is Transpose || operation is Split }
}
