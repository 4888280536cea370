import ONNXLoader

/// MeanVarianceNormalization (opsets 9–13): `(x − mean) / (√variance + 10⁻⁹)`, with the statistics over some axes.
struct MeanVarianceNormalization: FloatingOperator {
    private let axes: [Int]

    init(_ node: inout NodeReader) throws { axes = try node.ints("axes", or: [0, 2, 3]) }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        _ = try normalized(axes, rank: input.shape.count)
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let layout = ReductionLayout(shape, reducing: try normalized(axes, rank: shape.count))
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        try step.forEachOutput(of: layout) { outputs, start in
            // Contiguous elements of one output, or one element of each of several outputs.
            let length = layout.reducesRuns ? layout.runLength : outputs.count
            let outputStep = layout.reducesRuns ? 0 : 1
            var means = [Double](repeating: 0, count: outputs.count)
            var factors = means
            func forEachElement(_ body: (_ index: Int, _ output: Int) -> Void) {
                layout.forEachRun { distance in
                    for position in 0..<length { body(start + distance + position, position * outputStep) }
                }
            }
            forEachElement { means[$1] += input[$0].double / Double(layout.reducedCount) }
            forEachElement { index, output in
                let deviation = input[index].double - means[output]
                factors[output] += deviation * deviation / Double(layout.reducedCount)
            }
            for index in factors.indices { factors[index] = 1 / (factors[index].squareRoot() + 1e-9) }
            forEachElement { output[$0] = Element((input[$0].double - means[$1]) * factors[$1]) }
        }
    }
}

/// LpNormalization (opsets 1–22): elements divided by the sum of magnitudes (p = 1) or the Euclidean norm (p = 2) of their
/// line along an axis; zeros stay zeros.
struct LpNormalization: FloatingOperator {
    private let axis: Int
    private let usesMagnitudes: Bool

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: -1)
        let p = try node.int("p", or: 2)
        guard p == 1 || p == 2 else { throw OperatorError("p is \(p), not 1 or 2") }
        usesMagnitudes = p == 1
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        _ = try normalized(axis, rank: input.shape.count)
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let layout = AxisLayout(shape, axis: try normalized(axis, rank: shape.count))
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let usesMagnitudes = usesMagnitudes
        try step.forEachLine(of: layout) { _, start in
            let indices = stride(from: start, to: start + layout.size * layout.inner, by: layout.inner)
            let norm =
                usesMagnitudes
                ? indices.reduce(0) { $0 + abs(input[$1].double) }
                : indices.reduce(0) { $0 + input[$1].double * input[$1].double }.squareRoot()
            for index in indices { output[index] = norm == 0 ? 0 : Element(input[index].double / norm) }
        }
    }
}

extension MeanVarianceNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let axes = try normalized(axes, rank: input.shape().count)
            let centred = try input - input.mean(over: axes)
            return [try centred / ((centred * centred).mean(over: axes).apply("Sqrt") + 1e-9)]
        }
    }
}

extension LpNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let axes = [try normalized(axis, rank: input.shape().count)]
            return [
                usesMagnitudes
                    ? try input / input.apply("Abs").sum(over: axes)
                    : try input / (input * input).sum(over: axes).apply("Sqrt")
            ]
        }
    }
}
