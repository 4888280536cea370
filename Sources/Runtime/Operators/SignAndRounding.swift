import CKernels
import ONNXLoader

/// Abs, Neg, Sign (opsets 6–13) of any numeric type. The opposite of the smallest integer wraps to itself.
struct SignFunction: NumericOperator {
    enum Function: String {
        case magnitude = "Abs"
        case negation = "Neg"
        case sign = "Sign"
    }
    let function: Function

    init(_ node: inout NodeReader) throws { function = try node.family() }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self, let kernel = function.kernel {
            return try step.map(step.elements(0), to: step.mutableElements(0), kernel)
        }
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        switch function {
        case .magnitude: try step.map(input, to: output) { $0 < 0 ? .wrappingDifference(0, $0) : $0 }
        case .negation: try step.map(input, to: output) { .wrappingDifference(0, $0) }
        case .sign:
            // NaN, which is neither, stays.
            try step.map(input, to: output) { $0 > 0 ? 1 : $0 < 0 ? .wrappingDifference(0, 1) : $0 }
        }
    }
}

extension SignFunction.Function {
    fileprivate var kernel: FunctionKernel? {
        switch self {
        case .magnitude: FunctionKernel(TS_ABS)
        case .negation: FunctionKernel(TS_NEGATE)
        case .sign: nil
        }
    }
}

/// Floor, Ceil, Round (opsets 6–22); Round takes halves to the even neighbour.
struct Rounding: FloatingOperator {
    enum Function: String {
        case floor = "Floor"
        case ceiling = "Ceil"
        case nearest = "Round"
    }
    let function: Function

    init(_ node: inout NodeReader) throws { function = try node.family() }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self {
            return try step.map(step.elements(0), to: step.mutableElements(0), function.kernel)
        }
        let rule = function.rule
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { $0.rounded(rule) }
    }
}

extension Rounding.Function {
    fileprivate var kernel: FunctionKernel {
        switch self {
        case .floor: FunctionKernel(TS_FLOOR)
        case .ceiling: FunctionKernel(TS_CEIL)
        case .nearest: FunctionKernel(TS_ROUND)
        }
    }

    fileprivate var rule: FloatingPointRoundingRule {
        switch self {
        case .floor: .down
        case .ceiling: .up
        case .nearest: .toNearestOrEven
        }
    }
}

extension SignFunction: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let gradient = try node.gradient()
        switch function {
        case .magnitude: try node.contribute(to: 0) { try gradient * node.input(0).apply("Sign") }
        case .negation: try node.contribute(to: 0) { try -gradient }
        case .sign: break
        }
    }
}

extension Rounding: DifferentiableOperator {
    /// Steps are flat almost everywhere.
    func gradient(_ node: GradientNode) throws {}
}
