import ONNXLoader

/// Conv (opsets 1–22): cross-correlation over one to three spatial dimensions, with groups, strides, dilations and
/// padding; optionally followed, in the same pass, by an addition and an activation.
struct Convolution: Operator {
    let attributes: WindowAttributes
    let groups: Int
    /// Set by lowering, and by FusedConv of `com.microsoft`: input 3 is added to the result.
    var addsResidual = false
    /// Set likewise.
    var activation = ActivationKernel.none

    /// Whether nothing follows in the same pass.
    var isBare: Bool { activation == .none && !addsResidual }

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        groups = try node.int("group", or: 1)
        guard groups >= 1 else { throw OperatorError("attribute group is \(groups), but must be at least 1") }
        guard node.node.operatorName == "FusedConv" else { return }
        activation = try node.fusedActivation(ofProduct: false)
        addsResidual = node.hasInput(3)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let shape = try shape(inputs.required(0).type, weights: inputs.required(1).type)
        if let bias = inputs.optional(2), bias.shape != [shape.outputChannels] {
            throw OperatorError("the bias has shape \(bias.shape), not [\(shape.outputChannels)]")
        }
        let type = ValueType(
            try inputs.required(0).elementType, [shape.batch, shape.outputChannels] + shape.window.output)
        if addsResidual, try inputs.required(3).type != type {
            throw OperatorError("the residual is \(try inputs.required(3).type), not \(type)")
        }
        return [type]
    }

    func shape(_ input: ValueType, weights: ValueType) throws -> ConvolutionShape {
        guard input.shape.count >= 3, weights.shape.count == input.shape.count,
            input.elementType == weights.elementType
        else { throw OperatorError("input \(input) and weights \(weights) do not make a convolution") }
        let outputChannels = weights.shape[0]
        guard input.shape[1] == (try weights.shape[1].multiplied(by: groups)), outputChannels % groups == 0 else {
            throw OperatorError("\(groups) groups of weights \(weights) do not fit the input \(input)")
        }
        _ = try elementCount(of: weights.shape)
        return ConvolutionShape(
            batch: input.shape[0], inputChannels: input.shape[1], outputChannels: outputChannels, groups: groups,
            window: try attributes.resolved(
                spatial: Array(input.shape[2...]), kernel: Array(weights.shape[2...])))
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let weights = try? inputs.required(1).shape, let output = outputs.first?.shape else { return 0 }
        return saturatingProduct(output + weights.dropFirst())
    }

    /// Chooses the kernel for known shapes.
    func specialized(
        for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext
    ) throws -> any Operator {
        guard try inputs.required(0).elementType == .float32 else { return self }
        let shape = try shape(inputs.required(0).type, weights: inputs.required(1).type)
        guard let weights = try inputs.required(1).value else {
            return PlannedConvolution(self, shape: shape, kernel: nil)
        }
        let taps = shape.window.seeingTaps
        var planned = PlannedConvolution(self, shape: shape.keeping(taps), kernel: nil)
        if planned.takesWeightsOver, taps.map(\.count) != shape.window.kernel {
            try planned.prepare(shape.weights(weights, keeping: taps, budget: context.budget), context)
            return planned
        }
        planned = PlannedConvolution(self, shape: shape, kernel: nil)
        try planned.prepare(weights, context)
        return planned
    }

    func run(_ step: inout Step) throws {
        let elementType = try step.input(0).elementType
        switch elementType {
        case .float32:
            let shape = try shape(ValueType(step.input(0)), weights: ValueType(step.input(1)))
            try PlannedConvolution(self, shape: shape, kernel: .direct).run(&step)
        case .float16, .bfloat16: try step.inSinglePrecision { try run(&$0) }
        case .float64: try ReferenceConvolution.run(&step, self, Double.self)
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// A convolution with every size known.
struct ConvolutionShape: Sendable, Hashable {
    let batch, inputChannels, outputChannels, groups: Int
    let window: Window

    var inputChannelsPerGroup: Int { inputChannels / groups }
    var outputChannelsPerGroup: Int { outputChannels / groups }
    /// Rows of the matrix of patches: the products in one output.
    var patchCount: Int { inputChannelsPerGroup * window.kernelCount }
}

/// The definition, written down: six loops. Slow; for binary64 and as the reference of every faster kernel.
enum ReferenceConvolution {
    static func run<Element: FloatingElement>(_ step: inout Step, _ convolution: Convolution, _ type: Element.Type)
        throws
    {
        let shape = try convolution.shape(ValueType(step.input(0)), weights: ValueType(step.input(1)))
        let input = try step.elements(0, of: type)
        let weights = try step.elements(1, of: type)
        let bias = try step.optional(2)?.elements(of: type)
        let residual = convolution.addsResidual ? try step.elements(3, of: type) : nil
        let activation = convolution.activation
        let output = try step.mutableElements(0, of: type)
        let window = shape.window.threeDimensional
        let spatial = window.outputCount
        try step.parallel(shape.batch * shape.outputChannels, grain: 1) { range in
            for plane in range {
                let image = plane / shape.outputChannels
                let channel = plane % shape.outputChannels
                let group = channel / shape.outputChannelsPerGroup
                var index = plane * spatial
                for z in 0..<window.output[0] {
                    for y in 0..<window.output[1] {
                        for x in 0..<window.output[2] {
                            var sum = Double(bias?[channel] ?? 0)
                            for inner in 0..<shape.inputChannelsPerGroup {
                                let from =
                                    (image * shape.inputChannels + group * shape.inputChannelsPerGroup + inner)
                                    * window.inputCount
                                let with = (channel * shape.inputChannelsPerGroup + inner) * window.kernelCount
                                window.forEachTap(z, y, x) { source, tap in
                                    sum += Double(input[from + source]) * Double(weights[with + tap])
                                }
                            }
                            output[index] = Element(activation.value(at: sum + (residual?[index].double ?? 0)))
                            index += 1
                        }
                    }
                }
            }
        }
    }
}

extension Window {
    /// Visits the taps of a three-dimensional window that see the input: its index there and the tap's.
    @inline(__always)
    func forEachTap(_ z: Int, _ y: Int, _ x: Int, _ body: (_ source: Int, _ tap: Int) -> Void) {
        for c in 0..<kernel[0] {
            let sourceZ = z * strides[0] - begins[0] + c * dilations[0]
            guard sourceZ >= 0, sourceZ < input[0] else { continue }
            for b in 0..<kernel[1] {
                let sourceY = y * strides[1] - begins[1] + b * dilations[1]
                guard sourceY >= 0, sourceY < input[1] else { continue }
                for a in 0..<kernel[2] {
                    let sourceX = x * strides[2] - begins[2] + a * dilations[2]
                    guard sourceX >= 0, sourceX < input[2] else { continue }
                    body((sourceZ * input[1] + sourceY) * input[2] + sourceX, (c * kernel[1] + b) * kernel[2] + a)
                }
            }
        }
    }
}

extension Convolution: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        guard isBare else {
            var bare = self
            (bare.addsResidual, bare.activation) = (false, .none)
            return try node.differentiate {
                let inputs = try [node.input(0), node.input(1), node.optionalInput(2)]
                let product = try node.tape.append(bare, "Conv", inputs)
                let sum = try addsResidual ? product + node.input(3) : product
                return [try node.tape.append(Activation(activation), "Activation", [sum])]
            }
        }
        let (input, weights, gradient) = (try node.input(0), try node.input(1), try node.gradient())
        guard let inputType = input.type, let weightType = weights.type else {
            throw OperatorError("the gradient needs the shape of “\(input.name)”, which depends on the data")
        }
        let shape = try shape(inputType, weights: weightType)
        try node.contribute(to: 0) {
            try node.tape.apply("ConvTranspose", [gradient, weights], shape.window.transposed(groups: groups))
        }
        try node.contribute(to: 1) {
            try node.tape.append(
                ConvolutionWeightGradient(shape: shape, weightShape: weightType.shape), "ConvolutionWeightGradient",
                [input, gradient])
        }
        try node.contribute(to: 2) {
            let rank = inputType.shape.count
            return try gradient.sum(over: [0] + Array(2..<rank), keepingDimensions: false)
        }
    }
}

extension Window {
    fileprivate var attributes: [String: Attribute] {
        func ints(_ values: [Int]) -> Attribute { .ints(values.map { Int64($0) }) }
        return [
            "kernel_shape": ints(kernel), "strides": ints(strides), "dilations": ints(dilations),
            "pads": ints(begins + ends),
        ]
    }

    /// The attributes of the transposed convolution from this window's output back to its input.
    func transposed(groups: Int) -> [String: Attribute] {
        let unseen = input.indices.map { axis in
            let extent = (kernel[axis] - 1) * dilations[axis] + 1
            return Int64((input[axis] + begins[axis] + ends[axis] - extent) % strides[axis])
        }
        return attributes.merging(["group": .int(Int64(groups)), "output_padding": .ints(unseen)]) { $1 }
    }

    /// The attributes of the convolution over this window.
    func direct(groups: Int) -> [String: Attribute] {
        attributes.merging(["group": .int(Int64(groups))]) { $1 }
    }
}
