/// How Scatter operators combine an update with what is there.
enum ScatterReduction: String, CaseIterable, Sendable {
    case none, add
    case multiply = "mul"
    case max, min

    @inline(__always)
    func combine<Element: NumericElement>(_ present: Element, _ update: Element) -> Element {
        switch self {
        case .none: update
        case .add: .wrappingSum(present, update)
        case .multiply: .wrappingProduct(present, update)
        case .max: present < update || update != update ? update : present
        case .min: update < present || update != update ? update : present
        }
    }
}

/// An operator that writes updates into a copy of its first input.
protocol ScatterOperator: WordOperator {
    var reduction: ScatterReduction { get }

    /// Calls `body` for runs of updates in order: where a run starts in the updates and in the output, and its length.
    func forEachRun(_ step: Step, _ body: (_ source: Int, _ target: Int, _ count: Int) -> Void) throws
}

extension ScatterOperator {
    var inPlaceInputs: [Int] { [0] }

    func run(_ step: inout Step) throws {
        if reduction == .none {
            try runMovement(&step)
        } else {
            try ScatterCombination(scatter: self).run(&step)
        }
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        try copyData(step)
        let updates = try step.input(2).words(type)
        let target = try step.output(0).uncheckedMutableWords(type)
        try forEachRun(step) { from, to, count in
            if count == 1 { target[to] = updates[from] } else { target.copy(updates, from..<from + count, to: to) }
        }
    }

    fileprivate func copyData(_ step: Step) throws {
        let data = try step.input(0)
        let output = try step.output(0)
        guard data.storage !== output.storage || data.byteOffset != output.byteOffset else { return }
        try step.copy(StridedCopy(shape: [data.count], sourceStrides: [1]), from: data, to: 0)
    }
}

/// Updates that are combined with what is there.
private struct ScatterCombination: NumericOperator, LoweredOperator {
    let scatter: any ScatterOperator

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        try scatter.types(of: inputs, arity: arity)
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        try scatter.copyData(step)
        let updates = try step.elements(2, of: type)
        let target = try step.mutableElements(0, of: type)
        let reduction = scatter.reduction
        try scatter.forEachRun(step) { from, to, count in
            for offset in 0..<count {
                target[to + offset] = reduction.combine(target[to + offset], updates[from + offset])
            }
        }
    }
}

/// ScatterElements (opsets 11–18) and Scatter (opsets 9–10): single elements written to the place of each index but along
/// one axis, where it says itself. Later updates of one place win, or are combined in order.
struct ScatterElements: ScatterOperator {
    let axis: Int
    let reduction: ScatterReduction

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 0)
        reduction = node.opset < 16 ? .none : try node.choice("reduction", or: .none)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let data = try inputs.required(0)
        let indices = try inputs.required(1)
        let updates = try inputs.required(2)
        _ = try ElementPlaces(indices: indices.shape, data: data.shape, axis: axis)
        guard updates.type == ValueType(data.elementType, indices.shape) else {
            throw OperatorError("updates \(updates.type) do not fit \(data.type) and indices \(indices.type)")
        }
        return [data.type]
    }

    func forEachRun(_ step: Step, _ body: (_ source: Int, _ target: Int, _ count: Int) -> Void) throws {
        let indexTensor = try step.input(1)
        let places = try ElementPlaces(indices: indexTensor.shape, data: step.input(0).shape, axis: axis)
        let indices = try indexTensor.indices(below: places.size)
        for line in 0..<places.lineCount {
            places.forEach(inLine: line, indices: indices) { position, place in body(position, place, 1) }
        }
    }
}

/// ScatterND (opsets 11–18): slices written where tuples of indices say. Later updates of one place win, or are combined
/// in order.
struct ScatterND: ScatterOperator {
    let reduction: ScatterReduction

    init(_ node: inout NodeReader) throws {
        reduction = node.opset < 16 ? .none : try node.choice("reduction", or: .none)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let data = try inputs.required(0)
        let indices = try inputs.required(1)
        let updates = try inputs.required(2)
        let tuples = try IndexTuples(indices: indices.shape, data: data.shape)
        let shape = indices.shape.dropLast() + data.shape[tuples.length...]
        guard updates.type == ValueType(data.elementType, Array(shape)) else {
            throw OperatorError("updates \(updates.type) do not fit \(data.type) and indices \(indices.type)")
        }
        return [data.type]
    }

    func forEachRun(_ step: Step, _ body: (_ source: Int, _ target: Int, _ count: Int) -> Void) throws {
        let indices = try step.input(1)
        let tuples = try IndexTuples(indices: indices.shape, data: step.input(0).shape)
        for (slice, start) in try tuples.starts(indices).enumerated() {
            body(slice * tuples.sliceLength, start, tuples.sliceLength)
        }
    }
}

extension ScatterElements: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try reduction.gradient(
            node,
            gather: { try node.tape.apply("GatherElements", [$0, $1], ["axis": .int(Int64(axis))]) },
            scatter: { try node.tape.apply("ScatterElements", [$0, $1, $2], ["axis": .int(Int64(axis))]) })
    }
}

extension ScatterND: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try reduction.gradient(
            node, gather: { try node.tape.apply("GatherND", [$0, $1]) },
            scatter: { try node.tape.apply("ScatterND", [$0, $1, $2]) })
    }
}

extension ScatterReduction {
    /// What was overwritten has no gradient; an update has its place's. Places are taken to be named once.
    fileprivate func gradient(
        _ node: GradientNode, gather: (GradientValue, GradientValue) throws -> GradientValue,
        scatter: (GradientValue, GradientValue, GradientValue) throws -> GradientValue
    ) throws {
        let (gradient, indices) = (try node.gradient(), try node.input(1))
        switch self {
        case .none: try node.contribute(to: 0) { try scatter(gradient, indices, node.input(2).zeros()) }
        case .add: try node.contribute(to: 0) { gradient }
        case .multiply, .max, .min: throw OperatorError("the gradient with reduction \(rawValue) is not known")
        }
        try node.contribute(to: 2) { try gather(gradient, indices) }
    }
}
