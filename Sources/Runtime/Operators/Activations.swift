import ONNXLoader

/// An operator that applies one activation to its only input: Sigmoid, HardSigmoid, HardSwish, Tanh, Gelu, Swish, Mish, Elu,
/// Selu, Celu, LeakyRelu, Softplus, Softsign.
struct Activation: FloatingOperator, ActivationOperator {
    enum Function: String {
        case sigmoid = "Sigmoid"
        case hardSigmoid = "HardSigmoid"
        case hardSwish = "HardSwish"
        case tanh = "Tanh"
        case gelu = "Gelu"
        case swish = "Swish"
        /// Of `com.microsoft`.
        case quickGelu = "QuickGelu"
        case mish = "Mish"
        case elu = "Elu"
        case selu = "Selu"
        case celu = "Celu"
        case leakyRelu = "LeakyRelu"
        case softplus = "Softplus"
        case softsign = "Softsign"
    }
    private enum Approximation: String, CaseIterable { case none, tanh }
    let kernel: ActivationKernel

    init(_ node: inout NodeReader) throws {
        kernel =
            switch try node.family(Function.self) {
            case .sigmoid: .sigmoid
            case .hardSigmoid:
                .hardSigmoid(alpha: try node.float("alpha", or: 0.2), beta: try node.float("beta", or: 0.5))
            case .hardSwish: .hardSwish
            case .tanh: .tanh
            case .gelu: .gelu(approximate: try node.choice("approximate", or: Approximation.none) == .tanh)
            case .swish: .swish(alpha: try node.float("alpha", or: 1))
            case .quickGelu: .swish(alpha: try node.float("alpha", or: 1.702))
            case .mish: .mish
            case .elu: .elu(alpha: try node.float("alpha", or: 1))
            case .selu:
                .selu(
                    alpha: try node.float("alpha", or: 1.67326319217681884765625),
                    gamma: try node.float("gamma", or: 1.05070102214813232421875))
            case .celu: .celu(alpha: try node.float("alpha", or: 1))
            case .leakyRelu: .leakyRelu(slope: try node.float("alpha", or: 0.01))
            case .softplus: .softplus
            case .softsign: .softsign
            }
    }

    init(_ kernel: ActivationKernel) { self.kernel = kernel }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func activation(parameters: [Tensor?]) -> ActivationKernel? { kernel }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self {
            return try step.map(step.elements(0), to: step.mutableElements(0), kernel.function)
        }
        let kernel = kernel
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { Element(kernel.value(at: $0.double)) }
    }
}

extension Activation: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient() * kernel.derivative(at: node.input(0), value: node.output(0)) }
    }
}
