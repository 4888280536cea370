/// A binary32 convolution of known shape, by the kernel that suits it; bias, residual and activation are applied to each
/// block right after it is computed.
struct PlannedConvolution: LoweredOperator {
    /// The ways of computing a convolution.
    enum Kernel: String, Sendable, CaseIterable {
        /// A matrix product with the input as it lies.
        case pointwise = "gemm 1×1"
        /// A matrix product with patches, made for some columns at a time so that they stay in cache.
        case patches = "im2col panels + gemm"
        /// A matrix product for each tap, where it sees the input.
        case taps = "gemm per tap"
        /// One channel at a time.
        case depthwise = "depthwise"
        /// Winograd's transforms for tiles of 2×2, 3×3 and 4×4 outputs.
        case winograd2 = "winograd F(2×2,3×3)"
        case winograd3 = "winograd F(3×3,3×3)"
        case winograd4 = "winograd F(4×4,3×3)"
        /// The same for windows that move by 2, which see even and odd rows and columns by up to two taps.
        case winogradStrided = "winograd F(3×3,2×2), stride 2"
        /// Along rows alone, for wide windows that move by 2 over few channels.
        case winogradRows = "winograd F(4,4) along rows, stride 2"
        /// Transforms of a dilated convolution's phases, each as a whole.
        case phases = "transformed phases"
        /// The definition in binary64.
        case direct = "direct"

        var winogradTile: WinogradKernel.Tile? {
            switch self {
            case .winograd2: .init(side: 2, stride: 1)
            case .winograd3: .init(side: 3, stride: 1)
            case .winograd4: .init(side: 4, stride: 1)
            case .winogradStrided: .init(side: 3, stride: 2)
            default: nil
            }
        }
    }

    let convolution: Convolution
    let shape: ConvolutionShape
    let kernel: Kernel
    var matrices = MatrixKernel.best
    var winogradSizes = WinogradSizes()
    /// The weights as the kernel reads them; nil where they are known in a run only.
    var weights: Elements<Float>?

    /// - Parameter kernel: nil for the one that suits the shape best.
    init(_ convolution: Convolution, shape: ConvolutionShape, kernel: Kernel?) {
        self.convolution = convolution
        self.shape = shape
        self.kernel = kernel ?? Self.best(for: shape)
    }

    /// Takes constant weights over.
    /// - Throws: `RuntimeError.memoryLimit`.
    mutating func prepare(_ constant: Tensor, _ context: RunContext) throws {
        guard let layout = weightLayout else { return }
        let source = try constant.elements(of: Float.self)
        weights = try context.weights.elements(
            of: constant, layout, count: preparedCount, budget: context.budget
        ) { try prepare(source, into: $0, context.pool) }
    }

    /// Whether `prepare` keeps the weights, in an order of the kernel's own.
    var takesWeightsOver: Bool { weightLayout != nil }

    private var weightLayout: PreparedWeights.Layout? {
        switch kernel {
        case .pointwise, .patches: .rows(groups: shape.groups)
        case .taps, .winograd2, .winograd3, .winograd4, .winogradStrided, .phases: .taps(groups: shape.groups)
        case .winogradRows: .rowTaps(groups: shape.groups)
        case .depthwise, .direct: nil
        }
    }

    /// Elements of the weights as the kernel reads them; 0 where that is as they are.
    var preparedCount: Int {
        get throws {
            switch kernel {
            case .pointwise, .patches: try rowCount(depth: shape.patchCount).multiplied(by: shape.groups)
            case .taps, .winograd2, .winograd3, .winograd4, .winogradStrided, .phases: try tapWeightCount
            case .winogradRows: try rowWeightCount
            case .depthwise, .direct: 0
            }
        }
    }

    func prepare(_ source: Elements<Float>, into target: MutableElements<Float>, _ pool: ThreadPool) throws {
        switch kernel {
        case .pointwise, .patches: try packRows(source, into: target, pool)
        case .taps, .winograd2, .winograd3, .winograd4, .winogradStrided, .phases:
            try packTaps(source, into: target, pool)
        case .winogradRows: try packRowTaps(source, into: target, pool)
        case .depthwise, .direct: break
        }
    }

    /// Elements of one group's weights, packed.
    func rowCount(depth: Int) throws -> Int {
        try matrices.packedCount(rows: shape.outputChannelsPerGroup, depth: depth)
    }

    var kernelName: String { kernel.rawValue }
    var inPlaceInputs: [Int] { [] }
    var preparedInputs: Set<Int> { weights == nil ? [] : [1] }
    var preparedByteCount: Int { (weights?.count ?? 0) * MemoryLayout<Float>.stride }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        try convolution.types(of: inputs, arity: arity)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        convolution.multiplyAdds(inputs: inputs, outputs: outputs)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try (weightScratchCount + kernelScratchCount(threads: threads)).multiplied(by: MemoryLayout<Float>.stride)
    }

    /// Elements of scratch memory for weights that are not constants, a multiple of 16.
    private var weightScratchCount: Int {
        get throws { weights == nil ? try (preparedCount + 15) & ~15 : 0 }
    }

    private func kernelScratchCount(threads: Int) throws -> Int {
        switch kernel {
        case .pointwise, .patches: try productScratchCount(threads: threads)
        case .taps: try tapScratchCount(threads: threads)
        case .winograd2, .winograd3, .winograd4, .winogradStrided, .phases: try transformScratchCount(threads: threads)
        case .winogradRows: try rowScratchCount(threads: threads)
        case .depthwise, .direct: 0
        }
    }

    func run(_ step: inout Step) throws {
        guard kernel != .direct else {
            return try ReferenceConvolution.run(&step, convolution, Float.self)
        }
        let pool = step.context.pool
        let weightCount = try weightScratchCount
        let memory = try step.scratch(
            of: Float.self, count: weightCount + kernelScratchCount(threads: pool.threads))
        if kernel == .depthwise { return try runDepthwise(step, Work(step, self, try step.elements(1))) }
        var prepared = weights
        if prepared == nil {
            let source = try step.elements(1, of: Float.self)
            guard source.count == shape.outputChannels * shape.patchCount else { throw wrongOperands }
            let target = MutableElements<Float>(base: memory.base, count: try preparedCount)
            try prepare(source, into: target, pool)
            prepared = target.readable
        }
        guard let prepared, prepared.count == (try preparedCount) else { throw wrongOperands }
        let work = try Work(step, self, prepared)
        let scratch = memory.dropFirst(weightCount)
        switch kernel {
        case .pointwise, .patches: try runProducts(step, work, scratch)
        case .taps: try runTaps(step, work, scratch)
        default:
            if kernel == .winogradRows {
                try runWinogradRows(step, work, scratch)
            } else {
                try runTransformed(step, work, scratch)
            }
            // A tile's neighbours may be computed later: other activations wait for all.
            guard work.limits == nil, work.activation != .none else { return }
            try step.parallel(work.output.count, grain: 1 << 15) { work.activation.apply(to: work.output, $0) }
        }
    }

    fileprivate var wrongOperands: OperatorError { OperatorError("the operands are not of the planned shape") }

    /// The operands, and what is done to a finished block.
    struct Work: Sendable {
        let input, weights: Elements<Float>
        let bias, residual: Elements<Float>?
        let output: MutableElements<Float>
        let activation: ActivationKernel
        /// The activation, where it can be done while results are in registers.
        let limits: ClosedRange<Float>?

        init(_ step: Step, _ planned: PlannedConvolution, _ weights: Elements<Float>) throws {
            try self.init(
                planned, input: step.elements(0), weights: weights, bias: step.optional(2)?.elements(of: Float.self),
                residual: planned.convolution.addsResidual ? step.elements(3) : nil, output: step.mutableElements(0))
        }

        init(
            _ planned: PlannedConvolution, input: Elements<Float>, weights: Elements<Float>, bias: Elements<Float>?,
            residual: Elements<Float>?, output: MutableElements<Float>
        ) throws {
            let shape = planned.shape
            (self.input, self.weights, self.bias, self.residual) = (input, weights, bias, residual)
            self.output = output
            activation = planned.convolution.activation
            limits = activation.limits
            let inputCount = shape.batch * shape.inputChannels * shape.window.inputCount
            let outputCount = shape.batch * shape.outputChannels * shape.window.outputCount
            guard input.count == inputCount, output.count == outputCount,
                planned.kernel != .depthwise || weights.count == shape.outputChannels * shape.patchCount,
                bias?.count ?? shape.outputChannels == shape.outputChannels,
                residual?.count ?? outputCount == outputCount
            else { throw planned.wrongOperands }
        }
    }

    private func runDepthwise(_ step: Step, _ work: Work) throws {
        let spatial = shape.window.outputCount
        let activation = work.residual == nil ? work.activation : .none
        let rest = work.residual == nil ? activation.inMemory : work.activation
        let kernel = DepthwiseKernel(shape.window, activation)
        let (channels, perGroup) = (shape.outputChannels, shape.outputChannelsPerGroup)
        try step.parallel(shape.batch * channels, grain: max(1, (1 << 15) / max(1, spatial))) { planes in
            var plane = planes.lowerBound
            while plane < planes.upperBound {
                let (image, channel) = (plane / channels, plane % channels)
                let count = perGroup == 1 ? min(planes.upperBound - plane, channels - channel) : 1
                kernel.convolve(
                    work.input, plane: image * shape.inputChannels + channel / perGroup, work.weights,
                    bias: work.bias, channel: channel, count: count, into: work.output, plane: plane)
                plane += count
            }
            let range = planes.lowerBound * spatial..<planes.upperBound * spatial
            if let residual = work.residual {
                ConvolutionKernels.addBias(0, residual: residual, to: work.output, range)
            }
            if rest != .none { rest.apply(to: work.output, range) }
        }
    }
}
