import ONNXLoader

/// The product of `shape`.
/// - Throws: `TensorError.badShape` for a negative size, or when the product of the sizes that are not zero overflows:
///   then no product of some of them does.
func elementCount(of shape: some Sequence<Int>) throws -> Int {
    var count = 1
    var isEmpty = false
    for size in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: max(1, size))
        guard size >= 0, !overflow else { throw TensorError.badShape(Array(shape)) }
        count = product
        isEmpty = isEmpty || size == 0
    }
    return isEmpty ? 0 : count
}

/// The product, or `Int.max` when it overflows: for estimates of cost.
func saturatingProduct(_ sizes: some Sequence<Int>) -> Int {
    sizes.reduce(1) { product, size in
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        return overflow ? .max : next
    }
}

/// An axis that may count from the end, as one that counts from the start.
/// - Throws: `OperatorError` unless it lies in `-rank..<rank`.
func normalized(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw OperatorError("axis \(axis) is outside a tensor of rank \(rank)") }
    return axis < 0 ? axis + rank : axis
}

/// Axes that may count from the end, as sorted ones that count from the start.
/// - Throws: `OperatorError` when one is out of range or named twice.
func normalized(_ axes: [Int], rank: Int) throws -> [Int] {
    let sorted = try axes.map { try normalized($0, rank: rank) }.sorted()
    guard Set(sorted).count == sorted.count else { throw OperatorError("an axis of \(axes) is named twice") }
    return sorted
}

/// The shape to which two shapes broadcast: aligned at the last dimension, sizes of 1 repeat.
/// - Throws: `OperatorError` when they do not fit.
func broadcast(_ left: [Int], _ right: [Int]) throws -> [Int] {
    let rank = max(left.count, right.count)
    return try (0..<rank).map { axis in
        let first = axis < rank - left.count ? 1 : left[axis - (rank - left.count)]
        let second = axis < rank - right.count ? 1 : right[axis - (rank - right.count)]
        guard first == second || first == 1 || second == 1 else {
            throw OperatorError("shapes \(left) and \(right) do not broadcast")
        }
        return first == 1 ? second : first
    }
}

/// Elements from one index to the next, for each dimension of a contiguous tensor.
func strides(of shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    // Only a tensor without elements can have sizes whose product wraps.
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* shape[axis + 1] }
    return strides
}

/// Strides that read a tensor as if it had the larger shape: 0 where it repeats.
func broadcastStrides(of shape: [Int], to larger: [Int]) -> [Int] {
    let own = strides(of: shape)
    let offset = larger.count - shape.count
    return larger.indices.map { $0 < offset || shape[$0 - offset] == 1 ? 0 : own[$0 - offset] }
}

extension Int {
    /// - Throws: `OperatorError` when the sum overflows.
    func adding(_ other: Int) throws -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        guard !overflow else { throw OperatorError("\(self) + \(other) overflows") }
        return sum
    }

    /// - Throws: `OperatorError` when the difference overflows.
    func subtracting(_ other: Int) throws -> Int {
        let (difference, overflow) = subtractingReportingOverflow(other)
        guard !overflow else { throw OperatorError("\(self) - \(other) overflows") }
        return difference
    }

    /// - Throws: `OperatorError` when the product overflows.
    func multiplied(by other: Int) throws -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        guard !overflow else { throw OperatorError("\(self) · \(other) overflows") }
        return product
    }
}
