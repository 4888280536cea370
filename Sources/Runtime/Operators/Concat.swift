/// Concat (opsets 1–13): tensors joined along one axis.
struct Concat: MovementOperator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: node.opset < 4 ? 1 : nil)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        var type = try inputs.required(0).type
        let axis = try normalized(axis, rank: type.shape.count)
        for index in 1..<max(1, inputs.count) {
            let other = try inputs.required(index)
            guard other.elementType == type.elementType, other.shape.count == type.shape.count,
                type.shape.indices.allSatisfy({ $0 == axis || other.shape[$0] == type.shape[$0] })
            else { throw OperatorError("inputs \(type) and \(other.type) cannot be joined along axis \(axis)") }
            type.shape[axis] = try type.shape[axis].adding(other.shape[axis])
        }
        return [type]
    }

    func move(_ step: inout Step) throws {
        let output = try step.output(0)
        let axis = try normalized(axis, rank: output.shape.count)
        let targetStrides = strides(of: output.shape)
        var start = 0
        for index in 0..<step.inputCount {
            let input = try step.input(index)
            try step.copy(
                StridedCopy(shape: input.shape, targetStart: start * targetStrides[axis], targetStrides: targetStrides),
                from: input, to: 0)
            start += input.shape[axis]
        }
    }
}

/// Split (opsets 2–18): the parts of a tensor along one axis, of given sizes or as many equal ones as outputs.
struct Split: MovementOperator {
    let axis: Int
    let sizes: IntegerList
    /// The number of parts (since opset 18), of which the last may be smaller.
    let partCount: Int?

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 0)
        sizes = node.opset < 13 ? .attribute(try node.optionalInts("split")) : .input(1)
        partCount = node.opset < 18 ? nil : try node.optionalInt("num_outputs")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let axis = try normalized(axis, rank: input.shape.count)
        return try partSizes(input.shape[axis], inputs, arity: arity).map { size in
            var shape = input.shape
            shape[axis] = size
            return ValueType(input.elementType, shape)
        }
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        let axis = try normalized(axis, rank: input.shape.count)
        let sourceStrides = strides(of: input.shape)
        var start = 0
        for (index, size) in try partSizes(input.shape[axis], step.infos, arity: step.arity).enumerated() {
            if step.wants(index) {
                let shape = try step.output(index).shape
                try step.copy(
                    StridedCopy(shape: shape, sourceStart: start * sourceStrides[axis], sourceStrides: sourceStrides),
                    from: input, to: index)
            }
            start += size
        }
    }

    private func partSizes(_ size: Int, _ inputs: [ValueInfo?], arity: Int) throws -> [Int] {
        if let sizes = try sizes.value(inputs) {
            let sum = try sizes.reduce(0) { try $0.adding($1) }
            guard sizes.count == arity, sizes.allSatisfy({ $0 >= 0 }), sum == size else {
                throw OperatorError("parts of \(sizes) do not make \(arity) outputs from \(size)")
            }
            return sizes
        }
        guard arity > 0, partCount ?? arity == arity, partCount != nil || size % arity == 0 else {
            throw OperatorError("\(size) is not split into \(partCount ?? arity) parts for \(arity) outputs")
        }
        let part = size / arity + (size % arity == 0 ? 0 : 1)
        return (0..<arity).map { min(part, max(0, size - $0 * part)) }
    }
}

extension Concat: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let gradient = try node.gradient()
        var start = 0
        for index in 0..<node.inputCount {
            let shape = try node.input(index).shape()
            let axis = try normalized(axis, rank: shape.count)
            let end = start + shape[axis]
            try node.contribute(to: index) { try gradient.slice(start..<end, axis: axis) }
            start = end
        }
    }
}

extension Split: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let input = try node.input(0)
            let axis = try normalized(axis, rank: input.shape().count)
            let sizes = try partSizes(input.shape()[axis], node.infos, arity: node.outputCount)
            let parts = try sizes.enumerated().map { index, size in
                if let gradient = node.outputGradient(index) { return gradient }
                var shape = try input.shape()
                shape[axis] = size
                return try input.number(0).expanded(to: shape)
            }
            return try node.tape.apply("Concat", parts, ["axis": .int(Int64(axis))])
        }
    }
}
