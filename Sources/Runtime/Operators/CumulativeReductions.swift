import ONNXLoader

/// CumSum (opsets 11–14) and CumProd (opset 26): sums and products of all elements up to each one along an axis. Those of
/// floats run in binary64.
struct CumulativeReduction: ArithmeticOperator {
    enum Function: String {
        case sum = "CumSum"
        case product = "CumProd"
    }
    let function: Function
    private let isExclusive, isReverse: Bool

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        isExclusive = try node.flag("exclusive")
        isReverse = try node.flag("reverse")
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        guard try elementCount(of: inputs.required(1).shape) == 1 else {
            throw OperatorError("the axis \(try inputs.required(1).type) is not one number")
        }
        if let axis = inputs[1]?.value { _ = try normalized(axis.integers()[0], rank: input.shape.count) }
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws {
        switch function {
        case .sum: try scan(step, type, from: 0.0, { $0 + $1.double }, convert: { Element($0) })
        case .product: try scan(step, type, from: 1.0, { $0 * $1.double }, convert: { Element($0) })
        }
    }

    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws {
        switch function {
        case .sum: try scan(step, type, from: 0 as Element, { $0 &+ $1 }, convert: { $0 })
        case .product: try scan(step, type, from: 1 as Element, { $0 &* $1 }, convert: { $0 })
        }
    }

    private func scan<Element: NumericElement, Accumulator: Sendable>(
        _ step: Step, _ type: Element.Type, from initial: Accumulator,
        _ accumulate: @escaping @Sendable (Accumulator, Element) -> Accumulator,
        convert: @escaping @Sendable (Accumulator) -> Element
    ) throws {
        let shape = try step.input(0).shape
        guard let axis = try step.input(1).integers().first else { throw OperatorError("the axis is empty") }
        let layout = AxisLayout(shape, axis: try normalized(axis, rank: shape.count))
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let (isExclusive, isReverse) = (isExclusive, isReverse)
        try step.forEachLine(of: layout) { _, start in
            var accumulator = initial
            for position in 0..<layout.size {
                let index = start + (isReverse ? layout.size - 1 - position : position) * layout.inner
                let next = accumulate(accumulator, input[index])
                output[index] = convert(isExclusive ? accumulator : next)
                accumulator = next
            }
        }
    }
}

extension CumulativeReduction: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        guard function == .sum else { throw OperatorError("the gradient of a cumulative product is not known") }
        try node.contribute(to: 0) {
            try node.tape.apply(
                "CumSum", [node.gradient(), node.input(1)],
                ["exclusive": .int(isExclusive ? 1 : 0), "reverse": .int(isReverse ? 0 : 1)])
        }
    }
}
