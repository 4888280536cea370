import ONNXLoader

/// Relu: `max(x, 0)`.
struct Relu: NumericOperator, ActivationOperator {
    init(_ node: inout NodeReader) throws {}

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func activation(parameters: [Tensor?]) -> ActivationKernel? { .relu }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        try step.parallel(input.count, grain: 1 << 16) { range in
            output.assign(range, from: input, at: range.lowerBound) { $0 < 0 ? 0 : $0 }
        }
    }
}
