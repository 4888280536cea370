/// Reshape (opsets 5–25): the same elements under another shape; 0 keeps a size (unless `allowzero`), -1 is inferred.
struct Reshape: Operator {
    let allowZero: Bool

    init(_ node: inout NodeReader) throws {
        allowZero = try node.flag("allowzero")
    }

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let target = try inputs.integers(1)
        var shape = try target.enumerated().map { axis, size in
            guard size == 0, !allowZero else { return size }
            guard axis < input.shape.count else {
                throw OperatorError("the target \(target) keeps size \(axis) of \(input.shape), which has none")
            }
            return input.shape[axis]
        }
        if let inferred = shape.firstIndex(of: -1) {
            shape[inferred] = 1
            let known = try elementCount(of: shape)
            let count = try elementCount(of: input.shape)
            guard known > 0 ? count % known == 0 : count == 0 else {
                throw OperatorError("\(input.shape) cannot be reshaped to \(target)")
            }
            shape[inferred] = known > 0 ? count / known : 0
        }
        guard try elementCount(of: shape) == elementCount(of: input.shape) else {
            throw OperatorError("\(input.shape) cannot be reshaped to \(target)")
        }
        return [ValueType(input.elementType, shape)]
    }
}

/// Flatten (opsets 1–25): a matrix whose rows are the dimensions before an axis and whose columns are the others.
struct Flatten: Operator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 1)
    }

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let rank = input.shape.count
        guard axis >= -rank, axis <= rank else {
            throw OperatorError("axis \(axis) is outside a tensor of rank \(rank)")
        }
        let split = axis < 0 ? axis + rank : axis
        return [
            ValueType(
                input.elementType,
                [try elementCount(of: input.shape[..<split]), try elementCount(of: input.shape[split...])])
        ]
    }
}

/// Squeeze (opsets 1–25): without the named dimensions of size 1, or without all of them.
struct Squeeze: Operator {
    let axes: IntegerList

    init(_ node: inout NodeReader) throws {
        axes = node.opset < 13 ? .attribute(try node.optionalInts("axes")) : .input(1)
    }

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let axes = try axes.value(inputs).map { try normalized($0, rank: input.shape.count) }
        let removed = axes ?? input.shape.indices.filter { input.shape[$0] == 1 }
        guard let kept = removed.first(where: { input.shape[$0] != 1 }) else {
            return [
                ValueType(
                    input.elementType, input.shape.indices.filter { !removed.contains($0) }.map { input.shape[$0] })
            ]
        }
        throw OperatorError("dimension \(kept) of \(input.type) is not 1")
    }
}

/// Unsqueeze (opsets 1–25): with dimensions of size 1 inserted at the given positions of the result.
struct Unsqueeze: Operator {
    let axes: IntegerList

    init(_ node: inout NodeReader) throws {
        axes = node.opset < 13 ? .attribute(try node.ints("axes")) : .input(1)
    }

    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard let axes = try axes.value(inputs) else { throw OperatorError("input 1, the axes, is required") }
        var shape = input.shape
        for axis in try normalized(axes, rank: shape.count + axes.count) { shape.insert(1, at: axis) }
        return [ValueType(input.elementType, shape)]
    }
}

extension Reshape: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient().reshaped(like: node.input(0)) }
    }
}

extension Flatten: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient().reshaped(like: node.input(0)) }
    }
}

extension Squeeze: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient().reshaped(like: node.input(0)) }
    }
}

extension Unsqueeze: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient().reshaped(like: node.input(0)) }
    }
}
