import CKernels
import Foundation

/// Functions of one real variable: roots, powers of e, trigonometric and hyperbolic functions, the error function.
struct ElementaryFunction: FloatingOperator {
    enum Function: String {
        case squareRoot = "Sqrt"
        case reciprocal = "Reciprocal"
        case exponential = "Exp"
        case logarithm = "Log"
        case errorFunction = "Erf"
        case sine = "Sin"
        case cosine = "Cos"
        case tangent = "Tan"
        case arcSine = "Asin"
        case arcCosine = "Acos"
        case arcTangent = "Atan"
        case hyperbolicSine = "Sinh"
        case hyperbolicCosine = "Cosh"
        case inverseHyperbolicSine = "Asinh"
        case inverseHyperbolicCosine = "Acosh"
        case inverseHyperbolicTangent = "Atanh"
    }
    let function: Function

    init(_ node: inout NodeReader) throws { function = try node.family() }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self, let kernel = function.kernel {
            return try step.map(step.elements(0), to: step.mutableElements(0), kernel)
        }
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let function = function.double
        try step.parallel(output.count, grain: 1 << 12) { range in
            output.assign(range, from: input, at: range.lowerBound) { Element(function($0.double)) }
        }
    }
}

extension ElementaryFunction.Function {
    /// The kernel for binary32, where there is one.
    fileprivate var kernel: FunctionKernel? {
        switch self {
        case .squareRoot: FunctionKernel(TS_SQRT)
        case .reciprocal: FunctionKernel(TS_RECIPROCAL)
        case .exponential: FunctionKernel(TS_EXP)
        case .logarithm: FunctionKernel(TS_LOG)
        case .errorFunction: FunctionKernel(TS_ERF)
        default: nil
        }
    }

    fileprivate var double: @Sendable (Double) -> Double {
        switch self {
        case .squareRoot: { $0.squareRoot() }
        case .reciprocal: { 1 / $0 }
        case .exponential: { exp($0) }
        case .logarithm: { log($0) }
        case .errorFunction: { erf($0) }
        case .sine: { sin($0) }
        case .cosine: { cos($0) }
        case .tangent: { tan($0) }
        case .arcSine: { asin($0) }
        case .arcCosine: { acos($0) }
        case .arcTangent: { atan($0) }
        case .hyperbolicSine: { sinh($0) }
        case .hyperbolicCosine: { cosh($0) }
        case .inverseHyperbolicSine: { asinh($0) }
        case .inverseHyperbolicCosine: { acosh($0) }
        case .inverseHyperbolicTangent: { atanh($0) }
        }
    }
}

extension ElementaryFunction: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient() * derivative(node.input(0), node.output(0)) }
    }

    private func derivative(_ x: GradientValue, _ y: GradientValue) throws -> GradientValue {
        switch function {
        case .squareRoot: try 0.5 / y
        case .reciprocal: try -(y * y)
        case .exponential: y
        case .logarithm: try 1 / x
        case .errorFunction: try (-(x * x)).apply("Exp") * (2 / Double.pi.squareRoot())
        case .sine: try x.apply("Cos")
        case .cosine: try -x.apply("Sin")
        case .tangent: try y * y + 1
        case .arcSine: try 1 / (1 - x * x).apply("Sqrt")
        case .arcCosine: try -1 / (1 - x * x).apply("Sqrt")
        case .arcTangent: try 1 / (x * x + 1)
        case .hyperbolicSine: try x.apply("Cosh")
        case .hyperbolicCosine: try x.apply("Sinh")
        case .inverseHyperbolicSine: try 1 / (x * x + 1).apply("Sqrt")
        case .inverseHyperbolicCosine: try 1 / (x * x - 1).apply("Sqrt")
        case .inverseHyperbolicTangent: try 1 / (1 - x * x)
        }
    }
}
