import CKernels
import ONNXLoader

/// Relu: `max(x, 0)`.
struct Relu: NumericOperator, ActivationOperator {
    init(_ node: inout NodeReader) throws {}

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func activation(parameters: [Tensor?]) -> ActivationKernel? { .relu }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self {
            return try step.map(step.elements(0), to: step.mutableElements(0), ActivationKernel.relu.function)
        }
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { $0 < 0 ? 0 : $0 }
    }
}

/// PRelu (opsets 1–16): `x < 0 ? slope · x : x`, the slope broadcast to the input.
struct PRelu: NumericOperator {
    private let legacy: LegacyBroadcast?

    init(_ node: inout NodeReader) throws { legacy = try LegacyBroadcast(&node, axis: 1) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        guard try inputs.aligned(legacy).broadcastPair() == input else {
            throw OperatorError("the slope \(try inputs.required(1).type) does not broadcast to \(input)")
        }
        return [input]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        if type == Float.self {
            return try step.map(
                step.elements(0), step.elements(1), broadcasting, to: step.mutableElements(0), PairKernel(TS_PRELU))
        }
        try step.map(
            step.elements(0, of: type), step.elements(1, of: type), broadcasting, to: step.mutableElements(0)
        ) { $0 < 0 ? .wrappingProduct($0, $1) : $0 }
    }
}

/// ThresholdedRelu (opset 10): `x > alpha ? x : 0`.
struct ThresholdedRelu: FloatingOperator {
    let threshold: Float

    init(_ node: inout NodeReader) throws { threshold = try node.float("alpha", or: 1) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let threshold = Element(threshold)
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { $0 > threshold ? $0 : 0 }
    }
}

/// Shrink (opset 9): `x + bias` below `-lambd`, `x - bias` above `lambd`, 0 between.
struct Shrink: NumericOperator {
    let bias, threshold: Double

    init(_ node: inout NodeReader) throws {
        bias = Double(try node.float("bias", or: 0))
        threshold = Double(try node.float("lambd", or: 0.5))
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let (bias, threshold) = (bias, threshold)
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { element in
            let x = element.double
            if x < -threshold { return Element(saturating: x + bias) }
            return x > threshold ? Element(saturating: x - bias) : 0
        }
    }
}

/// Clip (opsets 6–13): every element limited to `[min, max]`; an absent bound does not limit.
struct Clip: NumericOperator, ActivationOperator {
    private enum Bounds {
        case attributes(low: Float, high: Float)
        /// Whether the inputs 1 and 2 are given.
        case inputs(low: Bool, high: Bool)
    }
    private let bounds: Bounds

    init(_ node: inout NodeReader) throws {
        bounds =
            node.opset < 11
            ? .attributes(
                low: try node.float("min", or: -.infinity), high: try node.float("max", or: .infinity))
            : .inputs(low: node.hasInput(1), high: node.hasInput(2))
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        for bound in [inputs.optional(1), inputs.optional(2)] {
            guard let bound else { continue }
            guard bound.elementType == input.elementType, try elementCount(of: bound.shape) == 1 else {
                throw OperatorError("the bound \(bound.type) is not one \(input.elementType.name)")
            }
        }
        return [input.type]
    }

    func activation(parameters: [Tensor?]) -> ActivationKernel? {
        func bound(_ index: Int, isGiven: Bool, absent: Float) -> Float? {
            guard isGiven else { return absent }
            guard index < parameters.count, let tensor = parameters[index], tensor.count == 1 else { return nil }
            return (try? tensor.doubles()[0]).map { Float($0) }
        }
        switch bounds {
        case .attributes(let low, let high): return .clip(low: low, high: high)
        case .inputs(let hasLow, let hasHigh):
            guard let low = bound(0, isGiven: hasLow, absent: -.infinity),
                let high = bound(1, isGiven: hasHigh, absent: .infinity)
            else { return nil }
            return .clip(low: low, high: high)
        }
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let low, high: Element
        switch bounds {
        case .attributes(let lowest, let highest):
            low = Element(saturating: Double(lowest))
            high = Element(saturating: Double(highest))
        case .inputs:
            low = try step.optional(1)?.array(of: type).first ?? Element(saturating: -.infinity)
            high = try step.optional(2)?.array(of: type).first ?? Element(saturating: .infinity)
        }
        if let low = low as? Float, let high = high as? Float {
            return try step.map(
                step.elements(0), to: step.mutableElements(0), ActivationKernel.clip(low: low, high: high).function)
        }
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { element in
            let limited = element < low ? low : element
            return limited > high ? high : limited
        }
    }
}

extension Relu: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try (node.output(0) > 0).keep(node.gradient()) }
    }
}

extension PRelu: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        if let legacy { return try node.differentiate("PRelu", legacy) }
        let gradient = try node.gradient()
        let isNegative = try node.input(0) < 0
        try node.contribute(to: 0) { try isNegative.choose(gradient * node.input(1), else: gradient) }
        try node.contribute(to: 1) { try isNegative.keep(gradient * node.input(0)) }
    }
}

extension ThresholdedRelu: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try (node.input(0) > Double(threshold)).keep(node.gradient()) }
    }
}

extension Shrink: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try (node.input(0).apply("Abs") > threshold).keep(node.gradient()) }
    }
}

extension Clip: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let (input, output, gradient) = (try node.input(0), try node.output(0), try node.gradient())
        try node.contribute(to: 0) { try (input == output).keep(gradient) }
        // Of bounds that cross, the upper one wins.
        let isLimited = try node.tape.apply("Not", [input == output])
        let high = node.optionalInput(2)
        try node.contribute(to: 1) {
            let isLow = try high.map { try node.tape.apply("Less", [output, $0]) } ?? isLimited
            return try isLimited.keep(isLow.keep(gradient))
        }
        try node.contribute(to: 2) { try isLimited.keep((output == node.input(2)).keep(gradient)) }
    }
}
