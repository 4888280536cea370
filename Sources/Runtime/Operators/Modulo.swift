/// Mod (opsets 10–13): the remainder of a division, with the divisor's sign, or with `fmod` the dividend's.
struct Modulo: ArithmeticOperator {
    let hasSignOfDividend: Bool

    init(_ node: inout NodeReader) throws { hasSignOfDividend = try node.flag("fmod") }

    var inPlaceInputs: [Int] { [0, 1] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.broadcastPair()] }

    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws {
        let broadcasting = try step.broadcasting(2)
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        if hasSignOfDividend {
            try step.map(left, right, broadcasting, to: output) { $0.truncatingRemainder(dividingBy: $1) }
        } else {
            try step.map(left, right, broadcasting, to: output) { dividend, divisor in
                let remainder = dividend.truncatingRemainder(dividingBy: divisor)
                if remainder == 0 { return divisor < 0 ? -0.0 : 0.0 }
                return (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder
            }
        }
    }

    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws {
        let broadcasting = try step.broadcasting(2)
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        guard !right.contains(0) else { throw OperatorError("division of integers by zero") }
        if hasSignOfDividend {
            try step.map(left, right, broadcasting, to: output) { $0.wrappingRemainder($1) }
        } else {
            try step.map(left, right, broadcasting, to: output) { dividend, divisor in
                let remainder = dividend.wrappingRemainder(divisor)
                return remainder != 0 && (remainder < 0) != (divisor < 0) ? remainder &+ divisor : remainder
            }
        }
    }
}

extension IntegerElement {
    /// The remainder of truncating division, 0 where the quotient overflows.
    @inline(__always)
    fileprivate func wrappingRemainder(_ divisor: Self) -> Self {
        let (remainder, overflow) = remainderReportingOverflow(dividingBy: divisor)
        return overflow ? 0 : remainder
    }
}

extension Modulo: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let gradient = try node.gradient()
        try node.contribute(to: 0) { gradient }
        // x mod y = x - y · q with a quotient q that is constant almost everywhere.
        try node.contribute(to: 1) {
            let quotient = try (node.input(0) - node.output(0)) / node.input(1)
            return try -(gradient * quotient.apply("Round"))
        }
    }
}
