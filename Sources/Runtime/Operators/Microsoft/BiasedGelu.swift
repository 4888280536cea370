import ONNXLoader

/// BiasGelu and FastGelu of `com.microsoft`: GELU of the input plus a bias along its last dimension; FastGelu takes the
/// approximation by tanh, and its bias may be absent.
struct BiasedGelu: FloatingOperator {
    private enum Function: String {
        case exact = "BiasGelu"
        case fast = "FastGelu"
    }
    private let kernel: ActivationKernel

    init(_ node: inout NodeReader) throws { kernel = .gelu(approximate: try node.family(Function.self) == .fast) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        if let bias = inputs.optional(1) {
            guard bias.shape.count == 1, bias.elementType == input.elementType,
                try broadcast(bias.shape, input.shape) == input.shape
            else { throw OperatorError("a bias \(bias.type) does not fit \(input)") }
        } else if kernel == .gelu(approximate: false) {
            _ = try inputs.required(1)
        }
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let (input, output) = (try step.elements(0, of: type), try step.mutableElements(0, of: type))
        let kernel = kernel
        if let bias = try step.optional(1)?.elements(of: type) {
            try step.map(input, bias, step.broadcasting(2), to: output) { $0 + $1 }
            return try step.parallel(output.count, grain: Step.elementGrain) { output.apply(kernel, $0) }
        }
        try step.parallel(output.count, grain: Step.elementGrain) { range in
            output.assign(range, from: input, at: range.lowerBound) { $0 }
            output.apply(kernel, range)
        }
    }
}

extension BiasedGelu: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let sum = try node.optionalInput(1).map { try input + $0 } ?? input
            let isApproximate = kernel == .gelu(approximate: true)
            return [
                try sum.apply("Gelu", ["approximate": .string(Array((isApproximate ? "tanh" : "none").utf8))])
            ]
        }
    }
}
