/// Two binary32 pointwise convolutions of which the second reads what the first one gives, as between the blocks of a residual
/// network: a block of columns of the first is multiplied on while it is in cache, and goes to memory past the caches.
///
/// Inputs are the first one's four, then the second one's weights and bias; outputs are both results.
struct PointwisePair: LoweredOperator {
    static let firstInputCount = 4

    private let first, second: PlannedConvolution
    private let firstWeights, secondWeights: Elements<Float>

    /// Elements of the result between that are worth it: more than caches keep until the next reader.
    private static let leastElements = 1 << 20
    /// Weights that stay in a second-level cache beside a block of columns, and the columns.
    private static let mostWeights = 1 << 17
    private static let mostElements = 1 << 16
    /// Blocks that keep several threads busy to the end, which divide them without a rest.
    private static let wantedBlocks = 16
    private static let blockMultiple = 4

    /// Whether the result between is large and the weights are small.
    static func pays(_ first: ConvolutionShape, _ second: ConvolutionShape) -> Bool {
        let (inputs, between, outputs) = (first.inputChannels, first.outputChannels, second.outputChannels)
        return first.groups == 1 && second.groups == 1 && min(inputs, between, outputs) > 0
            && max(inputs, between, outputs) <= mostWeights && between * (inputs + outputs) <= mostWeights
            && first.window.outputCount >= leastElements / between
    }

    /// - Returns: nil when an activation is not one that products apply.
    /// - Throws: `RuntimeError.memoryLimit`.
    init?(
        _ first: (element: OperatorGraph.Element, shape: ConvolutionShape),
        _ second: (element: OperatorGraph.Element, shape: ConvolutionShape), _ constants: [String: Tensor],
        matrices: MatrixKernel = .best, context: RunContext
    ) throws {
        func prepared(_ part: (element: OperatorGraph.Element, shape: ConvolutionShape)) throws -> PlannedConvolution? {
            guard let convolution = part.element.operation as? Convolution, convolution.activation.inMemory == .none,
                let weights = constants[part.element.node.inputs[1]]
            else { return nil }
            var planned = PlannedConvolution(convolution, shape: part.shape, kernel: .pointwise)
            planned.matrices = matrices
            try planned.prepare(weights, context)
            return planned
        }
        guard let first = try prepared(first), let second = try prepared(second), !second.convolution.addsResidual,
            let firstWeights = first.weights, let secondWeights = second.weights
        else { return nil }
        (self.first, self.second) = (first, second)
        (self.firstWeights, self.secondWeights) = (firstWeights, secondWeights)
    }

    var kernelName: String { "gemm 1×1, two in one pass" }
    var preparedInputs: Set<Int> { [1, Self.firstInputCount] }
    var preparedByteCount: Int { first.preparedByteCount + second.preparedByteCount }

    private func split(_ inputs: [ValueInfo?]) -> (first: [ValueInfo?], rest: [ValueInfo?]) {
        (Array(inputs.prefix(Self.firstInputCount)), Array(inputs.dropFirst(Self.firstInputCount)))
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (first, rest) = split(inputs)
        let result = try self.first.types(of: first, arity: 1)
        return try result + second.types(of: [ValueInfo(result[0])] + rest, arity: 1)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        let (first, rest) = split(inputs)
        guard outputs.count == 2 else { return 0 }
        return self.first.multiplyAdds(inputs: first, outputs: [outputs[0]])
            + second.multiplyAdds(inputs: [ValueInfo(outputs[0])] + rest, outputs: [outputs[1]])
    }

    /// How one image is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        /// Tiles of columns, dealt out evenly to blocks.
        let tiles, blocks: Int
        /// Columns of a block, at most: the row stride of what lies between.
        let width: Int

        func tiles(_ block: Int) -> Range<Int> { tiles * block / blocks..<tiles * (block + 1) / blocks }
    }

    private var matrices: MatrixKernel { first.matrices }

    private var cut: Cut {
        func parts(_ whole: Int, _ part: Int) -> Int { (whole + part - 1) / max(1, part) }
        let tile = matrices.tileColumns
        let tiles = max(1, parts(first.shape.window.outputCount, tile))
        let most = max(1, Self.mostElements / (first.shape.outputChannels * tile))
        let wanted = max(parts(tiles, most), parts(Self.wantedBlocks, max(1, first.shape.batch)))
        let blocks = min(tiles, parts(wanted, Self.blockMultiple) * Self.blockMultiple)
        return Cut(tiles: tiles, blocks: blocks, width: parts(tiles, blocks) * tile)
    }

    private func scratch(_ cut: Cut) throws -> (layout: ScratchLayout, packed: Range<Int>, between: Range<Int>) {
        var layout = ScratchLayout()
        let packed = try layout.slot(matrices.packingCount(columns: cut.width, depth: first.shape.inputChannels))
        let between = try layout.slot(first.shape.outputChannels.multiplied(by: cut.width))
        return (layout, packed, between)
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try scratch(cut).layout.byteCount(threads: threads)
    }

    func run(_ step: inout Step) throws {
        let firstWork = try PlannedConvolution.Work(step, first, firstWeights)
        let secondWork = try PlannedConvolution.Work(
            second, input: step.output(0).elements(of: Float.self), weights: secondWeights,
            bias: step.optional(Self.firstInputCount + 1)?.elements(of: Float.self), residual: nil,
            output: step.mutableElements(1))
        let cut = cut
        let (layout, packed, between) = try scratch(cut)
        let slots = try layout.memory(of: step).slots
        let (spatial, tile) = (first.shape.window.outputCount, matrices.tileColumns)
        let shared = step
        try step.context.pool.parallelFor(first.shape.batch * cut.blocks) { index in
            try shared.checkpoint()
            let tiles = cut.tiles(index % cut.blocks)
            let columns = tiles.lowerBound * tile..<min(tiles.upperBound * tile, spatial)
            try slots.withSlot { slot in
                let values = slot.part(between)
                multiply(
                    firstWork, image: index / cut.blocks, columns, packing: slot.part(packed), into: values,
                    stride: cut.width)
                multiply(secondWork, image: index / cut.blocks, columns, values.readable, stride: cut.width)
            }
        }
    }

    /// Columns of the first result, to scratch memory and to the output.
    private func multiply(
        _ work: PlannedConvolution.Work, image: Int, _ columns: Range<Int>, packing: MutableElements<Float>,
        into values: MutableElements<Float>, stride: Int
    ) {
        let (shape, spatial) = (first.shape, first.shape.window.outputCount)
        let start = image * shape.outputChannels * spatial + columns.lowerBound
        matrices.multiply(
            .init(elements: work.weights, depth: shape.inputChannels),
            .init(
                elements: work.input, start: image * shape.inputChannels * spatial + columns.lowerBound,
                rowStride: spatial, panelStride: matrices.tileColumns),
            packing: packing, rows: shape.outputChannels, columns: columns.count,
            end: .init(
                rowBias: work.bias, residual: work.residual, residualPlace: (start, spatial),
                activation: work.activation),
            into: values, at: 0, resultStride: stride)
        work.output.stream(
            values.readable, from: 0, rowStride: stride, rows: shape.outputChannels, columns: columns.count, to: start,
            targetStride: spatial)
    }

    /// The same columns of the second result.
    private func multiply(
        _ work: PlannedConvolution.Work, image: Int, _ columns: Range<Int>, _ values: Elements<Float>, stride: Int
    ) {
        let (shape, spatial) = (second.shape, second.shape.window.outputCount)
        matrices.multiply(
            .init(elements: work.weights, depth: shape.inputChannels),
            .init(elements: values, rowStride: stride, panelStride: matrices.tileColumns),
            rows: shape.outputChannels, columns: columns.count,
            end: .init(rowBias: work.bias, activation: work.activation), into: work.output,
            at: image * shape.outputChannels * spatial + columns.lowerBound, resultStride: spatial)
    }
}
