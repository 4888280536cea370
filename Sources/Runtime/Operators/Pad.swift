/// Pad (opsets 2–25): more elements at the ends of dimensions, or fewer where a padding is negative.
struct Pad: WordOperator {
    enum Mode: String, CaseIterable { case constant, reflect, edge, wrap }

    let mode: Mode
    let paddings: IntegerList
    /// The constant, where it is an attribute; else input 2 tells it.
    let value: Float?

    init(_ node: inout NodeReader) throws {
        mode = try node.choice("mode", or: .constant)
        if node.opset < 11 {
            paddings = .attribute(try node.ints("pads"))
            value = try node.float("value", or: 0)
        } else {
            paddings = .input(1)
            value = nil
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        if let constant = inputs.optional(2), constant.elementType != input.elementType {
            throw OperatorError("the constant \(constant.type) does not fit \(input.type)")
        }
        let shape = try zip(input.shape, paddings(inputs)).map { size, padding in
            let padded = try size.adding(padding.before).adding(padding.after)
            guard padded >= 0, mode == .constant || padded == 0 || size > 0 else {
                throw OperatorError(
                    "dimensions \(input.shape) cannot be padded by \(padding.before) and \(padding.after)")
            }
            return padded
        }
        return [ValueType(input.elementType, shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let input = try step.input(0)
        let output = try step.output(0)
        guard output.count > 0 else { return }
        let tables = try zip(input.shape, paddings(step.infos)).enumerated().map { axis, pair in
            try coordinates(size: pair.0, before: pair.1.before, count: output.shape[axis])
        }
        var constant: Tensor?
        if let value, value != 0 { constant = try Tensor(value).converted(to: input.elementType) }
        if let given = step.optional(2), given.count == 1 { constant = given }
        let copy = CoordinateCopy(sourceShape: input.shape, tables: tables)
        try copy.run(
            step, input.words(type), into: output.uncheckedMutableWords(type), constant: constant?.words(type)[0])
    }

    /// Elements to add before and after each dimension.
    private func paddings(_ inputs: [ValueInfo?]) throws -> [(before: Int, after: Int)] {
        let rank = try inputs.required(0).shape.count
        guard let paddings = try paddings.value(inputs) else {
            throw OperatorError("input 1, the paddings, is required")
        }
        let axes = try inputs.optionalIntegers(3) ?? Array(0..<rank)
        _ = try normalized(axes, rank: rank)
        guard paddings.count == 2 * axes.count else {
            throw OperatorError("\(paddings.count) paddings were given for \(axes.count) axes")
        }
        var result = Array(repeating: (before: 0, after: 0), count: rank)
        for (index, axis) in axes.enumerated() {
            result[try normalized(axis, rank: rank)] = (paddings[index], paddings[axes.count + index])
        }
        return result
    }

    /// For every output coordinate the input's, or -1 for the constant. What a negative padding removes is not mirrored.
    private func coordinates(size: Int, before: Int, count: Int) throws -> [Int] {
        let first = max(0, -before)
        let kept = first..<max(first, min(size, first + count - max(0, before)))
        guard mode == .constant || !kept.isEmpty else { throw OperatorError("nothing is left to pad from") }
        return (0..<count).map { position in
            let offset = position - max(0, before)
            if kept.contains(first + offset) { return first + offset }
            switch mode {
            case .constant: return -1
            case .edge: return offset < 0 ? kept.lowerBound : kept.upperBound - 1
            case .wrap:
                let remainder = offset % kept.count
                return first + (remainder < 0 ? remainder + kept.count : remainder)
            case .reflect:
                guard kept.count > 1 else { return first }
                let period = 2 * (kept.count - 1)
                let remainder = abs(offset % period)
                return first + min(remainder, period - remainder)
            }
        }
    }
}

/// CenterCropPad (opset 18): dimensions cropped or padded with zeros to given sizes, the middle kept.
struct CenterCropPad: WordOperator {
    let axes: [Int]?

    init(_ node: inout NodeReader) throws {
        axes = try node.optionalInts("axes")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let axes = axes ?? Array(input.shape.indices)
        _ = try normalized(axes, rank: input.shape.count)
        let sizes = try inputs.integers(1)
        guard sizes.count == axes.count, sizes.allSatisfy({ $0 >= 0 }) else {
            throw OperatorError("sizes \(sizes) do not fit axes \(axes)")
        }
        var shape = input.shape
        for (axis, size) in zip(axes, sizes) { shape[try normalized(axis, rank: shape.count)] = size }
        return [ValueType(input.elementType, shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let input = try step.input(0)
        let output = try step.output(0)
        guard output.count > 0 else { return }
        let tables = zip(input.shape, output.shape).map { Self.coordinates(size: $0, target: $1) }
        let copy = CoordinateCopy(sourceShape: input.shape, tables: tables)
        try copy.run(step, input.words(type), into: output.uncheckedMutableWords(type), constant: nil)
    }

    /// For every output coordinate the input's, or -1 for the padding.
    private static func coordinates(size: Int, target: Int) -> [Int] {
        let offset = target < size ? (size - target) / 2 : -((target - size) / 2)
        return (0..<target).map { (0..<size).contains($0 + offset) ? $0 + offset : -1 }
    }
}

extension Pad: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let shape = try node.input(0).shape()
            let axes = try known {
                try zip(shape, paddings(node.infos)).enumerated().map { axis, pair -> AxisAdjoint? in
                    let (size, padding) = pair
                    guard padding != (0, 0) else { return nil }
                    let count = size + padding.before + padding.after
                    return AxisAdjoint(
                        inputSize: size,
                        coordinates: try coordinates(size: size, before: padding.before, count: count))
                }
            }
            return try node.tape.append(SeparableAdjoint(axes: axes), "PadGradient", [node.gradient()])
        }
        try node.contribute(to: 2) { throw OperatorError("the gradient of the constant is not known") }
    }
}

extension CenterCropPad: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let axes = try zip(node.input(0).shape(), node.output(0).shape()).map { size, target in
                AxisAdjoint(inputSize: size, coordinates: Self.coordinates(size: size, target: target))
            }
            return try node.tape.append(SeparableAdjoint(axes: axes), "CenterCropPadGradient", [node.gradient()])
        }
    }
}
