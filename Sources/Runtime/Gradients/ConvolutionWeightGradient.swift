import ONNXLoader

/// The gradient of a convolution with respect to its weights: `dW = Σ over images of dY · patches(X)ᵀ`.
///
/// Inputs: the convolution's input and the gradient of its output. Output: the weights' shape.
struct ConvolutionWeightGradient: LoweredOperator, FloatingOperator {
    let shape: ConvolutionShape
    let weightShape: [Int]

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, gradient) = (try inputs.required(0), try inputs.required(1))
        guard input.shape == [shape.batch, shape.inputChannels] + shape.window.input,
            gradient.shape == [shape.batch, shape.outputChannels] + shape.window.output
        else { throw OperatorError("\(input.type) and \(gradient.type) are not of the convolution") }
        return [ValueType(input.elementType, weightShape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([shape.batch, shape.outputChannels, shape.patchCount, shape.window.outputCount])
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        guard !shape.window.isPointwise else { return 0 }
        return try shape.patchCount.multiplied(by: shape.window.outputCount)
            .multiplied(by: MemoryLayout<Float>.stride)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        if type == Float.self { return try computeByMatrixProduct(step) }
        let input = try step.elements(0, of: type)
        let gradient = try step.elements(1, of: type)
        let output = try step.mutableElements(0, of: type)
        let window = shape.window.threeDimensional
        let shape = shape
        try step.parallel(shape.outputChannels * shape.inputChannelsPerGroup, grain: 1) { range in
            for pair in range {
                let (channel, inner) = (pair / shape.inputChannelsPerGroup, pair % shape.inputChannelsPerGroup)
                let group = channel / shape.outputChannelsPerGroup
                var sums = [Double](repeating: 0, count: window.kernelCount)
                for image in 0..<shape.batch {
                    let from =
                        (image * shape.inputChannels + group * shape.inputChannelsPerGroup + inner) * window.inputCount
                    var index = (image * shape.outputChannels + channel) * window.outputCount
                    for z in 0..<window.output[0] {
                        for y in 0..<window.output[1] {
                            for x in 0..<window.output[2] {
                                let factor = Double(gradient[index])
                                window.forEachTap(z, y, x) { source, tap in
                                    sums[tap] += factor * Double(input[from + source])
                                }
                                index += 1
                            }
                        }
                    }
                }
                for (tap, sum) in sums.enumerated() { output[pair * window.kernelCount + tap] = Element(sum) }
            }
        }
    }

    private func computeByMatrixProduct(_ step: Step) throws {
        let input = try step.elements(0, of: Float.self)
        let gradient = try step.elements(1, of: Float.self)
        let output = try step.mutableElements(0, of: Float.self)
        let columns = shape.window.outputCount
        let channels = shape.outputChannelsPerGroup
        guard columns > 0, shape.batch > 0 else { return output.fill(0..<output.count, with: 0) }
        let scratch =
            shape.window.isPointwise ? nil : try step.scratch(of: Float.self, count: shape.patchCount * columns)
        let tiles = GEMMTiles(rows: channels, columns: shape.patchCount, inner: columns)
        let shape = shape
        for image in 0..<shape.batch {
            for group in 0..<shape.groups {
                let plane = image * shape.inputChannels + group * shape.inputChannelsPerGroup
                if let scratch {
                    try step.parallel(shape.inputChannelsPerGroup, grain: 16) { range in
                        ConvolutionKernels.patches(
                            input, plane: plane, channels: range, shape.window, columns: 0..<columns, into: scratch,
                            at: range.lowerBound * shape.window.kernelCount * columns)
                    }
                }
                let patches = scratch?.readable ?? input
                let patchStart = scratch == nil ? plane * columns : 0
                let gradientStart = (image * shape.outputChannels + group * channels) * columns
                try step.parallel(blocks: 1, tiles) { _, rows, range in
                    BLAS.multiply(
                        .init(
                            elements: gradient, start: gradientStart + rows.lowerBound * columns, rowStride: columns),
                        .init(
                            elements: patches, start: patchStart + range.lowerBound * columns, rowStride: columns,
                            isTransposed: true),
                        rows: rows.count, columns: range.count, inner: columns, beta: image == 0 ? 0 : 1, into: output,
                        at: (group * channels + rows.lowerBound) * shape.patchCount + range.lowerBound,
                        resultStride: shape.patchCount)
                }
            }
        }
    }
}
