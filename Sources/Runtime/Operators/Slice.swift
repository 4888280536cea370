/// Slice (opsets 1–13): every `step`-th element from `start` to before `end`, along some axes.
struct Slice: MovementOperator {
    let starts, ends, axes, steps: IntegerList

    init(_ node: inout NodeReader) throws {
        if node.opset < 10 {
            starts = .attribute(try node.ints("starts"))
            ends = .attribute(try node.ints("ends"))
            axes = .attribute(try node.optionalInts("axes"))
            steps = .attribute(nil)
        } else {
            starts = .input(1)
            ends = .input(2)
            axes = .input(3)
            steps = .input(4)
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        return [ValueType(input.elementType, try layout(of: inputs).shape)]
    }

    /// Whether every element stays where it is.
    func isIdentity(_ inputs: [ValueInfo?]) -> Bool {
        guard let shape = inputs.first??.shape, let layout = try? layout(of: inputs) else { return false }
        return layout.shape == shape && layout.sourceStart == 0 && layout.sourceStrides == strides(of: shape)
    }

    func move(_ step: inout Step) throws {
        guard try step.output(0).count > 0 else { return }
        try step.copy(layout(of: step.infos), from: step.input(0), to: 0)
    }

    private func layout(of inputs: [ValueInfo?]) throws -> StridedCopy {
        let input = try inputs.required(0).shape
        guard let starts = try starts.value(inputs), let ends = try ends.value(inputs) else {
            throw OperatorError("starts and ends are required")
        }
        let axes = try axes.value(inputs) ?? Array(starts.indices)
        let steps = try steps.value(inputs) ?? starts.map { _ in 1 }
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
            throw OperatorError("starts \(starts), ends \(ends), axes \(axes) and steps \(steps) differ in length")
        }
        _ = try normalized(axes, rank: input.count)
        let own = strides(of: input)
        var layout = StridedCopy(shape: input, sourceStrides: own)
        for (index, axis) in axes.enumerated() {
            let axis = try normalized(axis, rank: input.count)
            let size = input[axis]
            guard steps[index] != 0 else { throw OperatorError("a step of 0 never ends") }
            let isForward = steps[index] > 0
            // A longer step than the dimension reaches one element, as one of its size does.
            let step = min(max(steps[index], -max(1, size)), max(1, size))
            func clamped(_ position: Int) -> Int {
                let position = position < 0 ? position + size : position
                return isForward ? min(max(position, 0), size) : min(max(position, -1), size - 1)
            }
            let start = clamped(starts[index])
            let end = clamped(ends[index])
            let count = isForward ? (end - start + step - 1) / step : (start - end - step - 1) / -step
            layout.shape[axis] = max(0, count)
            layout.sourceStart += max(0, start) * own[axis]
            layout.sourceStrides[axis] = own[axis] * step
        }
        layout.targetStrides = strides(of: layout.shape)
        return layout
    }
}

extension Slice: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.tape.append(
                SliceGradient(inputShape: node.input(0).shape(), slice: known { try layout(of: node.infos) }),
                "SliceGradient", [node.gradient()])
        }
    }
}
