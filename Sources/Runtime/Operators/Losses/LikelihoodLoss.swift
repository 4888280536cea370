import ONNXLoader

/// The negative logarithm of the probability of each position's class, weighted by class: what NegativeLogLikelihoodLoss
/// and SoftmaxCrossEntropyLoss have in common.
///
/// Scores are `[batch, classes, …]`, classes `[batch, …]`, weights `[classes]`.
struct LikelihoodLoss: Sendable {
    private enum Reduction: String, CaseIterable { case none, sum, mean }

    private let reduction: Reduction
    /// Positions of this class do not count.
    private let ignored: Int?

    init(_ node: inout NodeReader) throws {
        reduction = try node.choice("reduction", or: .mean)
        ignored = try node.optionalInt("ignore_index")
    }

    func type(of inputs: [ValueInfo?]) throws -> ValueType {
        let (scores, classes) = (try inputs.required(0), try inputs.required(1))
        var positions = scores.shape
        if positions.count >= 2 { positions.remove(at: 1) }
        guard scores.shape.count >= 2, classes.shape == positions else {
            throw OperatorError("classes \(classes.type) do not fit scores \(scores.type)")
        }
        if let weights = inputs.optional(2),
            weights.shape != [scores.shape[1]] || weights.elementType != scores.elementType
        {
            throw OperatorError("weights \(weights.type) do not fit scores \(scores.type)")
        }
        return ValueType(scores.elementType, reduction == .none ? classes.shape : [])
    }

    /// Writes the loss to output 0.
    func compute<Element: FloatingElement>(_ step: Step, logarithms: Elements<Element>) throws {
        let layout = AxisLayout(try step.input(0).shape, axis: 1)
        let classes = try step.input(1).integers()
        let weights = try step.optional(2)?.elements(of: Element.self)
        let output = try step.mutableElements(0, of: Element.self)
        var (total, totalWeight) = (0.0, 0.0)
        for (position, index) in classes.enumerated() {
            var (loss, weight) = (0.0, 0.0)
            if index != ignored {
                guard (0..<layout.size).contains(index) else {
                    throw OperatorError("class \(index) is outside the \(layout.size) classes")
                }
                weight = weights?[index].double ?? 1
                loss = -weight * logarithms[layout.start(of: position) + index * layout.inner].double
            }
            if reduction == .none {
                output[position] = Element(loss)
            } else {
                total += loss
                totalWeight += weight
            }
        }
        switch reduction {
        case .none: break
        case .sum: output[0] = Element(total)
        case .mean: output[0] = Element(total / totalWeight)
        }
    }
}

/// NegativeLogLikelihoodLoss (opsets 12–22) of logarithms of probabilities.
struct NegativeLogLikelihoodLoss: FloatingOperator {
    private let loss: LikelihoodLoss

    init(_ node: inout NodeReader) throws { loss = try LikelihoodLoss(&node) }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try loss.type(of: inputs)] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        try loss.compute(step, logarithms: step.elements(0, of: type))
    }
}

/// SoftmaxCrossEntropyLoss (opsets 12–13) of scores; also gives the logarithms of their softmax over the classes.
struct SoftmaxCrossEntropyLoss: FloatingOperator {
    private let loss: LikelihoodLoss

    init(_ node: inout NodeReader) throws { loss = try LikelihoodLoss(&node) }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        Array([try loss.type(of: inputs), try inputs.required(0).type].prefix(arity))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let scores = try step.input(0)
        let logarithms =
            step.wants(1)
            ? try step.output(1) : try step.context.budget.allocate(ValueType(Element.elementType, scores.shape))
        try step.softmax(
            scores.elements(of: type), to: logarithms.uncheckedMutableElements(of: type),
            AxisLayout(scores.shape, axis: 1), logarithm: true)
        try loss.compute(step, logarithms: logarithms.elements(of: type))
    }
}

extension LikelihoodLoss {
    /// The loss by other operators.
    /// - Parameter logarithms: of the probabilities, `[batch, classes, …]`.
    fileprivate func value(_ node: GradientNode, _ logarithms: GradientValue) throws -> GradientValue {
        let (tape, classes) = (node.tape, try node.input(1))
        var (known, weight) = (classes, node.optionalInput(2))
        var counts: GradientValue?
        if let ignored {
            let other = try tape.constant(
                Tensor(Int64(ignored)).converted(to: classes.type?.elementType ?? .int64))
            let isCounted = try (classes == other).apply("Not")
            known = try isCounted.keep(classes)
            counts = isCounted
        }
        weight = try weight.map { try tape.apply("Gather", [$0, known]) }
        let picked = try tape.apply(
            "GatherElements", [logarithms, known.unsqueezed(1)], ["axis": .int(1)]
        ).squeezed(1)
        var share = try weight ?? tape.apply("CastLike", [known * 0 + 1, picked])
        if let counts { share = try counts.keep(share) }
        let losses = try -(picked * share)
        let axes = Array(try losses.shape().indices)
        switch reduction {
        case .none: return losses
        case .sum: return try losses.sum(over: axes, keepingDimensions: false)
        case .mean:
            return try losses.sum(over: axes, keepingDimensions: false)
                / share.sum(over: axes, keepingDimensions: false)
        }
    }
}

extension NegativeLogLikelihoodLoss: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate { [try loss.value(node, node.input(0))] }
    }
}

extension SoftmaxCrossEntropyLoss: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let logarithms = try node.input(0).apply("LogSoftmax", ["axis": .int(1)])
            return [try loss.value(node, logarithms), logarithms]
        }
    }
}
