/// A binary32 transposed convolution with constant weights whose windows lie side by side, as in upsampling by kernels as
/// large as their strides: every output is one element of `weightsᵀ · input`.
struct PlannedTransposedConvolution: LoweredOperator {
    private let convolution: TransposedConvolution
    /// The convolution of which this is the transpose: its input is this operator's output.
    private let shape: ConvolutionShape
    private let weights: Elements<Float>
    private let matrices = MatrixKernel.best

    /// Input positions of a block: what they make stays in a second-level cache until it is put into place.
    private static let blockColumns = 240

    /// - Returns: nil where windows overlap, or leave gaps or a margin.
    init?(
        _ convolution: TransposedConvolution, shape: ConvolutionShape, weights constant: Tensor, _ context: RunContext
    ) throws {
        let window = shape.window
        guard window.strides == window.kernel, window.dilations.allSatisfy({ $0 == 1 }),
            window.begins.allSatisfy({ $0 == 0 }),
            window.input == (try zip(window.output, window.strides).map { try $0.multiplied(by: $1) })
        else { return nil }
        self.convolution = convolution
        self.shape = shape
        let (rows, depth, matrices) = (shape.patchCount, shape.outputChannelsPerGroup, matrices)
        let size = try matrices.packedCount(rows: rows, depth: depth)
        let source = try constant.elements(of: Float.self)
        weights = try context.weights.elements(
            of: constant, .transposedRows(groups: shape.groups), count: try size.multiplied(by: shape.groups),
            budget: context.budget
        ) { target in
            for group in 0..<shape.groups {
                matrices.packRows(
                    source, start: group * depth * rows, rowStride: 1, columnStride: rows, rows: rows, depth: depth,
                    into: target, at: group * size)
            }
        }
    }

    var kernelName: String { "gemm, tiles" }
    var preparedInputs: Set<Int> { [1] }
    var preparedByteCount: Int { weights.count * MemoryLayout<Float>.stride }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        try convolution.types(of: inputs, arity: arity)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        convolution.multiplyAdds(inputs: inputs, outputs: outputs)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try slotCount.multiplied(by: threads).multiplied(by: MemoryLayout<Float>.stride)
    }

    /// Elements of the input's part of a slot.
    private var inputCount: Int {
        matrices.packingCount(columns: Self.blockColumns, depth: shape.outputChannelsPerGroup)
    }

    private var slotCount: Int {
        get throws { try shape.patchCount.multiplied(by: Self.blockColumns).adding(inputCount).adding(15) & ~15 }
    }

    func run(_ step: inout Step) throws { try multiply(step) }

    private func multiply(_ step: Step) throws {
        let input = try step.elements(0, of: Float.self)
        let bias = try step.optional(2)?.elements(of: Float.self)
        let output = try step.mutableElements(0, of: Float.self)
        let spatial = shape.window.outputCount
        guard input.count == shape.batch * shape.outputChannels * spatial,
            output.count == shape.batch * shape.inputChannels * shape.window.inputCount,
            bias?.count ?? shape.inputChannels == shape.inputChannels
        else { throw OperatorError("the operands are not of the planned shape") }
        let (count, inputCount) = (try slotCount, inputCount)
        let slots = ScratchSlots(
            try step.scratch(of: Float.self, count: count * step.context.pool.threads), slotCount: count)
        let (rows, depth) = (shape.patchCount, shape.outputChannelsPerGroup)
        let size = try matrices.packedCount(rows: rows, depth: depth)
        let blocks = (spatial + Self.blockColumns - 1) / Self.blockColumns
        try step.context.pool.parallelFor(shape.batch * shape.groups * blocks) { index in
            try step.checkpoint()
            let (image, group) = (index / blocks / shape.groups, index / blocks % shape.groups)
            let first = index % blocks * Self.blockColumns
            let columns = first..<min(spatial, first + Self.blockColumns)
            try slots.withSlot { memory in
                let block = memory.prefix(inputCount)
                let products = memory.dropFirst(inputCount)
                let start = (image * shape.outputChannels + group * depth) * spatial + columns.lowerBound
                matrices.multiply(
                    .init(elements: weights, start: group * size, depth: depth),
                    .init(elements: input, start: start, rowStride: spatial, panelStride: matrices.tileColumns),
                    packing: block, rows: rows, columns: columns.count, into: products, at: 0,
                    resultStride: columns.count)
                for channel in 0..<shape.inputChannelsPerGroup {
                    let plane = group * shape.inputChannelsPerGroup + channel
                    place(
                        products.readable, channel, columns, bias?[plane] ?? 0,
                        into: output, plane: image * shape.inputChannels + plane)
                }
            }
        }
    }

    /// Writes a channel's products, one row for each tap, to the outputs that they are.
    private func place(
        _ products: Elements<Float>, _ channel: Int, _ columns: Range<Int>, _ bias: Float,
        into output: MutableElements<Float>, plane: Int
    ) {
        let window = shape.window.threeDimensional
        let (width, height, kernel) = (window.output[2], window.output[1], window.kernel)
        var first = columns.lowerBound
        while first < columns.upperBound {
            let (line, x) = (first / width, first % width)
            let count = min(width - x, columns.upperBound - first)
            for tap in 0..<kernel[0] * kernel[1] {
                let z = line / height * kernel[0] + tap / kernel[1]
                let y = line % height * kernel[1] + tap % kernel[1]
                let start = plane * window.inputCount + (z * window.input[1] + y) * window.input[2] + x * kernel[2]
                let row = (channel * kernel[0] * kernel[1] + tap) * kernel[2]
                ConvolutionKernels.interleave(
                    products, start: row * columns.count + first - columns.lowerBound, rowStride: columns.count,
                    rows: kernel[2], count: count, bias: bias, into: output, at: start)
                convolution.activation.apply(to: output, start..<start + count * kernel[2])
            }
            first += count
        }
    }
}
