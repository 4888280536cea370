/// Expand (opsets 8–25): the input repeated to a shape, both broadcast to each other.
struct Expand: MovementOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let target = try inputs.integers(1)
        _ = try elementCount(of: target)
        return [ValueType(input.elementType, try broadcast(input.shape, target))]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        let shape = try step.output(0).shape
        try step.copy(
            StridedCopy(shape: shape, sourceStrides: broadcastStrides(of: input.shape, to: shape)), from: input, to: 0)
    }
}

/// Tile (opsets 6–25): the input repeated along each dimension.
struct Tile: MovementOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let repeats = try inputs.integers(1)
        guard repeats.count == input.shape.count, repeats.allSatisfy({ $0 >= 0 }) else {
            throw OperatorError("\(repeats) are no numbers of repeats for \(input.type)")
        }
        return [ValueType(input.elementType, try zip(input.shape, repeats).map { try $0.multiplied(by: $1) })]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        guard try step.output(0).count > 0 else { return }
        let repeats = try step.input(1).integers()
        // Each dimension becomes two: the repeats, which read the same elements, and the dimension itself.
        let own = strides(of: input.shape)
        try step.copy(
            StridedCopy(
                shape: input.shape.indices.flatMap { [repeats[$0], input.shape[$0]] },
                sourceStrides: own.flatMap { [0, $0] }), from: input, to: 0)
    }
}

/// OneHot (opsets 9–11): a new dimension that holds the second value at the index which the input tells, the first value
/// elsewhere. An index outside the dimension marks nothing.
struct OneHot: WordOperator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: -1)
    }

    var movedInput: Int { 2 }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let indices = try inputs.required(0)
        let values = try inputs.required(2)
        guard values.shape == [2] else { throw OperatorError("an off and an on value are wanted, not \(values.type)") }
        guard let depth = try inputs.required(1).value else { throw DataDependentTypes() }
        let numbers = try Self.integers(depth)
        guard numbers.count == 1, let size = numbers[0], size >= 0 else {
            throw OperatorError("the depth is not one number that is 0 or more")
        }
        var shape = indices.shape
        shape.insert(size, at: try normalized(axis, rank: shape.count + 1))
        return [ValueType(values.elementType, shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let output = try step.output(0)
        let values = try step.input(2)
        try step.copy(StridedCopy(shape: output.shape, sourceStrides: output.shape.map { _ in 0 }), from: values, to: 0)
        let axis = try normalized(axis, rank: output.shape.count)
        let depth = output.shape[axis]
        let inner = output.shape[(axis + 1)...].reduce(1, *)
        let on = try values.words(type)[1]
        let target = try output.uncheckedMutableWords(type)
        for (position, index) in try Self.integers(step.input(0)).enumerated() {
            guard let index, index >= -depth, index < depth else { continue }
            let row = position / inner * depth + (index < 0 ? index + depth : index)
            target[row * inner + position % inner] = on
        }
    }

    /// The elements as integers; nil for a number that is none.
    private static func integers(_ tensor: Tensor) throws -> [Int?] {
        guard tensor.elementType.isFloatingPoint else { return try tensor.integers() }
        return try tensor.converted(to: .float64).elements(of: Double.self).map {
            Int(exactly: $0.rounded(.towardZero))
        }
    }
}

/// Trilu (opset 14): matrices without what lies below the `k`-th diagonal, or above it.
struct Trilu: WordOperator {
    let isUpper: Bool

    init(_ node: inout NodeReader) throws {
        isUpper = try node.flag("upper", or: true)
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let type = try inputs.required(0).type
        guard type.shape.count >= 2 else { throw OperatorError("matrices are wanted, not \(type)") }
        if let diagonal = inputs.optional(1),
            diagonal.elementType != .int64 || diagonal.shape.contains(where: { $0 != 1 })
        {
            throw OperatorError("k is \(diagonal.type), not one int64")
        }
        return [type]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let input = try step.input(0)
        let source = try input.words(type)
        let target = try step.output(0).uncheckedMutableWords(type)
        let columns = input.shape[input.shape.count - 1]
        let rows = input.shape[input.shape.count - 2]
        guard source.count > 0 else { return }
        let diagonal = try step.optional(1)?.elements(of: Int64.self)[0] ?? 0
        // Beyond the matrix every diagonal is as good as the next one outside.
        let offset = Int(min(max(diagonal, -Int64(rows)), Int64(columns)))
        try step.parallel(source.count / columns, grain: max(1, (1 << 15) / columns)) { range in
            for line in range {
                let first = min(max(line % rows + offset + (isUpper ? 0 : 1), 0), columns)
                let start = line * columns
                let (kept, cleared) = isUpper ? (first..<columns, 0..<first) : (0..<first, first..<columns)
                target.copy(source, start + kept.lowerBound..<start + kept.upperBound, to: start + kept.lowerBound)
                target.clear(start + cleared.lowerBound..<start + cleared.upperBound)
            }
        }
    }
}

extension Expand: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient() }
    }
}

extension Tile: DifferentiableOperator {
    /// The repeats, each a dimension of its own, are summed.
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let shape = try node.input(0).shape()
            let repeats = try node.input(1).integers()
            let parts = shape.indices.flatMap { [repeats[$0], shape[$0]] }
            return try node.gradient().reshaped(to: parts)
                .sum(over: shape.indices.map { 2 * $0 }, keepingDimensions: false)
        }
    }
}

extension Trilu: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.tape.apply(
                "Trilu", [node.gradient(), node.optionalInput(1)], ["upper": .int(isUpper ? 1 : 0)])
        }
    }
}
