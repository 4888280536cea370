import ONNXLoader

/// A function that a recurrent layer applies to its gates.
enum GateActivation: Sendable {
    case kernel(ActivationKernel)
    case affine(alpha: Float, beta: Float)
    /// `alpha · tanh(beta · x)`.
    case scaledTanh(alpha: Float, beta: Float)
    /// `x` from `alpha` on, else 0.
    case thresholdedRelu(alpha: Float)

    /// - Parameter name: as attributes give it, in whatever case.
    /// - Parameters:
    ///   - alphas: parameters that functions before this one have left; those that it takes are removed.
    ///   - betas: likewise.
    init(_ name: String, alphas: inout ArraySlice<Float>, betas: inout ArraySlice<Float>) throws {
        func alpha(_ absent: Float) -> Float { alphas.popFirst() ?? absent }
        func beta(_ absent: Float) -> Float { betas.popFirst() ?? absent }
        switch name.lowercased() {
        case "relu": self = .kernel(.relu)
        case "tanh": self = .kernel(.tanh)
        case "sigmoid": self = .kernel(.sigmoid)
        case "softsign": self = .kernel(.softsign)
        case "softplus": self = .kernel(.softplus)
        case "leakyrelu": self = .kernel(.leakyRelu(slope: alpha(0.01)))
        case "elu": self = .kernel(.elu(alpha: alpha(1)))
        case "hardsigmoid": self = .kernel(.hardSigmoid(alpha: alpha(0.2), beta: beta(0.5)))
        case "affine": self = .affine(alpha: alpha(1), beta: beta(0))
        case "scaledtanh": self = .scaledTanh(alpha: alpha(1), beta: beta(1))
        case "thresholdedrelu": self = .thresholdedRelu(alpha: alpha(1))
        default: throw OperatorError("activation “\(name)” is not known")
        }
    }

    /// Of the elements in `range`, in their place.
    func apply<Element: FloatingElement>(to block: MutableElements<Element>, _ range: Range<Int>) {
        switch self {
        case .kernel(let kernel): block.apply(kernel, range)
        case .affine(let alpha, let beta):
            let (factor, offset) = (Element(alpha), Element(beta))
            block.assign(range, from: block.readable, at: range.lowerBound) { factor * $0 + offset }
        case .scaledTanh(let alpha, let beta):
            let (factor, inner) = (Element(alpha), Element(beta))
            block.assign(range, from: block.readable, at: range.lowerBound) { inner * $0 }
            block.apply(.tanh, range)
            block.assign(range, from: block.readable, at: range.lowerBound) { factor * $0 }
        case .thresholdedRelu(let alpha):
            let threshold = Element(alpha)
            block.assign(range, from: block.readable, at: range.lowerBound) { $0 >= threshold ? $0 : 0 }
        }
    }
}
