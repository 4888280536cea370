import ONNXLoader

/// SkipLayerNormalization and SkipSimplifiedLayerNormalization of `com.microsoft`: the normalisation, over the last
/// dimension, of the sum of the input, a skip connection and perhaps a bias; the sum is output 3. The simplified one
/// divides by the root of the mean square only.
struct SkipLayerNormalization: FloatingOperator {
    private enum Function: String {
        case full = "SkipLayerNormalization"
        case simplified = "SkipSimplifiedLayerNormalization"
    }
    private let function: Function
    private let epsilon: Double

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        epsilon = Double(try node.float("epsilon", or: 1e-12))
        guard !node.hasOutput(1), !node.hasOutput(2) else {
            throw OperatorError("mean and deviation are outputs for training; export the model in evaluation mode")
        }
    }

    /// Which input is added to the normalised numbers, if any can be, and which to those before.
    private var inputs: (beta: Int?, bias: Int) { function == .full ? (3, 4) : (nil, 3) }

    func types(of infos: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, skip) = (try infos.required(0).type, try infos.required(1))
        guard let size = input.shape.last, skip.elementType == input.elementType,
            skip.shape.drop(while: { $0 == 1 }) == input.shape.suffix(skip.shape.drop(while: { $0 == 1 }).count),
            skip.shape.last == size
        else { throw OperatorError("a skip connection \(skip.type) does not fit \(input)") }
        _ = try infos.required(2)
        for index in 2..<max(3, infos.count) {
            if let info = infos.optional(index), info.type != ValueType(input.elementType, [size]) {
                throw OperatorError("input \(index) is \(info.type), not \(ValueType(input.elementType, [size]))")
            }
        }
        return Array(repeating: input, count: arity)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let layout = AxisLayout(shape, axis: shape.count - 1)
        let (input, skip) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let scale = try step.elements(2, of: type)
        let beta = try inputs.beta.flatMap { try step.optional($0)?.elements(of: type) }
        let bias = try step.optional(inputs.bias)?.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let sum = step.wants(3) ? try step.mutableElements(3, of: type) : output
        let (epsilon, isCentred) = (epsilon, function == .full)
        try step.forEachLine(of: layout) { _, start in
            let range = start..<start + layout.size
            sum.assign(range, from: input, at: start, step: 1, and: skip, at: start % skip.count, step: 1, +)
            if let bias { sum.accumulate(range, from: bias, at: 0, times: 1) }
            sum.readable.normalize(
                to: output, range, isCentred: isCentred, epsilon: epsilon, scale: scale, bias: beta)
        }
    }
}

extension Elements where Element: FloatingElement {
    /// Normalises the elements in `range`, with a scale and perhaps a bias for each; the target may be the same memory.
    /// - Parameter isCentred: whether the mean is taken off.
    func normalize(
        to target: MutableElements<Element>, _ range: Range<Int>, isCentred: Bool, epsilon: Double,
        scale: Elements<Element>, bias: Elements<Element>?
    ) {
        let (mean, variance) = isCentred ? moments(range) : (0, meanSquare(range))
        standardize(
            to: target, range, mean: mean, factor: 1 / (variance + epsilon).squareRoot(), scale: scale, at: 0,
            bias: bias, at: 0)
    }
}

extension SkipLayerNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let (input, skip) = (try node.input(0), try node.input(1))
            let rank = try input.shape().count
            let sum = try node.optionalInput(inputs.bias).map { try input + skip + $0 } ?? (input + skip)
            let centred = function == .full ? try sum - sum.mean(over: [rank - 1]) : sum
            let deviation = try ((centred * centred).mean(over: [rank - 1]) + epsilon).apply("Sqrt")
            let scaled = try centred / deviation * node.input(2)
            let beta = inputs.beta.flatMap { node.optionalInput($0) }
            return [try beta.map { try scaled + $0 } ?? scaled, nil, nil, sum]
        }
    }
}
