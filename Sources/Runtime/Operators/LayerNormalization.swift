import ONNXLoader

/// LayerNormalization (opset 17): `(x − mean) / √(variance + ε) · scale + bias`, with the statistics over all axes from
/// `axis` on.
struct LayerNormalization: FloatingOperator {
    private let axis: Int
    private let epsilon: Double
    private let statisticsType: ElementType

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: -1)
        epsilon = Double(try node.float("epsilon", or: 1e-5))
        statisticsType = try node.elementType("stash_type") ?? .float32
    }

    init(axis: Int, epsilon: Double) {
        self.axis = axis
        self.epsilon = epsilon
        statisticsType = .float32
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        let axis = try normalized(axis, rank: input.shape.count)
        for parameter in [try inputs.required(1), inputs.optional(2)] {
            guard let parameter else { continue }
            guard parameter.elementType == input.elementType else {
                throw OperatorError("\(parameter.type) has not the type of the input \(input)")
            }
            try checkParameter(parameter.shape, broadcastsTo: input.shape)
        }
        let statistics = ValueType(
            statisticsType, input.shape.enumerated().map { $0.offset < axis ? $0.element : 1 })
        return Array([input, statistics, statistics].prefix(arity))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let axis = try normalized(axis, rank: shape.count)
        let layout = AxisLayout(shape, axes: axis..<shape.count)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let scale = try step.parameter(step.input(1), type, axis: axis)
        let bias = try step.optional(2).map { try step.parameter($0, type, axis: axis) }
        let means = step.wants(1) ? try Statistics(output: step.output(1), budget: step.context.budget) : nil
        let inverses = step.wants(2) ? try Statistics(output: step.output(2), budget: step.context.budget) : nil
        let epsilon = epsilon
        try step.forEachLine(of: layout) { row, start in
            let range = start..<start + layout.size
            let (mean, variance) = input.moments(range)
            let inverse = 1 / (variance + epsilon).squareRoot()
            input.standardize(
                to: output, range, mean: mean, factor: inverse, scale: scale.elements, at: scale.index(at: start),
                bias: bias?.elements, at: bias?.index(at: start) ?? 0)
            means?.elements[row] = Float(mean)
            inverses?.elements[row] = Float(inverse)
        }
        try means?.store()
        try inverses?.store()
    }
}

/// RMSNormalization (opset 23): `x / √(mean of x² + ε) · scale`, with the mean over all axes from `axis` on, in the scale's
/// element type.
struct RMSNormalization: Operator {
    private let axis: Int
    private let epsilon: Double

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: -1)
        epsilon = Double(try node.float("epsilon", or: 1e-5))
        // The mean is never less precise than binary32.
        node.ignore("stash_type")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, scale) = (try inputs.required(0), try inputs.required(1))
        _ = try normalized(axis, rank: input.shape.count)
        try checkParameter(scale.shape, broadcastsTo: input.shape)
        return [ValueType(scale.elementType, input.shape)]
    }

    func run(_ step: inout Step) throws {
        if try step.input(0).elementType == .float64 || step.input(1).elementType == .float64 {
            try compute(step, Double.self)
        } else {
            try compute(step, Float.self)
        }
    }

    private func compute<Element: FloatingElement>(_ step: Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let axis = try normalized(axis, rank: shape.count)
        let layout = AxisLayout(shape, axes: axis..<shape.count)
        let input = try step.widened(step.input(0), type)
        let scale = try step.parameter(step.input(1), type, axis: axis)
        let target = try step.output(0)
        let result =
            target.elementType == Element.elementType
            ? target : try step.context.budget.allocate(ValueType(Element.elementType, shape))
        let output = try result.uncheckedMutableElements(of: type)
        let epsilon = epsilon
        try step.forEachLine(of: layout) { _, start in
            let range = start..<start + layout.size
            input.standardize(
                to: output, range, mean: 0, factor: 1 / (input.meanSquare(range) + epsilon).squareRoot(),
                scale: scale.elements, at: scale.index(at: start), bias: nil, at: 0)
        }
        if target.elementType != Element.elementType { try result.convert(into: target) }
    }
}

private func checkParameter(_ shape: [Int], broadcastsTo target: [Int]) throws {
    guard try broadcast(shape, target) == target else {
        throw OperatorError("a parameter of shape \(shape) does not broadcast to \(target)")
    }
}

/// A scale or a bias for the elements of every row: the same for all rows, or each row's own.
private struct RowParameter<Element: FloatingElement>: Sendable {
    let elements: Elements<Element>
    let isShared: Bool

    /// Where those of the row lie that starts at an index of the input.
    func index(at start: Int) -> Int { isShared ? 0 : start }
}

/// A statistic of every row, kept in binary32 until it is stored as the output wants it.
private struct Statistics: Sendable {
    let elements: MutableElements<Float>
    private let tensor: Tensor
    private let output: Tensor

    init(output: Tensor, budget: MemoryBudget) throws {
        self.output = output
        tensor = output.elementType == .float32 ? output : try budget.allocate(ValueType(.float32, output.shape))
        elements = try tensor.uncheckedMutableElements(of: Float.self)
    }

    func store() throws {
        if output.elementType != .float32 { try tensor.convert(into: output) }
    }
}

extension Step {
    /// A parameter as it is when it has the shape of a row, else expanded to the shape of the first input.
    /// - Parameter axis: the first axis of a row.
    fileprivate func parameter<Element: FloatingElement>(
        _ parameter: Tensor, _ type: Element.Type, axis: Int
    ) throws -> RowParameter<Element> {
        let own = try widened(parameter, type)
        let shape = try input(0).shape
        if parameter.shape.drop(while: { $0 == 1 }).elementsEqual(shape[axis...].drop(while: { $0 == 1 })) {
            return RowParameter(elements: own, isShared: true)
        }
        let expanded = try context.budget.allocate(ValueType(Element.elementType, shape))
        let target = try expanded.uncheckedMutableElements(of: type)
        try map(own, own, Broadcasting([parameter.shape, []], to: shape), to: target) { element, _ in element }
        return RowParameter(elements: try expanded.elements(of: type), isShared: false)
    }

    /// A tensor's elements, converted where they have another type.
    func widened<Element: FloatingElement>(
        _ tensor: Tensor, _ type: Element.Type
    ) throws -> Elements<Element> {
        guard tensor.elementType != Element.elementType else { return try tensor.elements() }
        return try tensor.converted(to: Element.elementType, budget: context.budget).elements()
    }
}

extension LayerNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let rank = try input.shape().count
            let axes = Array(try normalized(axis, rank: rank)..<rank)
            let mean = try input.mean(over: axes)
            let centred = try input - mean
            let inverse = try 1 / ((centred * centred).mean(over: axes) + epsilon).apply("Sqrt")
            let scaled = try centred * inverse * node.input(1)
            return [try node.optionalInput(2).map { try scaled + $0 } ?? scaled, mean, inverse]
        }
    }
}

extension RMSNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let (input, scale) = (try node.input(0), try node.input(1))
            let rank = try input.shape().count
            let axes = Array(try normalized(axis, rank: rank)..<rank)
            let normal = try input / ((input * input).mean(over: axes) + epsilon).apply("Sqrt")
            return [try node.tape.apply("CastLike", [normal, scale]) * scale]
        }
    }
}
