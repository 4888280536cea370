/// A binary32 convolution of known shape, by the kernel that suits it; bias, residual and activation are applied to each
/// block right after it is computed.
struct PlannedConvolution: LoweredOperator {
    /// The ways of computing a convolution.
    enum Kernel: String, Sendable, CaseIterable {
        /// One matrix product on the input as it lies.
        case pointwise = "gemm 1×1"
        /// One channel at a time.
        case depthwise = "depthwise"
        /// The matrix of patches by panels of columns that stay in cache, each multiplied as soon as it is made.
        case panels = "im2col panels + gemm"
        /// The whole matrix of patches, for maps too small to split.
        case matrix = "im2col + gemm"
        /// The definition in binary64.
        case direct = "direct"
    }

    let convolution: Convolution
    let shape: ConvolutionShape
    let kernel: Kernel

    /// - Parameter kernel: nil for the one that suits the shape best.
    init(_ convolution: Convolution, shape: ConvolutionShape, kernel: Kernel?) {
        self.convolution = convolution
        self.shape = shape
        self.kernel = kernel ?? Self.best(for: shape)
    }

    static func best(for shape: ConvolutionShape) -> Kernel {
        if supports(.depthwise, shape) { return .depthwise }
        if supports(.pointwise, shape) { return .pointwise }
        return GEMMTiles(rows: shape.outputChannelsPerGroup, columns: shape.window.outputCount, inner: shape.patchCount)
            .columnBlocks >= 4 ? .panels : .matrix
    }

    static func supports(_ kernel: Kernel, _ shape: ConvolutionShape) -> Bool {
        switch kernel {
        case .pointwise: shape.window.isPointwise
        case .depthwise: shape.inputChannelsPerGroup == 1
        case .panels, .matrix, .direct: true
        }
    }

    var kernelName: String { kernel.rawValue }
    var inPlaceInputs: [Int] { [] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        try convolution.types(of: inputs, arity: arity)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        convolution.multiplyAdds(inputs: inputs, outputs: outputs)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        switch kernel {
        case .pointwise, .depthwise, .direct: return 0
        case .panels: return try panelCount.multiplied(by: threads).multiplied(by: MemoryLayout<Float>.stride)
        case .matrix:
            return try shape.patchCount.multiplied(by: shape.window.outputCount)
                .multiplied(by: MemoryLayout<Float>.stride)
        }
    }

    private var tiles: GEMMTiles {
        GEMMTiles(rows: shape.outputChannelsPerGroup, columns: shape.window.outputCount, inner: shape.patchCount)
    }

    private var panelCount: Int { (shape.patchCount * min(tiles.columns, shape.window.outputCount) + 15) & ~15 }

    func run(_ step: inout Step) throws {
        guard kernel != .direct else {
            return try ReferenceConvolution.run(&step, convolution, Float.self)
        }
        let work = try Work(step, shape: shape, convolution: convolution)
        switch kernel {
        case .pointwise: try runPointwise(step, work)
        case .depthwise: try runDepthwise(step, work)
        case .panels: try runPanels(step, work)
        case .matrix: try runMatrix(step, work)
        case .direct: break
        }
    }

    /// The operands, and what is done to a finished block.
    private struct Work: Sendable {
        let input, weights: Elements<Float>
        let bias, residual: Elements<Float>?
        let output: MutableElements<Float>
        let activation: ActivationKernel
        let spatial: Int

        init(_ step: Step, shape: ConvolutionShape, convolution: Convolution) throws {
            input = try step.elements(0)
            weights = try step.elements(1)
            bias = try step.optional(2)?.elements(of: Float.self)
            residual = convolution.addsResidual ? try step.elements(3) : nil
            output = try step.mutableElements(0)
            activation = convolution.activation
            spatial = shape.window.outputCount
            let inputCount = shape.batch * shape.inputChannels * shape.window.inputCount
            let outputCount = shape.batch * shape.outputChannels * spatial
            guard input.count == inputCount, output.count == outputCount,
                weights.count == shape.outputChannels * shape.patchCount,
                bias?.count ?? shape.outputChannels == shape.outputChannels,
                residual?.count ?? outputCount == outputCount
            else { throw OperatorError("the operands are not of the planned shape") }
        }

        /// Adds bias and residual to columns of one output plane, then applies the activation.
        func finish(plane: Int, channel: Int, columns: Range<Int>) {
            let range = plane * spatial + columns.lowerBound..<plane * spatial + columns.upperBound
            ConvolutionKernels.addBias(bias?[channel] ?? 0, residual: residual, to: output, range)
            activation.apply(to: output, range)
        }
    }

    private func runPointwise(_ step: Step, _ work: Work) throws {
        try step.parallel(blocks: shape.batch * shape.groups, tiles) { block, rows, columns in
            let image = block / shape.groups
            let group = block % shape.groups
            let firstPlane = image * shape.outputChannels + group * shape.outputChannelsPerGroup
            let inputStart = (image * shape.inputChannels + group * shape.inputChannelsPerGroup) * work.spatial
            multiply(
                work, group: group, rows: rows, columns: columns,
                patches: .init(
                    elements: work.input, start: inputStart + columns.lowerBound, rowStride: work.spatial),
                firstPlane: firstPlane)
        }
    }

    /// One block of the product of weights and patches.
    private func multiply(
        _ work: Work, group: Int, rows: Range<Int>, columns: Range<Int>, patches: BLAS.Matrix<Float>, firstPlane: Int
    ) {
        let channels = shape.outputChannelsPerGroup
        BLAS.multiply(
            .init(
                elements: work.weights, start: (group * channels + rows.lowerBound) * shape.patchCount,
                rowStride: shape.patchCount),
            patches, rows: rows.count, columns: columns.count, inner: shape.patchCount, into: work.output,
            at: (firstPlane + rows.lowerBound) * work.spatial + columns.lowerBound, resultStride: work.spatial)
        for row in rows {
            work.finish(plane: firstPlane + row, channel: group * channels + row, columns: columns)
        }
    }

    private func runPanels(_ step: Step, _ work: Work) throws {
        let panelCount = panelCount
        let scratch = ScratchSlots(
            try step.scratch(of: Float.self, count: panelCount * step.context.pool.threads), slotCount: panelCount)
        let wholeRows = GEMMTiles(tiles, rows: shape.outputChannelsPerGroup)
        try step.parallel(blocks: shape.batch * shape.groups, wholeRows) { block, rows, columns in
            let image = block / shape.groups
            let group = block % shape.groups
            try scratch.withSlot { panel in
                ConvolutionKernels.patches(
                    work.input, plane: image * shape.inputChannels + group * shape.inputChannelsPerGroup,
                    channels: 0..<shape.inputChannelsPerGroup, shape.window, columns: columns, into: panel, at: 0)
                multiply(
                    work, group: group, rows: rows, columns: columns,
                    patches: .init(elements: panel.readable, rowStride: columns.count),
                    firstPlane: image * shape.outputChannels + group * shape.outputChannelsPerGroup)
            }
        }
    }

    private func runMatrix(_ step: Step, _ work: Work) throws {
        let patches = try step.scratch(of: Float.self, count: shape.patchCount * work.spatial)
        let rowsPerChannel = shape.window.kernelCount
        for image in 0..<shape.batch {
            for group in 0..<shape.groups {
                try step.parallel(shape.inputChannelsPerGroup, grain: 16) { channels in
                    ConvolutionKernels.patches(
                        work.input, plane: image * shape.inputChannels + group * shape.inputChannelsPerGroup,
                        channels: channels, shape.window, columns: 0..<work.spatial, into: patches,
                        at: channels.lowerBound * rowsPerChannel * work.spatial)
                }
                try step.parallel(blocks: 1, tiles) { _, rows, columns in
                    multiply(
                        work, group: group, rows: rows, columns: columns,
                        patches: .init(
                            elements: patches.readable, start: columns.lowerBound, rowStride: work.spatial),
                        firstPlane: image * shape.outputChannels + group * shape.outputChannelsPerGroup)
                }
            }
        }
    }

    private func runDepthwise(_ step: Step, _ work: Work) throws {
        let window = shape.window.threeDimensional
        let rows = window.output[0] * window.output[1]
        try step.parallel(shape.batch * shape.outputChannels, grain: max(1, (1 << 15) / max(1, work.spatial))) {
            planes in
            for plane in planes {
                let channel = plane % shape.outputChannels
                let source =
                    plane / shape.outputChannels * shape.inputChannels + channel / shape.outputChannelsPerGroup
                ConvolutionKernels.depthwise(
                    work.input, plane: source, work.weights, channel: channel, bias: work.bias?[channel] ?? 0, window,
                    rows: 0..<rows, into: work.output, plane: plane)
                let range = plane * work.spatial..<(plane + 1) * work.spatial
                if let residual = work.residual {
                    ConvolutionKernels.addBias(0, residual: residual, to: work.output, range)
                }
                work.activation.apply(to: work.output, range)
            }
        }
    }
}
