import ONNXLoader

/// BatchNormalization (opsets 7–15), inference: `(x − mean) / √(variance + ε) · scale + bias` for each channel.
struct BatchNormalization: FloatingOperator {
    let epsilon: Float

    init(_ node: inout NodeReader) throws {
        epsilon = try node.float("epsilon", or: 1e-5)
        node.ignore("momentum", "spatial")
        // Before opset 7 a flag said it; who wants the batch's statistics also has outputs for them.
        if node.opset < 7 { node.ignore("is_test", "consumed_inputs") }
        guard try !node.flag("training_mode") else {
            throw OperatorError("training_mode is for training; export the model in evaluation mode")
        }
        guard !(1..<5).contains(where: node.hasOutput) else {
            throw OperatorError("the statistics of a batch are for training; export the model in evaluation mode")
        }
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let channels = input.shape.count > 1 ? input.shape[1] : 1
        for index in 1...4 where try inputs.required(index).shape != [channels] {
            throw OperatorError("input \(index) has shape \(try inputs.required(index).shape), not [\(channels)]")
        }
        return [input.type]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let channels = shape.count > 1 ? shape[1] : 1
        let spatial = shape.dropFirst(2).reduce(1, *)
        let parameters = try (1...4).map { try step.input($0).doubles() }
        let affine = try AffineChannels(
            scale: parameters[0], bias: parameters[1], mean: parameters[2], variance: parameters[3],
            epsilon: Double(epsilon))
        let input = try step.elements(0, of: type)
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
            let deviation = try (parameter(4) + Double(epsilon)).apply("Sqrt")
            return [try (input - parameter(3)) / deviation * parameter(1) + parameter(2)]
        }
    }
}
