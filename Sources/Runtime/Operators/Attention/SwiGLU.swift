import ONNXLoader

/// SwiGLU (opset 28): `a · sigmoid(α · a) · b` (Shazeer, 2020).
struct SwiGLU: FloatingOperator {
    private let kernel: ActivationKernel

    init(_ node: inout NodeReader) throws { kernel = .swish(alpha: try node.float("alpha", or: 1)) }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (gate, value) = (try inputs.required(0).type, try inputs.required(1).type)
        guard gate == value else { throw OperatorError("\(gate) and \(value) differ") }
        return [gate]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let (gate, value) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        let kernel = kernel
        try step.parallel(output.count, grain: Step.elementGrain) { range in
            output.copy(gate, range, to: range.lowerBound)
            output.apply(kernel, range)
            output.assign(
                range, from: output.readable, at: range.lowerBound, step: 1, and: value, at: range.lowerBound, step: 1,
                *)
        }
    }
}

extension SwiGLU: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        guard case .swish(let alpha) = kernel else { return }
        try node.differentiate {
            [try node.input(0).apply("Swish", ["alpha": .float(alpha)]) * node.input(1)]
        }
    }
}
