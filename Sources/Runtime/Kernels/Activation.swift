import CKernels
import Foundation

/// A function that is applied to every element of a block of binary32, in place where a producer has just written it.
enum ActivationKernel: Sendable, Hashable {
    case none
    case relu
    case clip(low: Float, high: Float)
    case leakyRelu(slope: Float)
    case sigmoid
    case hardSigmoid(alpha: Float, beta: Float)
    case hardSwish
    /// With the error function, or with its approximation by tanh.
    case gelu(approximate: Bool)
    case tanh
    /// `x · sigmoid(alpha · x)`; SiLU at 1.
    case swish(alpha: Float)
    case mish
    case elu(alpha: Float)
    case selu(alpha: Float, gamma: Float)
    case celu(alpha: Float)
    case softplus
    case softsign

    /// Applies it to the elements of `range`.
    @inline(__always)
    func apply(to block: MutableElements<Float>, _ range: Range<Int>) {
        guard self != .none else { return }
        function.apply(block.readable, at: range.lowerBound, into: block, range)
    }

    /// Sets the elements of `range` from as many of `source`, from `index` on.
    @inline(__always)
    func apply(_ source: Elements<Float>, at index: Int, into target: MutableElements<Float>, _ range: Range<Int>) {
        function.apply(source, at: index, into: target, range)
    }

    /// As the kernels in C take it.
    var function: FunctionKernel {
        switch self {
        case .none: FunctionKernel(TS_IDENTITY)
        case .relu: FunctionKernel(TS_RELU)
        case .clip(let low, let high): FunctionKernel(TS_CLIP, low, high)
        case .leakyRelu(let slope): FunctionKernel(TS_LEAKY_RELU, slope)
        case .sigmoid: FunctionKernel(TS_SIGMOID)
        case .hardSigmoid(let alpha, let beta): FunctionKernel(TS_HARD_SIGMOID, alpha, beta)
        case .hardSwish: FunctionKernel(TS_HARD_SWISH)
        case .gelu(let approximate): FunctionKernel(approximate ? TS_GELU_TANH : TS_GELU)
        case .tanh: FunctionKernel(TS_TANH)
        case .swish(let alpha): FunctionKernel(TS_SWISH, alpha)
        case .mish: FunctionKernel(TS_MISH)
        case .elu(let alpha): FunctionKernel(TS_ELU, alpha)
        case .selu(let alpha, let gamma): FunctionKernel(TS_SELU, alpha, gamma)
        case .celu(let alpha): FunctionKernel(TS_CELU, alpha)
        case .softplus: FunctionKernel(TS_SOFTPLUS)
        case .softsign: FunctionKernel(TS_SOFTSIGN)
        }
    }
}

extension ActivationKernel {
    /// The function in binary64.
    func value(at x: Double) -> Double {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        func limit(_ x: Double) -> Double { x < 0 ? 0 : x > 1 ? 1 : x }
        switch self {
        case .none: return x
        case .relu: return x < 0 ? 0 : x
        case .clip(let low, let high): return x < Double(low) ? Double(low) : x > Double(high) ? Double(high) : x
        case .leakyRelu(let slope): return x < 0 ? Double(slope) * x : x
        case .sigmoid: return sigmoid(x)
        case .hardSigmoid(let alpha, let beta): return limit(Double(alpha) * x + Double(beta))
        case .hardSwish: return x * limit(x / 6 + 0.5)
        case .gelu(approximate: false): return 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        case .gelu(approximate: true):
            return 0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .tanh: return Foundation.tanh(x)
        case .swish(let alpha): return x * sigmoid(Double(alpha) * x)
        case .mish: return x * Foundation.tanh(log1p(exp(min(x, 100))))
        case .elu(let alpha): return x < 0 ? Double(alpha) * expm1(x) : x
        case .selu(let alpha, let gamma): return Double(gamma) * (x < 0 ? Double(alpha) * expm1(x) : x)
        case .celu(let alpha): return x < 0 ? Double(alpha) * expm1(x / Double(alpha)) : x
        case .softplus: return max(x, 0) + log1p(exp(-abs(x)))
        case .softsign: return x / (1 + abs(x))
        }
    }
}

/// A function of one variable in C, with its parameters.
struct FunctionKernel: Sendable {
    let function: ts_function
    let alpha: Float
    let beta: Float

    init(_ function: ts_function, _ alpha: Float = 0, _ beta: Float = 0) {
        self.function = function
        self.alpha = alpha
        self.beta = beta
    }

    /// Sets the elements of `range` from as many of `source`, from `index` on; both may be the same memory at the same
    /// place.
    func apply(_ source: Elements<Float>, at index: Int, into target: MutableElements<Float>, _ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= target.count && index >= 0
                && range.count <= source.count - index, "element range out of bounds")
        guard !range.isEmpty, let from = source.pointer else { return }
        ts_apply_f32(
            function, alpha, beta, from + index, target.pointer(at: range.lowerBound), range.count)
    }
}

extension Elements<Float> {
    /// For kernels in C, whose processors read at any alignment.
    var pointer: UnsafePointer<Float>? { base?.assumingMemoryBound(to: Float.self) }
}
