import ONNXLoader

/// BatchNormalization (opsets 7–15): `(x − mean) / √(variance + ε) · scale + bias` for each channel.
///
/// In training the statistics are the batch's own; the given ones, moved towards them, are outputs 1 and 2, and before
/// opset 14 the batch's are outputs 3 and 4.
struct BatchNormalization: FloatingOperator {
    let epsilon: Float
    let isTraining: Bool
    /// How much of the given statistics stays.
    private let momentum: Float

    init(_ node: inout NodeReader) throws {
        epsilon = try node.float("epsilon", or: 1e-5)
        momentum = try node.float("momentum", or: 0.9)
        // Before opset 7 a flag said whether it trains; who wants the batch's statistics also has outputs for them.
        if node.opset < 7 { node.ignore("is_test", "consumed_inputs") }
        guard try node.int("spatial", or: 1) == 1 else { throw OperatorError("spatial 0 is not supported") }
        let givesStatistics = (1..<5).contains(where: node.hasOutput)
        isTraining = node.opset < 14 ? givesStatistics : try node.flag("training_mode")
        guard isTraining || !givesStatistics else {
            throw OperatorError("the statistics of a batch are outputs in training_mode only")
        }
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let channels = input.shape.count > 1 ? input.shape[1] : 1
        for index in 1...4 where try inputs.required(index).shape != [channels] {
            throw OperatorError("input \(index) has shape \(try inputs.required(index).shape), not [\(channels)]")
        }
        let statistics = [try inputs.required(3).type, try inputs.required(4).type]
        return Array(([input.type] + statistics + statistics).prefix(arity))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let channels = shape.count > 1 ? shape[1] : 1
        let spatial = shape.dropFirst(2).reduce(1, *)
        let input = try step.elements(0, of: type)
        var parameters = try (1...4).map { try step.input($0).doubles() }
        if isTraining {
            let batch = BatchStatistics(input, channels: channels, spatial: spatial)
            let kept = Double(momentum)
            for (index, own) in [batch.means, batch.variances].enumerated() {
                let moved = zip(parameters[2 + index], own).map { $0 * kept + $1 * (1 - kept) }
                for (output, values) in [(1 + index, moved), (3 + index, own)] where step.wants(output) {
                    try Tensor(values, shape: [channels]).convert(into: step.output(output))
                }
                parameters[2 + index] = own
            }
        }
        let affine = try AffineChannels(
            scale: parameters[0], bias: parameters[1], mean: parameters[2], variance: parameters[3],
            epsilon: Double(epsilon))
        let output = try step.mutableElements(0, of: type)
        try step.parallel(channels == 0 ? 0 : shape[0] * channels, grain: max(1, (1 << 16) / max(1, spatial))) {
            planes in
            for plane in planes {
                let factor = Element(affine.factors[plane % channels])
                let offset = Element(affine.offsets[plane % channels])
                let range = plane * spatial..<(plane + 1) * spatial
                output.assign(range, from: input, at: range.lowerBound) { $0 * factor + offset }
            }
        }
    }
}

/// The mean and the variance of each channel.
private struct BatchStatistics {
    private(set) var means, variances: [Double]

    init<Element: FloatingElement>(_ input: Elements<Element>, channels: Int, spatial: Int) {
        means = Array(repeating: 0, count: channels)
        variances = means
        let planes = input.count / max(1, spatial)
        var moments = Array(repeating: (mean: 0.0, variance: 0.0), count: planes)
        let batch = Double(planes / max(1, channels))
        for plane in 0..<planes {
            moments[plane] = input.moments(plane * spatial..<(plane + 1) * spatial)
            means[plane % channels] += moments[plane].mean / batch
        }
        for plane in 0..<planes {
            let distance = moments[plane].mean - means[plane % channels]
            variances[plane % channels] += (moments[plane].variance + distance * distance) / batch
        }
    }
}

/// A normalisation with fixed statistics as `x · factor + offset` for each channel, worked out in binary64.
struct AffineChannels: Sendable {
    let factors, offsets: [Double]

    init(scale: [Double], bias: [Double], mean: [Double], variance: [Double], epsilon: Double) throws {
        guard [bias, mean, variance].allSatisfy({ $0.count == scale.count }) else {
            throw OperatorError("scale, bias, mean and variance have different sizes")
        }
        let factors = zip(scale, variance).map { $0 / ($1 + epsilon).squareRoot() }
        self.factors = factors
        offsets = bias.indices.map { bias[$0] - mean[$0] * factors[$0] }
    }
}

extension Tensor {
    /// The elements of a floating-point tensor, exactly.
    func doubles() throws -> [Double] {
        try converted(to: .float64).array(of: Double.self)
    }
}

extension BatchNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let input = try node.input(0)
        let rank = try input.shape().count
        let channels = [1] + (rank > 1 ? [-1] + Array(repeating: 1, count: rank - 2) : [])
        func parameter(_ index: Int) throws -> GradientValue {
            let value = try node.input(index)
            return try value.reshaped(to: channels.map { $0 < 0 ? try value.shape()[0] : $0 })
        }
        try node.differentiate {
            guard isTraining else {
                let deviation = try (parameter(4) + Double(epsilon)).apply("Sqrt")
                return [try (input - parameter(3)) / deviation * parameter(1) + parameter(2)]
            }
            let axes = (0..<rank).filter { $0 != 1 }
            let mean = try input.mean(over: axes)
            let centred = try input - mean
            let variance = try (centred * centred).mean(over: axes)
            let deviation = try (variance + Double(epsilon)).apply("Sqrt")
            let own = try [mean.reshaped(like: node.input(3)), variance.reshaped(like: node.input(4))]
            let kept = Double(momentum)
            let moved = try own.enumerated().map { try node.input(3 + $0) * kept + $1 * (1 - kept) }
            return [try centred / deviation * parameter(1) + parameter(2)] + moved + own
        }
    }
}
