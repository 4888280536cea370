// Winograd's transforms around one matrix product for each frequency.
extension PlannedConvolution {
    /// Elements between the transforms that stay in a last-level cache.
    private static let cachedElements = 1 << 22
    /// Fewer tiles at once would read the weights too often.
    private static let leastTiles = 240

    private var winograd: WinogradKernel {
        let tile = kernel.winogradTile ?? 2
        let channels = shape.inputChannelsPerGroup + shape.outputChannelsPerGroup
        let most = Self.cachedElements / ((tile + 2) * (tile + 2) * max(1, channels))
        return WinogradKernel(tile: tile, shape.window, mostTiles: max(Self.leastTiles, most))
    }

    var winogradWeightCount: Int {
        get throws {
            let side = (kernel.winogradTile ?? 2) + 2
            return try rowCount(depth: shape.inputChannelsPerGroup).multiplied(by: side * side)
                .multiplied(by: shape.groups)
        }
    }

    func winogradScratchCount(threads: Int) throws -> Int {
        let winograd = winograd
        return try transformedCount(winograd, shape.inputChannelsPerGroup)
            + transformedCount(winograd, shape.outputChannelsPerGroup)
            + winograd.scratchCount.multiplied(by: threads)
    }

    /// Elements of some channels' transformed tiles, a multiple of 16.
    private func transformedCount(_ winograd: WinogradKernel, _ channels: Int) throws -> Int {
        try winograd.frequencies.multiplied(by: channels).multiplied(by: winograd.mostLanes) + 48
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
        let tiles = MutableElements<Float>(base: memory.base, count: inputCount)
        let sums = MutableElements<Float>(base: memory.dropFirst(inputCount).base, count: outputCount)
        let slots = ScratchSlots(memory.dropFirst(inputCount + outputCount), slotCount: winograd.scratchCount)
        for image in 0..<shape.batch {
            for group in 0..<shape.groups {
                for (index, block) in winograd.blocks.enumerated() {
                    try step.checkpoint()
                    try transformInput(step, work, winograd, block, image, group, slots, tiles)
                    try multiply(step, work, winograd, block, group, tiles, sums)
                    try transformOutput(
                        step, work, winograd, block, image, group, slots, sums,
                        isLast: index == winograd.blocks.count - 1)
                }
            }
        }
    }

    private func transformInput(
        _ step: Step, _ work: Work, _ winograd: WinogradKernel, _ block: WinogradKernel.Block, _ image: Int,
        _ group: Int, _ slots: ScratchSlots<Float>, _ tiles: MutableElements<Float>
    ) throws {
        let channels = shape.inputChannelsPerGroup
        let first = image * shape.inputChannels + group * channels
        try step.parallel(channels, grain: max(1, 2048 / block.lanes)) { range in
            try slots.withSlot { scratch in
                for channel in range {
                    winograd.transformInput(
                        block, work.input, at: (first + channel) * shape.window.inputCount, scratch: scratch,
                        into: tiles, at: channel * block.lanes, step: channels * block.lanes)
                }
            }
        }
    }

    private func multiply(
        _ step: Step, _ work: Work, _ winograd: WinogradKernel, _ block: WinogradKernel.Block, _ group: Int,
        _ tiles: MutableElements<Float>, _ sums: MutableElements<Float>
    ) throws {
        let (inputs, outputs) = (shape.inputChannelsPerGroup, shape.outputChannelsPerGroup)
        let panel = matrices.tileRows
        let size = (outputs + panel - 1) / panel * panel * inputs
        let rowBlock = (max(64, (outputs + 3) / 4) + panel - 1) / panel * panel
        let rowBlocks = (outputs + rowBlock - 1) / rowBlock
        try step.context.pool.parallelFor(winograd.frequencies * rowBlocks) { index in
            let (frequency, row) = (index / rowBlocks, index % rowBlocks * rowBlock)
            matrices.multiply(
                .init(
                    elements: work.weights,
                    start: (group * winograd.frequencies + frequency) * size + row * inputs, depth: inputs),
                .init(
                    elements: tiles.readable, start: frequency * inputs * block.lanes, rowStride: block.lanes,
                    panelStride: matrices.tileColumns),
                rows: min(rowBlock, outputs - row), columns: block.lanes, into: sums,
                at: (frequency * outputs + row) * block.lanes, resultStride: block.lanes)
        }
    }

    private func transformOutput(
        _ step: Step, _ work: Work, _ winograd: WinogradKernel, _ block: WinogradKernel.Block, _ image: Int,
        _ group: Int, _ slots: ScratchSlots<Float>, _ sums: MutableElements<Float>, isLast: Bool
    ) throws {
        let channels = shape.outputChannelsPerGroup
        let first = image * shape.outputChannels + group * channels
        let spatial = shape.window.outputCount
        try step.parallel(channels, grain: max(1, 2048 / block.lanes)) { range in
            try slots.withSlot { scratch in
                for channel in range {
                    let start = (first + channel) * spatial
                    winograd.transformOutput(
                        block, sums.readable, at: channel * block.lanes, step: channels * block.lanes,
                        bias: work.bias?[group * channels + channel] ?? 0, residual: work.residual,
                        limits: work.limits, scratch: scratch, into: work.output, at: start)
                    if isLast { work.activate(start..<start + spatial) }
                }
            }
        }
    }
}
