import ONNXLoader

extension GradientValue {
    /// The same elements under another shape.
    func reshaped(to shape: [Int]) throws -> GradientValue {
        if type?.shape == shape { return self }
        return try tape.apply("Reshape", [self, tape.integers(shape)], ["allowzero": .int(1)])
    }

    /// The same elements under the shape of another value.
    func reshaped(like other: GradientValue) throws -> GradientValue {
        guard let shape = other.type?.shape else {
            return try tape.append(ReshapeLike(), "ReshapeLike", [self, other])
        }
        return try reshaped(to: shape)
    }

    /// The sum over some axes.
    func sum(over axes: [Int], keepingDimensions: Bool = true) throws -> GradientValue {
        guard !axes.isEmpty else { return self }
        return try tape.apply(
            "ReduceSum", [self, tape.integers(axes)], ["keepdims": .int(keepingDimensions ? 1 : 0)])
    }

    /// The mean over some axes, which stay with size 1.
    func mean(over axes: [Int]) throws -> GradientValue {
        guard !axes.isEmpty else { return self }
        return try tape.apply("ReduceMean", [self, tape.integers(axes)], ["keepdims": .int(1)])
    }

    func expanded(to shape: [Int]) throws -> GradientValue {
        if type?.shape == shape { return self }
        return try tape.apply("Expand", [self, tape.integers(shape)])
    }

    func transposed(_ permutation: [Int]) throws -> GradientValue {
        if permutation == Array(permutation.indices) { return self }
        return try apply("Transpose", ["perm": .ints(permutation.map { Int64($0) })])
    }

    /// With the last two dimensions exchanged.
    func matrixTransposed() throws -> GradientValue {
        let rank = try shape().count
        return try transposed(Array(0..<rank - 2) + [rank - 1, rank - 2])
    }

    func squeezed(_ axis: Int) throws -> GradientValue { try tape.apply("Squeeze", [self, tape.integers([axis])]) }
    func unsqueezed(_ axis: Int) throws -> GradientValue { try tape.apply("Unsqueeze", [self, tape.integers([axis])]) }

    /// The elements `range` along one axis.
    func slice(_ range: Range<Int>, axis: Int) throws -> GradientValue {
        try tape.apply(
            "Slice",
            [
                self, tape.integers([range.lowerBound]), tape.integers([range.upperBound]), tape.integers([axis]),
            ])
    }

    /// Of this value's shape and element type, all zeros.
    func zeros() throws -> GradientValue {
        guard let type else { return try tape.append(ZerosLike(), "ZerosLike", [self]) }
        return try number(0).expanded(to: type.shape)
    }

    /// The gradient of a value that was broadcast: summed over the repeats, or itself repeated where it lacks them.
    func fitted(to other: GradientValue) throws -> GradientValue {
        guard let own = type?.shape, let target = other.type?.shape else {
            return try tape.append(SumLike(), "SumLike", [self, other])
        }
        if own == target { return self }
        let extra = own.count - target.count
        guard extra >= 0 else { return try expanded(to: target) }
        let axes = own.indices.filter { $0 < extra || (target[$0 - extra] == 1 && own[$0] != 1) }
        return try sum(over: axes).reshaped(to: own.indices.dropFirst(extra).map { axes.contains($0) ? 1 : own[$0] })
            .expanded(to: target)
    }
}

/// A scalar of the first input's element type, for inputs whose type is known in a run only.
struct NumberLike: LoweredOperator {
    let value: Double

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(try inputs.required(0).elementType, [])]
    }

    func run(_ step: inout Step) throws { try Tensor(value).convert(into: step.output(0)) }
}

/// The first input's elements under the shape of the second.
struct ReshapeLike: LoweredOperator {
    var isView: Bool { true }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, reference) = (try inputs.required(0), try inputs.required(1))
        guard try elementCount(of: input.shape) == elementCount(of: reference.shape) else {
            throw OperatorError("\(input.type) has other elements than \(reference.type)")
        }
        return [ValueType(input.elementType, reference.shape)]
    }
}

/// Zeros of the input's type.
struct ZerosLike: LoweredOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func run(_ step: inout Step) throws { try step.output(0).clear() }
}

/// The first input summed over the dimensions along which the second one, of broadcastable shape, has size 1 or none.
struct SumLike: LoweredOperator, FloatingOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(1).type] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let target = try step.output(0).shape
        let joint = try broadcast(shape, target)
        guard joint == shape else {
            // The gradient itself repeats: every element of the output reads one of the input.
            return try step.map(
                step.elements(0, of: type), step.elements(0, of: type), Broadcasting([shape, []], to: target),
                to: step.mutableElements(0)
            ) { element, _ in element }
        }
        let extra = shape.count - target.count
        let axes = shape.indices.filter { $0 < extra || (target[$0 - extra] == 1 && shape[$0] != 1) }
        try step.reduce(
            step.elements(0, of: type), ReductionLayout(shape, reducing: axes), to: step.mutableElements(0), from: 0.0,
            { $0 + $1.double }, finish: { Element($0) })
    }
}

extension Tensor {
    /// Sets all bits to zero: for a step's outputs only, whose memory is the step's.
    func clear() {
        UnsafeMutableRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount])
            .initializeMemory(as: UInt8.self, repeating: 0)
    }
}
