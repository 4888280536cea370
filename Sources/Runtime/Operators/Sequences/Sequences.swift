import ONNXLoader

/// An operator on sequences or optionals: what its outputs are is known when they are there.
protocol SequenceOperator: Operator {}

extension SequenceOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { throw DataDependentTypes() }
}

extension Step {
    /// A position in a sequence, counted from the end when it is negative.
    ///
    /// - Parameter count: the first position that is out of bounds.
    fileprivate func position(_ index: Int, below count: Int) throws -> Int {
        let values = try input(index).integers()
        guard values.count == 1 else { throw OperatorError("the position is \(values.count) numbers") }
        guard values[0] >= -count, values[0] < count else {
            throw OperatorError("position \(values[0]) is not one of \(count)")
        }
        return values[0] < 0 ? values[0] + count : values[0]
    }

    /// A required input of any kind.
    fileprivate func required(_ index: Int) throws -> Value {
        guard let value = value(index) else { throw OperatorError("input \(index) is required") }
        return value
    }
}

/// `SequenceEmpty`.
struct SequenceEmpty: SequenceOperator {
    init(_ node: inout NodeReader) throws {
        node.ignore("dtype")
    }

    func run(_ step: inout Step) throws { step.set(0, .sequence([])) }
}

/// `SequenceConstruct`: a sequence of the inputs.
struct SequenceConstruct: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        step.set(0, .sequence(try (0..<step.inputCount).map { try step.required($0) }))
    }
}

/// `SequenceAt`: one element.
struct SequenceAt: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        let elements = try step.sequence(0)
        step.set(0, elements[try step.position(1, below: elements.count)])
    }
}

/// `SequenceErase`: without one element, the last unless a position is given.
struct SequenceErase: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        var elements = try step.sequence(0)
        guard !elements.isEmpty else { throw OperatorError("the sequence is empty") }
        elements.remove(at: try step.value(1) == nil ? elements.count - 1 : step.position(1, below: elements.count))
        step.set(0, .sequence(elements))
    }
}

/// `SequenceInsert`: with one more element before a position, at the end unless one is given.
struct SequenceInsert: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        var elements = try step.sequence(0)
        let end = elements.count
        let isLast = try step.value(2) == nil || step.input(2).integers() == [end]
        elements.insert(try step.required(1), at: try isLast ? end : step.position(2, below: end))
        step.set(0, .sequence(elements))
    }
}

/// `SequenceLength`.
struct SequenceLength: SequenceOperator {
    init(_ node: inout NodeReader) throws {}

    func run(_ step: inout Step) throws {
        step.set(0, .tensor(Tensor(Int64(try step.sequence(0).count))))
    }
}

/// `ConcatFromSequence`: the elements along an axis, or stacked along a new one.
struct ConcatFromSequence: SequenceOperator {
    private let axis: Int
    private let isStacked: Bool

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis")
        isStacked = try node.flag("new_axis")
    }

    func run(_ step: inout Step) throws {
        let tensors = try step.sequence(0).map { value in
            guard let tensor = value.tensor else { throw OperatorError("an element is \(value.kind), not a tensor") }
            return tensor
        }
        let rank = (tensors.first?.shape.count ?? 0) + (isStacked ? 1 : 0)
        let axis = try normalized(axis, rank: rank)
        let result =
            try isStacked
            ? step.stack(tensors, axis: axis, emptyOf: .undeclared) : step.concatenate(tensors, axis: axis)
        step.set(0, .tensor(result))
    }
}

/// `SplitToSequence`: parts of given sizes along an axis, or of size 1, then perhaps without the axis.
struct SplitToSequence: SequenceOperator {
    private let axis: Int
    private let keepsAxis: Bool

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 0)
        keepsAxis = try node.flag("keepdims", or: true)
    }

    func run(_ step: inout Step) throws {
        let tensor = try step.input(0)
        let axis = try normalized(axis, rank: tensor.shape.count)
        let size = tensor.shape[axis]
        guard let split = step.optional(1) else {
            let slices = try (0..<size).map { position in
                keepsAxis
                    ? try step.part(of: tensor, axis: axis, position..<position + 1)
                    : try step.slice(of: tensor, axis: axis, at: position)
            }
            return step.set(0, .sequence(slices.map { .tensor($0) }))
        }
        var start = 0
        let parts = try sizes(split, of: size).map { length -> Value in
            defer { start += length }
            return .tensor(try step.part(of: tensor, axis: axis, start..<start + length))
        }
        step.set(0, .sequence(parts))
    }

    private func sizes(_ split: Tensor, of size: Int) throws -> [Int] {
        let values = try split.integers()
        guard split.shape.isEmpty else {
            var rest = size
            for value in values {
                guard value >= 0, value <= rest else {
                    throw OperatorError("parts of \(values) do not make up \(size)")
                }
                rest -= value
            }
            guard rest == 0 else { throw OperatorError("parts of \(values) do not make up \(size)") }
            return values
        }
        guard let length = values.first, length > 0 else { throw OperatorError("parts must have a positive size") }
        return stride(from: 0, to: size, by: length).map { Swift.min(length, size - $0) }
    }
}
