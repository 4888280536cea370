import CKernels
import ONNXLoader

/// Max, Min, Sum, Mean (opsets 8–13) of any number of inputs, which broadcast to a common shape.
struct VariadicArithmetic: NumericOperator {
    enum Function: String {
        case max = "Max"
        case min = "Min"
        case sum = "Sum"
        case mean = "Mean"
    }
    let function: Function

    init(_ node: inout NodeReader) throws { function = try node.family() }

    // Later inputs are read after the output has been written.
    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        var type = try inputs.required(0).type
        for index in inputs.indices.dropFirst() {
            let other = try inputs.required(index)
            guard other.elementType == type.elementType else {
                throw OperatorError("the inputs have different element types, \(type) and \(other.type)")
            }
            type.shape = try broadcast(type.shape, other.shape)
        }
        return [type]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let output = try step.mutableElements(0, of: type)
        let shape = try step.output(0).shape
        var left = try step.elements(0, of: type)
        var leftShape = try step.input(0).shape
        if step.inputCount == 1 { try step.map(left, to: output) { $0 } }
        for index in 1..<max(1, step.inputCount) {
            let broadcasting = Broadcasting([leftShape, try step.input(index).shape], to: shape)
            try combine(step, left, try step.elements(index, of: type), broadcasting, into: output)
            left = output.readable
            leftShape = shape
        }
        if function == .mean { try divide(step, output, by: step.inputCount) }
    }

    private func combine<Element: NumericElement>(
        _ step: Step, _ left: Elements<Element>, _ right: Elements<Element>, _ broadcasting: Broadcasting,
        into output: MutableElements<Element>
    ) throws {
        if let left = left as? Elements<Float>, let right = right as? Elements<Float>,
            let output = output as? MutableElements<Float>
        {
            return try step.map(left, right, broadcasting, to: output, function.kernel)
        }
        switch function {
        case .max: try step.map(left, right, broadcasting, to: output) { $0 < $1 || $1 != $1 ? $1 : $0 }
        case .min: try step.map(left, right, broadcasting, to: output) { $1 < $0 || $1 != $1 ? $1 : $0 }
        case .sum, .mean: try step.map(left, right, broadcasting, to: output) { .wrappingSum($0, $1) }
        }
    }

    private func divide<Element: NumericElement>(
        _ step: Step, _ output: MutableElements<Element>, by count: Int
    ) throws {
        try step.map(output.readable, to: output) { Element(saturating: $0.double / Double(count)) }
    }
}

extension VariadicArithmetic.Function {
    fileprivate var kernel: PairKernel {
        switch self {
        case .max: PairKernel(TS_MAXIMUM)
        case .min: PairKernel(TS_MINIMUM)
        case .sum, .mean: PairKernel(TS_ADD)
        }
    }
}

extension VariadicArithmetic: DifferentiableOperator {
    /// Of equal extremes, each gets an equal share.
    func gradient(_ node: GradientNode) throws {
        let gradient = try node.gradient()
        let inputs = try (0..<node.inputCount).map { try node.input($0) }
        let result = try node.output(0)
        switch function {
        case .sum: for index in inputs.indices { try node.contribute(to: index) { gradient } }
        case .mean:
            for index in inputs.indices { try node.contribute(to: index) { try gradient / Double(inputs.count) } }
        case .max, .min:
            let isExtreme = try inputs.map { try ($0 == result).asNumbers(like: result) }
            let share = try gradient / isExtreme.dropFirst().reduce(isExtreme[0]) { try $0 + $1 }
            for index in inputs.indices { try node.contribute(to: index) { try share * isExtreme[index] } }
        }
    }
}
