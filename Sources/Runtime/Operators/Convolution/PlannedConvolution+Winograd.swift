// Winograd's transforms around one matrix product for each frequency.
//
// Where the weights are small, a thread takes a few tiles through all three stages, so that what is in between stays in
// its own cache. Otherwise all threads work on one stage at a time, on as many tiles as possible for each weight read.
extension PlannedConvolution {
    /// Elements between the transforms that stay in a last-level cache.
    private static let sharedElements = 1 << 22
    /// Fewer tiles at once would read the weights too often.
    private static let leastTiles = 240
    /// Elements of weights that stay in a second-level cache beside the tiles.
    private static let smallWeights = 1 << 18
    /// Blocks that suffice to keep several threads busy.
    private static let wantedBlocks = 8
    /// Elements that keep the frequencies of a tile from falling on the same lines of a cache.
    private static let padding = 112

    private var winograd: WinogradKernel {
        let tile = kernel.winogradTile ?? 2
        let channels = shape.inputChannelsPerGroup + shape.outputChannelsPerGroup
        let most = Self.sharedElements / ((tile + 2) * (tile + 2) * max(1, channels))
        return WinogradKernel(
            tile: tile, shape.window,
            mostTiles: takesBlocksThrough ? blockTiles : max(Self.leastTiles, most))
    }

    /// Whether a thread takes a block of tiles through all stages.
    private var takesBlocksThrough: Bool {
        let tile = kernel.winogradTile ?? 2
        let weights = (tile + 2) * (tile + 2) * shape.inputChannelsPerGroup * shape.outputChannelsPerGroup
        return weights <= Self.smallWeights
            && WinogradKernel.tileCount(tile, shape.window) >= Self.wantedBlocks * blockTiles
    }

    private var blockTiles: Int { max(48, matrices.tileColumns) }

    var winogradWeightCount: Int {
        get throws {
            let side = (kernel.winogradTile ?? 2) + 2
            return try rowCount(depth: shape.inputChannelsPerGroup).multiplied(by: side * side)
                .multiplied(by: shape.groups)
        }
    }

    func winogradScratchCount(threads: Int) throws -> Int {
        let winograd = winograd
        let between =
            try transformedCount(winograd, shape.inputChannelsPerGroup)
            + transformedCount(winograd, shape.outputChannelsPerGroup)
        return takesBlocksThrough
            ? try (between + winograd.scratchCount).multiplied(by: threads)
            : between + (try winograd.scratchCount.multiplied(by: threads))
    }

    /// Elements of some channels' transformed tiles, a multiple of 16.
    private func transformedCount(_ winograd: WinogradKernel, _ channels: Int) throws -> Int {
        try channels.multiplied(by: winograd.mostLanes).multiplied(by: winograd.frequencies)
            + winograd.frequencies * Self.padding + 48
    }

    func transformWeights(_ source: Elements<Float>, into target: MutableElements<Float>, _ pool: ThreadPool) throws {
        let winograd = winograd
        let (inputs, outputs) = (shape.inputChannelsPerGroup, shape.outputChannelsPerGroup)
        let panel = matrices.tileRows
        let panels = (outputs + panel - 1) / panel
        let size = try rowCount(depth: inputs)
        try pool.parallelFor(shape.groups * panels) { index in
            let (group, first) = (index / panels, index % panels * panel)
            let rows = min(panel, outputs - first)
            let storage = TensorStorage(
                byteCount: winograd.frequencies * rows * inputs * MemoryLayout<Float>.stride)
            let plain = MutableElements<Float>(
                base: storage.bytes.baseAddress!, count: winograd.frequencies * rows * inputs)
            for row in 0..<rows {
                for input in 0..<inputs {
                    winograd.transformWeights(
                        source, at: ((group * outputs + first + row) * inputs + input) * 9, into: plain,
                        at: row * inputs + input, step: rows * inputs)
                }
            }
            for frequency in 0..<winograd.frequencies {
                matrices.packRows(
                    plain.readable, start: frequency * rows * inputs, rowStride: inputs, columnStride: 1, rows: rows,
                    depth: inputs, into: target,
                    at: (group * winograd.frequencies + frequency) * size + first * inputs)
            }
            withExtendedLifetime(storage) {}
        }
    }

    func runWinograd(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let winograd = winograd
        let inputCount = try transformedCount(winograd, shape.inputChannelsPerGroup)
        let outputCount = try transformedCount(winograd, shape.outputChannelsPerGroup)
        let perImage = shape.groups * winograd.blocks.count
        if takesBlocksThrough {
            let slots = ScratchSlots(memory, slotCount: inputCount + outputCount + winograd.scratchCount)
            return try step.context.pool.parallelFor(shape.batch * perImage) { index in
                try step.checkpoint()
                let part = Part(self, winograd, index)
                try slots.withSlot { memory in
                    let (tiles, sums) = (memory.prefix(inputCount), memory.dropFirst(inputCount))
                    let scratch = sums.dropFirst(outputCount)
                    transformInput(work, part, 0..<shape.inputChannelsPerGroup, scratch, tiles)
                    for frequency in 0..<winograd.frequencies {
                        multiply(work, part, frequency, 0..<shape.outputChannelsPerGroup, tiles, sums)
                    }
                    transformOutput(work, part, 0..<shape.outputChannelsPerGroup, scratch, sums)
                }
            }
        }
        let (tiles, sums) = (memory.prefix(inputCount), memory.dropFirst(inputCount))
        let slots = ScratchSlots(sums.dropFirst(outputCount), slotCount: winograd.scratchCount)
        let panel = matrices.tileRows
        let rows = (max(64, (shape.outputChannelsPerGroup + 3) / 4) + panel - 1) / panel * panel
        let rowBlocks = (shape.outputChannelsPerGroup + rows - 1) / rows
        for index in 0..<shape.batch * perImage {
            try step.checkpoint()
            let part = Part(self, winograd, index)
            let grain = max(1, 2048 / part.block.lanes)
            try step.parallel(shape.inputChannelsPerGroup, grain: grain) { channels in
                try slots.withSlot { transformInput(work, part, channels, $0, tiles) }
            }
            try step.context.pool.parallelFor(winograd.frequencies * rowBlocks) { index in
                let first = index % rowBlocks * rows
                multiply(
                    work, part, index / rowBlocks, first..<min(first + rows, shape.outputChannelsPerGroup), tiles,
                    sums)
            }
            try step.parallel(shape.outputChannelsPerGroup, grain: grain) { channels in
                try slots.withSlot { transformOutput(work, part, channels, $0, sums) }
            }
        }
    }

    /// A block of tiles of one image and group.
    private struct Part {
        let winograd: WinogradKernel
        let block: WinogradKernel.Block
        let group: Int
        /// The first channels among all images'.
        let firstInput, firstOutput: Int
        /// Elements from one frequency to the next, of the tiles and of the sums.
        let tileStep, sumStep: Int

        init(_ planned: PlannedConvolution, _ winograd: WinogradKernel, _ index: Int) {
            let shape = planned.shape
            let perImage = shape.groups * winograd.blocks.count
            let image = index / perImage
            self.winograd = winograd
            block = winograd.blocks[index % winograd.blocks.count]
            group = index % perImage / winograd.blocks.count
            firstInput = image * shape.inputChannels + group * shape.inputChannelsPerGroup
            firstOutput = image * shape.outputChannels + group * shape.outputChannelsPerGroup
            tileStep = shape.inputChannelsPerGroup * block.lanes + PlannedConvolution.padding
            sumStep = shape.outputChannelsPerGroup * block.lanes + PlannedConvolution.padding
        }
    }

    private func transformInput(
        _ work: Work, _ part: Part, _ channels: Range<Int>, _ scratch: MutableElements<Float>,
        _ tiles: MutableElements<Float>
    ) {
        for channel in channels {
            part.winograd.transformInput(
                part.block, work.input, at: (part.firstInput + channel) * shape.window.inputCount, scratch: scratch,
                into: tiles, at: channel * part.block.lanes, step: part.tileStep)
        }
    }

    private func multiply(
        _ work: Work, _ part: Part, _ frequency: Int, _ rows: Range<Int>, _ tiles: MutableElements<Float>,
        _ sums: MutableElements<Float>
    ) {
        let (inputs, lanes) = (shape.inputChannelsPerGroup, part.block.lanes)
        let panel = matrices.tileRows
        let size = (shape.outputChannelsPerGroup + panel - 1) / panel * panel * inputs
        matrices.multiply(
            .init(
                elements: work.weights,
                start: (part.group * part.winograd.frequencies + frequency) * size + rows.lowerBound * inputs,
                depth: inputs),
            .init(
                elements: tiles.readable, start: frequency * part.tileStep, rowStride: lanes,
                panelStride: matrices.tileColumns),
            rows: rows.count, columns: lanes, into: sums, at: frequency * part.sumStep + rows.lowerBound * lanes,
            resultStride: lanes)
    }

    private func transformOutput(
        _ work: Work, _ part: Part, _ channels: Range<Int>, _ scratch: MutableElements<Float>,
        _ sums: MutableElements<Float>
    ) {
        let spatial = shape.window.outputCount
        for channel in channels {
            part.winograd.transformOutput(
                part.block, sums.readable, at: channel * part.block.lanes, step: part.sumStep,
                bias: work.bias?[part.firstOutput % shape.outputChannels + channel] ?? 0, residual: work.residual,
                limits: work.limits, scratch: scratch, into: work.output, at: (part.firstOutput + channel) * spatial)
        }
    }
}
