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
