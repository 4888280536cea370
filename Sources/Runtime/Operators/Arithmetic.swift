import CKernels

/// Add, Sub, Mul, Div (opsets 1–14). Integers wrap; their quotients truncate toward zero.
struct Arithmetic: ArithmeticOperator {
    enum Function: String {
        case add = "Add"
        case subtract = "Sub"
        case multiply = "Mul"
        case divide = "Div"
    }
    let function: Function
    private let legacy: LegacyBroadcast?

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        legacy = try LegacyBroadcast(&node)
    }

    init(_ function: Function) {
        self.function = function
        legacy = nil
    }

    var inPlaceInputs: [Int] { [0, 1] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [try inputs.aligned(legacy).broadcastPair()]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        if type == Float.self {
            return try step.map(
                step.elements(0), step.elements(1), broadcasting, to: step.mutableElements(0), function.kernel)
        }
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        switch function {
        case .add: try step.map(left, right, broadcasting, to: output) { $0 + $1 }
        case .subtract: try step.map(left, right, broadcasting, to: output) { $0 - $1 }
        case .multiply: try step.map(left, right, broadcasting, to: output) { $0 * $1 }
        case .divide: try step.map(left, right, broadcasting, to: output) { $0 / $1 }
        }
    }

    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        switch function {
        case .add: try step.map(left, right, broadcasting, to: output) { $0 &+ $1 }
        case .subtract: try step.map(left, right, broadcasting, to: output) { $0 &- $1 }
        case .multiply: try step.map(left, right, broadcasting, to: output) { $0 &* $1 }
        case .divide:
            guard !right.contains(0) else { throw OperatorError("division of integers by zero") }
            // The smallest integer divided by -1 wraps to itself.
            try step.map(left, right, broadcasting, to: output) { $0.dividedReportingOverflow(by: $1).partialValue }
        }
    }
}

extension Arithmetic.Function {
    fileprivate var kernel: PairKernel {
        switch self {
        case .add: PairKernel(TS_ADD)
        case .subtract: PairKernel(TS_SUBTRACT)
        case .multiply: PairKernel(TS_MULTIPLY)
        case .divide: PairKernel(TS_DIVIDE)
        }
    }
}

extension Arithmetic: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        if let legacy { return try node.differentiate(function.rawValue, legacy) }
        let gradient = try node.gradient()
        let (left, right) = (try node.input(0), try node.input(1))
        switch function {
        case .add:
            try node.contribute(to: 0) { gradient }
            try node.contribute(to: 1) { gradient }
        case .subtract:
            try node.contribute(to: 0) { gradient }
            try node.contribute(to: 1) { try -gradient }
        case .multiply:
            try node.contribute(to: 0) { try gradient * right }
            try node.contribute(to: 1) { try gradient * left }
        case .divide:
            try node.contribute(to: 0) { try gradient / right }
            try node.contribute(to: 1) { try -(gradient * node.output(0) / right) }
        }
    }
}
