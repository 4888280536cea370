import CKernels
import Foundation
import ONNXLoader

/// Pow (opsets 1–15): the first input to the power of the second, in the first one's element type.
struct Power: ArithmeticOperator {
    private let legacy: LegacyBroadcast?

    init(_ node: inout NodeReader) throws { legacy = try LegacyBroadcast(&node) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let inputs = try inputs.aligned(legacy)
        let (base, exponent) = (try inputs.required(0), try inputs.required(1))
        return [ValueType(base.elementType, try broadcast(base.shape, exponent.shape))]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws {
        let base = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let exponent = try step.input(1)
        if exponent.count == 1, base.count == output.count {
            switch try exponent.doubles()[0] {
            case 2:
                if let base = base as? Elements<Float>, let output = output as? MutableElements<Float> {
                    let alike = Broadcasting([[base.count], [base.count]], to: [base.count])
                    return try step.map(base, base, alike, to: output, PairKernel(TS_MULTIPLY))
                }
                return try step.map(base, to: output) { $0 * $0 }
            case 3: return try step.map(base, to: output) { $0 * $0 * $0 }
            case 4:
                return try step.map(base, to: output) {
                    let square = $0 * $0
                    return square * square
                }
            // Unlike the power, a square root keeps the sign of -0 and of -∞ makes NaN.
            case 0.5: return try step.map(base, to: output) { $0 == -.infinity ? .infinity : ($0 + 0).squareRoot() }
            case -0.5: return try step.map(base, to: output) { $0 == -.infinity ? 0 : 1 / ($0 + 0).squareRoot() }
            case -1: return try step.map(base, to: output) { 1 / $0 }
            // The square's inverse would be 0 before the inverse's square is.
            case -2:
                return try step.map(base, to: output) {
                    let inverse = 1 / $0
                    return inverse * inverse
                }
            case 0: return try step.map(base, to: output) { _ in 1 }
            case 1: return try step.map(base, to: output) { $0 }
            default: break
            }
        }
        let exponents = try exponent.converted(to: .float64, budget: step.context.budget).elements(of: Double.self)
        try step.map(base, exponents, step.broadcastingPair(legacy), to: output) { Element(pow($0.double, $1)) }
    }

    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws {
        let base = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let exponent = try step.input(1)
        switch exponent.elementType {
        case .float16, .bfloat16, .float32, .float64:
            let exponents = try exponent.converted(to: .float64, budget: step.context.budget).elements(of: Double.self)
            try step.map(base, exponents, step.broadcastingPair(legacy), to: output) {
                Element(saturating: pow($0.double, $1))
            }
        default:
            let exponents = try exponent.converted(to: .int64, budget: step.context.budget).elements(of: Int64.self)
            if base.contains(0), exponents.contains(where: { $0 < 0 }), exponent.elementType != .uint64 {
                throw OperatorError("zero to a negative power in integers")
            }
            try step.map(base, exponents, step.broadcastingPair(legacy), to: output) { $0.wrappingPower($1) }
        }
    }
}

extension IntegerElement {
    /// The power by repeated squaring; a negative one truncates toward zero.
    fileprivate func wrappingPower(_ exponent: Int64) -> Self {
        guard exponent >= 0 else {
            if self == 1 { return 1 }
            return Self.isSigned && self == 0 &- 1 ? (exponent % 2 == 0 ? 1 : self) : 0
        }
        var result: Self = 1
        var square = self
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = result &* square }
            square = square &* square
            rest >>= 1
        }
        return result
    }
}

extension Power: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        if let legacy { return try node.differentiate("Pow", legacy) }
        let gradient = try node.gradient()
        let base = try node.input(0)
        let exponent = try node.tape.apply("CastLike", [node.input(1), base])
        try node.contribute(to: 0) {
            try gradient * exponent * node.tape.apply("Pow", [base, exponent - 1])
        }
        // At a base of 0 the power does not change with the exponent.
        try node.contribute(to: 1) {
            let logarithm = try (base > 0).choose(base, else: base.number(1)).apply("Log")
            return try node.tape.apply("CastLike", [gradient * node.output(0) * logarithm, node.input(1)])
        }
    }
}
