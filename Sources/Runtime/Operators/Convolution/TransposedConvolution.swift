import ONNXLoader

/// ConvTranspose (opsets 1–22): the gradient of a convolution with respect to its input, as an operator.
struct TransposedConvolution: FloatingOperator, ActivatedOperator {
    let attributes: WindowAttributes
    let groups: Int
    let outputPadding: [Int]?
    let outputShape: [Int]?
    var activation = ActivationKernel.none

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        groups = try node.int("group", or: 1)
        outputPadding = try node.optionalInts("output_padding")
        outputShape = try node.optionalInts("output_shape")
        guard groups >= 1 else { throw OperatorError("attribute group is \(groups), but must be at least 1") }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let shape = try shape(input.type, weights: inputs.required(1).type)
        if let bias = inputs.optional(2), bias.shape != [shape.inputChannels] {
            throw OperatorError("the bias has shape \(bias.shape), not [\(shape.inputChannels)]")
        }
        return [ValueType(input.elementType, [shape.batch, shape.inputChannels] + shape.window.input)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let weights = try? inputs.required(1).shape, let input = try? inputs.required(0).shape else { return 0 }
        return saturatingProduct(input + weights.dropFirst())
    }

    /// Chooses the kernel for windows side by side, where the weights are known.
    func specialized(
        for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext
    ) throws -> any Operator {
        let (input, weights) = (try inputs.required(0), try inputs.required(1))
        guard input.elementType == .float32, let constant = weights.value else { return self }
        return try PlannedTransposedConvolution(
            self, shape: shape(input.type, weights: weights.type), weights: constant, context) ?? self
    }

    /// The convolution of which this is the transpose: its input is this operator's output.
    func shape(_ input: ValueType, weights: ValueType) throws -> ConvolutionShape {
        guard input.shape.count >= 3, weights.shape.count == input.shape.count, weights.shape[0] == input.shape[1],
            input.shape[1] % groups == 0, input.elementType == weights.elementType
        else { throw OperatorError("input \(input) and weights \(weights) do not make a transposed convolution") }
        _ = try elementCount(of: weights.shape)
        return ConvolutionShape(
            batch: input.shape[0], inputChannels: try weights.shape[1].multiplied(by: groups),
            outputChannels: input.shape[1], groups: groups,
            window: try window(spatial: Array(input.shape[2...]), kernel: Array(weights.shape[2...])))
    }

    private func window(spatial: [Int], kernel: [Int]) throws -> Window {
        let rank = spatial.count
        let strides = attributes.strides ?? Array(repeating: 1, count: rank)
        let dilations = attributes.dilations ?? Array(repeating: 1, count: rank)
        let extra = outputPadding ?? Array(repeating: 0, count: rank)
        var wanted = outputShape
        if let shape = wanted, shape.count == rank + 2 { wanted = Array(shape[2...]) }
        guard (1...3).contains(rank), attributes.kernel ?? kernel == kernel, strides.count == rank,
            dilations.count == rank, extra.count == rank, attributes.padding?.count ?? 2 * rank == 2 * rank,
            wanted?.count ?? rank == rank, kernel.allSatisfy({ $0 >= 1 && $0 <= Int32.max }),
            extra.allSatisfy({ $0 >= 0 && $0 <= Int32.max })
        else { throw OperatorError("the attributes do not fit \(rank) spatial dimensions and the kernel \(kernel)") }
        var begins: [Int] = []
        var ends: [Int] = []
        var output: [Int] = []
        for axis in 0..<rank {
            let extent = try (kernel[axis] - 1).multiplied(by: dilations[axis]) + 1
            let full = try (max(0, spatial[axis] - 1)).multiplied(by: strides[axis]).adding(extent).adding(extra[axis])
            var begin = attributes.padding?[axis] ?? 0
            var end = attributes.padding?[axis + rank] ?? 0
            var size = full - begin - end
            let isSame = attributes.autoPad == .same || attributes.autoPad == .sameLower
            if let wanted = try wanted?[axis] ?? (isSame ? spatial[axis].multiplied(by: strides[axis]) : nil) {
                let total = max(0, full - wanted)
                begin = attributes.autoPad == .same ? total / 2 : total - total / 2
                end = total - begin
                size = wanted
            } else if attributes.autoPad == .valid {
                (begin, end, size) = (0, 0, full)
            }
            guard size >= 0, size <= Int32.max else { throw OperatorError("output size \(size) is out of range") }
            begins.append(begin)
            ends.append(end)
            output.append(size)
        }
        _ = try (elementCount(of: output), elementCount(of: kernel))
        return Window(
            input: output, output: spatial, kernel: kernel, strides: strides, dilations: dilations, begins: begins,
            ends: ends)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        let shape = try shape(inputs.required(0).type, weights: inputs.required(1).type)
        return try shape.patchCount.multiplied(by: shape.window.outputCount)
            .multiplied(by: MemoryLayout<Float>.stride)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try shape(ValueType(step.input(0)), weights: ValueType(step.input(1)))
        let bias = try step.optional(2)?.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let spatial = shape.window.inputCount
        for plane in 0..<shape.batch * shape.inputChannels {
            output.fill(plane * spatial..<(plane + 1) * spatial, with: bias?[plane % shape.inputChannels] ?? 0)
        }
        if type == Float.self {
            try computeByMatrixProduct(step, shape)
        } else {
            try computeByDefinition(step, shape, type)
        }
        guard activation != .none else { return }
        try step.parallel(output.count, grain: Step.elementGrain) { output.apply(activation, $0) }
    }

    /// Patches = weightsᵀ · input, each then added to the outputs that it covers.
    private func computeByMatrixProduct(_ step: Step, _ shape: ConvolutionShape) throws {
        let input = try step.elements(0, of: Float.self)
        let weights = try step.elements(1, of: Float.self)
        let output = try step.mutableElements(0, of: Float.self)
        let columns = shape.window.outputCount
        let patches = try step.scratch(of: Float.self, count: shape.patchCount * columns)
        let channels = shape.outputChannelsPerGroup
        let tiles = GEMMTiles(rows: shape.patchCount, columns: columns, inner: channels)
        for image in 0..<shape.batch {
            for group in 0..<shape.groups {
                let inputStart = (image * shape.outputChannels + group * channels) * columns
                try step.parallel(blocks: 1, tiles) { _, rows, range in
                    BLAS.multiply(
                        .init(
                            elements: weights, start: group * channels * shape.patchCount + rows.lowerBound,
                            rowStride: shape.patchCount, isTransposed: true),
                        .init(elements: input, start: inputStart + range.lowerBound, rowStride: columns),
                        rows: rows.count, columns: range.count, inner: channels, into: patches,
                        at: rows.lowerBound * columns + range.lowerBound, resultStride: columns)
                }
                try step.parallel(shape.inputChannelsPerGroup, grain: 1) { range in
                    for channel in range {
                        ConvolutionKernels.scatterPatches(
                            patches.readable, channel: channel, shape.window, into: output,
                            plane: image * shape.inputChannels + group * shape.inputChannelsPerGroup)
                    }
                }
            }
        }
    }

    private func computeByDefinition<Element: FloatingElement>(
        _ step: Step, _ shape: ConvolutionShape, _ type: Element.Type
    ) throws {
        let input = try step.elements(0, of: type)
        let weights = try step.elements(1, of: type)
        let output = try step.mutableElements(0, of: type)
        let window = shape.window.threeDimensional
        try step.parallel(shape.batch * shape.inputChannels, grain: 1) { planes in
            for plane in planes {
                let image = plane / shape.inputChannels
                let channel = plane % shape.inputChannels
                let group = channel / shape.inputChannelsPerGroup
                for from in group * shape.outputChannelsPerGroup..<(group + 1) * shape.outputChannelsPerGroup {
                    let weightStart =
                        (from * shape.inputChannelsPerGroup + channel % shape.inputChannelsPerGroup)
                        * window.kernelCount
                    var index = (image * shape.outputChannels + from) * window.outputCount
                    for z in 0..<window.output[0] {
                        for y in 0..<window.output[1] {
                            for x in 0..<window.output[2] {
                                let value = input[index]
                                window.forEachTap(z, y, x) { place, tap in
                                    output[plane * window.inputCount + place] += value * weights[weightStart + tap]
                                }
                                index += 1
                            }
                        }
                    }
                }
            }
        }
    }
}

extension TransposedConvolution: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let (input, weights, gradient) = (try node.input(0), try node.input(1), try node.gradient())
        guard let inputType = input.type, let weightType = weights.type else {
            throw OperatorError("the gradient needs the shape of “\(input.name)”, which depends on the data")
        }
        let shape = try shape(inputType, weights: weightType)
        try node.contribute(to: 0) {
            try node.tape.apply("Conv", [gradient, weights], shape.window.direct(groups: groups))
        }
        try node.contribute(to: 1) {
            try node.tape.append(
                ConvolutionWeightGradient(shape: shape, weightShape: weightType.shape), "ConvolutionWeightGradient",
                [gradient, input])
        }
        try node.contribute(to: 2) {
            try gradient.sum(over: [0] + Array(2..<inputType.shape.count), keepingDimensions: false)
        }
    }
}
