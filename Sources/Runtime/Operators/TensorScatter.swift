import ONNXLoader

/// TensorScatter (opset 24): a copy of a cache in which each sample's update is written along an axis from an index on,
/// perhaps going round.
struct TensorScatter: MovementOperator {
    enum Mode: String, CaseIterable {
        case linear, circular
    }
    private let mode: Mode
    private let axis: Int

    init(_ node: inout NodeReader) throws {
        mode = try node.choice("mode", or: .linear)
        axis = try node.int("axis", or: -2)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (cache, update) = (try inputs.required(0), try inputs.required(1))
        let axis = try normalized(axis, rank: cache.shape.count)
        guard axis > 0, update.elementType == cache.elementType, update.shape.count == cache.shape.count,
            cache.shape.indices.allSatisfy({
                $0 == axis ? update.shape[$0] <= cache.shape[$0] : update.shape[$0] == cache.shape[$0]
            })
        else { throw OperatorError("an update of \(update.type) does not fit a cache of \(cache.type)") }
        if let starts = inputs.optional(2), starts.shape != [cache.shape[0]] {
            throw OperatorError("write indices of shape \(starts.shape) for \(cache.shape[0]) samples")
        }
        return [cache.type]
    }

    func move(_ step: inout Step) throws {
        let (cache, update) = (try step.input(0), try step.input(1))
        try step.copy(cache, 0..<cache.count, to: 0, at: 0)
        let axis = try normalized(axis, rank: cache.shape.count)
        let (target, source) = (AxisLayout(cache.shape, axis: axis), AxisLayout(update.shape, axis: axis))
        guard update.count > 0 else { return }
        let linesPerSample = target.outer / cache.shape[0]
        let starts = try step.optional(2)?.integers() ?? [Int](repeating: 0, count: cache.shape[0])
        for line in 0..<target.outer {
            var start = starts[line / linesPerSample]
            if mode == .circular {
                start = (start % target.size + target.size) % target.size
            } else if start < 0 || start > target.size - source.size {
                throw OperatorError("\(source.size) updates from \(start) on do not fit \(target.size)")
            }
            let head = min(source.size, target.size - start)
            let from = line * source.size * source.inner
            let to = line * target.size * target.inner
            try step.copy(update, from..<from + head * source.inner, to: 0, at: to + start * target.inner)
            try step.copy(
                update, from + head * source.inner..<from + source.size * source.inner, to: 0, at: to)
        }
    }
}
