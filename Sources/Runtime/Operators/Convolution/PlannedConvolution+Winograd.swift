// Winograd's transforms around one matrix product for each frequency.
//
// The weights are kept as they are, nine numbers a filter, and transformed in every run, some at a time, right before all
// tiles are multiplied by them: that reads a quarter of what transformed weights occupy. Where they are few, a thread
// takes a few tiles through all three stages instead, so that what is in between stays in its own cache.
extension PlannedConvolution {
    /// How the work is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        let winograd: WinogradKernel
        /// Whether a thread takes a block of tiles through all stages.
        let takesBlocksThrough: Bool
        /// Output channels that one task computes, and the number of such tasks.
        let rows, rowBlocks: Int
        /// Input channels whose weights are transformed at once.
        let depth: Int
        /// Input channels whose tiles are transformed at once: all, or a multiple of `depth`.
        let channels: Int
    }

    /// Sizes by which the work is cut.
    struct WinogradSizes: Sendable {
        /// Elements between the transforms that stay in a last-level cache: of sums, or of tiles.
        var sharedElements = 1 << 22
        /// Elements of tiles that stay there beside the sums.
        var sharedTileElements = 1 << 21
        /// Fewer tiles at once would have the weights transformed too often.
        var leastTiles = 240
        /// Tiles that a thread takes through all stages, where the transformed weights have at most so many elements that
        /// they stay in a second-level cache beside them; and blocks that suffice to keep several threads busy.
        var blockTiles = 48
        var smallWeights = 1 << 18
        var wantedBlocks = 8
        /// Output and input channels whose transformed weights, used for all tiles, stay in a second-level cache.
        var taskRows = 16
        var taskDepth = 256
    }

    /// Filters that are transformed sooner than another thread wakes up.
    private static let fewFilters = 1 << 13

    private var winogradCut: Cut {
        let tile = kernel.winogradTile ?? 2
        let frequencies = (tile + 2) * (tile + 2)
        let (inputs, outputs) = (max(1, shape.inputChannelsPerGroup), max(1, shape.outputChannelsPerGroup))
        let panel = matrices.tileRows
        let rows = (min(winogradSizes.taskRows, outputs) + panel - 1) / panel * panel
        let blockTiles = max(winogradSizes.blockTiles, matrices.tileColumns)
        let takesThrough =
            frequencies * inputs * outputs <= winogradSizes.smallWeights
            && WinogradKernel.tileCount(tile, shape.window) >= winogradSizes.wantedBlocks * blockTiles
        let depth = takesThrough ? inputs : min(inputs, winogradSizes.taskDepth)
        let winograd = WinogradKernel(
            tile: tile, shape.window, matrices: matrices,
            mostTiles: takesThrough
                ? blockTiles
                : max(winogradSizes.leastTiles, winogradSizes.sharedElements / (frequencies * max(depth, outputs))))
        let most = winogradSizes.sharedTileElements / (frequencies * max(1, winograd.mostLanes)) / depth * depth
        return Cut(
            winograd: winograd, takesBlocksThrough: takesThrough, rows: rows,
            rowBlocks: (outputs + rows - 1) / rows, depth: depth,
            channels: takesThrough ? inputs : min(inputs, max(depth, most)))
    }

    func winogradScratchCount(threads: Int) throws -> Int {
        let cut = winogradCut
        let slot = try taskCount(cut).multiplied(by: threads)
        if cut.takesBlocksThrough {
            return try slot + tileElementCount(cut).multiplied(by: threads)
                + weightCount(cut).multiplied(by: shape.groups * cut.rowBlocks)
        }
        return try slot + tileElementCount(cut)
            + (cut.channels < shape.inputChannelsPerGroup ? sumCount(cut).multiplied(by: cut.rowBlocks) : 0)
    }

    /// Elements of a block's transformed tiles, a multiple of 16 as are all of these.
    private func tileElementCount(_ cut: Cut) throws -> Int {
        guard let block = cut.winograd.blocks.max(by: { $0.lanes < $1.lanes }) else { return 0 }
        return try cut.winograd.tiles(block, channels: cut.channels).step.multiplied(by: cut.winograd.frequencies)
    }

    /// Elements of a task's transformed weights.
    private func weightCount(_ cut: Cut) throws -> Int {
        try weightStep(cut).multiplied(by: cut.winograd.frequencies)
    }

    private func weightStep(_ cut: Cut) -> Int { (cut.rows * cut.depth + 15) & ~15 + 16 }

    /// Elements of a task's sums.
    private func sumCount(_ cut: Cut) throws -> Int {
        try sumStep(cut).multiplied(by: cut.winograd.frequencies)
    }

    private func sumStep(_ cut: Cut) -> Int {
        (cut.rows * cut.winograd.mostLanes + 15) & ~15 + WinogradKernel.padding
    }

    /// Elements of a thread's scratch memory.
    private func taskCount(_ cut: Cut) throws -> Int {
        let weights = cut.takesBlocksThrough ? 0 : try weightCount(cut)
        let sums = cut.channels < shape.inputChannelsPerGroup ? 0 : try sumCount(cut)
        return weights + sums + cut.winograd.scratchCount
    }

    func runWinograd(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let cut = winogradCut
        if cut.takesBlocksThrough { return try runWinogradBlocks(step, work, memory, cut) }
        let (tileCount, sumCount) = (try tileElementCount(cut), try sumCount(cut))
        let weightCount = try weightCount(cut)
        let inputs = shape.inputChannelsPerGroup
        let isWhole = cut.channels == inputs
        let (tiles, rest) = (memory.prefix(tileCount), memory.dropFirst(tileCount))
        let kept = isWhole ? 0 : sumCount * cut.rowBlocks
        let slots = ScratchSlots(rest.dropFirst(kept), slotCount: try taskCount(cut))
        for index in 0..<shape.batch * shape.groups * cut.winograd.blocks.count {
            let part = Part(self, cut, index)
            for first in stride(from: 0, to: inputs, by: max(1, cut.channels)) {
                try step.checkpoint()
                let channels = first..<min(inputs, first + cut.channels)
                let order = cut.winograd.tiles(part.block, channels: channels.count)
                try step.parallel(channels.count, grain: max(1, 2048 / part.block.lanes)) { range in
                    try slots.withSlot { scratch in
                        for channel in range {
                            transformInput(
                                work, part, channels.lowerBound + channel, tiles, order, place: channel, scratch)
                        }
                    }
                }
                try step.context.pool.parallelFor(cut.rowBlocks) { rowBlock in
                    try slots.withSlot { slot in
                        let (weights, other) = (slot.prefix(weightCount), slot.dropFirst(weightCount))
                        let sums = isWhole ? other : rest.dropFirst(rowBlock * sumCount)
                        for start in stride(from: channels.lowerBound, to: channels.upperBound, by: cut.depth) {
                            let depth = start..<min(channels.upperBound, start + cut.depth)
                            transformWeights(work, part, rowBlock, depth, weights)
                            multiply(
                                part, rowBlock, depth, weights.readable, at: 0, tiles.readable, order,
                                from: start - channels.lowerBound, accumulates: start > 0, sums)
                        }
                        guard channels.upperBound == inputs else { return }
                        transformOutput(work, part, rowBlock, isWhole ? other.dropFirst(sumCount) : other, sums)
                    }
                }
            }
        }
    }

    private func runWinogradBlocks(_ step: Step, _ work: Work, _ memory: MutableElements<Float>, _ cut: Cut) throws {
        let (tileCount, sumCount) = (try tileElementCount(cut), try sumCount(cut))
        let weightCount = try weightCount(cut)
        let inputs = shape.inputChannelsPerGroup
        let blocks = cut.winograd.blocks.count
        let weights = memory.prefix(weightCount * shape.groups * cut.rowBlocks)
        let slots = ScratchSlots(memory.dropFirst(weights.count), slotCount: tileCount + (try taskCount(cut)))
        try step.parallel(
            shape.groups * cut.rowBlocks, grain: max(1, Self.fewFilters / max(1, cut.rows * inputs))
        ) { range in
            for index in range {
                let part = Part(self, cut, index / cut.rowBlocks * blocks)
                transformWeights(work, part, index % cut.rowBlocks, 0..<inputs, weights.dropFirst(index * weightCount))
            }
        }
        try step.context.pool.parallelFor(shape.batch * shape.groups * blocks) { index in
            try step.checkpoint()
            let part = Part(self, cut, index)
            let order = cut.winograd.tiles(part.block, channels: inputs)
            try slots.withSlot { memory in
                let (tiles, rest) = (memory.prefix(tileCount), memory.dropFirst(tileCount))
                let (sums, scratch) = (rest.prefix(sumCount), rest.dropFirst(sumCount))
                for channel in 0..<inputs {
                    transformInput(work, part, channel, tiles, order, place: channel, scratch)
                }
                for rowBlock in 0..<cut.rowBlocks {
                    multiply(
                        part, rowBlock, 0..<inputs, weights.readable,
                        at: (part.group * cut.rowBlocks + rowBlock) * weightCount, tiles.readable, order, from: 0,
                        accumulates: false, sums)
                    transformOutput(work, part, rowBlock, scratch, sums)
                }
            }
        }
    }

    /// A block of tiles of one image and group.
    private struct Part {
        let cut: Cut
        let block: WinogradKernel.Block
        let group: Int
        /// The first channels among all images'.
        let firstInput, firstOutput: Int

        init(_ planned: PlannedConvolution, _ cut: Cut, _ index: Int) {
            let shape = planned.shape
            let blocks = cut.winograd.blocks
            let image = index / (shape.groups * blocks.count)
            self.cut = cut
            block = blocks[index % blocks.count]
            group = index / blocks.count % shape.groups
            firstInput = image * shape.inputChannels + group * shape.inputChannelsPerGroup
            firstOutput = image * shape.outputChannels + group * shape.outputChannelsPerGroup
        }
    }

    private func rows(_ part: Part, _ rowBlock: Int) -> Range<Int> {
        let first = rowBlock * part.cut.rows
        return first..<min(shape.outputChannelsPerGroup, first + part.cut.rows)
    }

    private func transformInput(
        _ work: Work, _ part: Part, _ channel: Int, _ tiles: MutableElements<Float>, _ order: WinogradKernel.Tiles,
        place: Int, _ scratch: MutableElements<Float>
    ) {
        part.cut.winograd.transformInput(
            part.block, work.input, at: (part.firstInput + channel) * shape.window.inputCount, scratch: scratch,
            into: tiles, order, channel: place)
    }

    /// Some input channels' weights for a task, packed like rows for each frequency.
    private func transformWeights(
        _ work: Work, _ part: Part, _ rowBlock: Int, _ depth: Range<Int>, _ target: MutableElements<Float>
    ) {
        let panel = matrices.tileRows
        let inputs = shape.inputChannelsPerGroup
        let size = (shape.outputChannelsPerGroup + panel - 1) / panel * panel * inputs
        let rows = rows(part, rowBlock)
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: panel) {
            part.cut.winograd.transformWeights(
                work.weights, at: part.group * 9 * size + first * inputs + depth.lowerBound * panel, tapStep: size,
                count: depth.count * panel, into: target, at: (first - rows.lowerBound) * depth.count,
                step: weightStep(part.cut))
        }
    }

    /// A task's products with tiles of the channels from place `from` on.
    private func multiply(
        _ part: Part, _ rowBlock: Int, _ depth: Range<Int>, _ weights: Elements<Float>, at index: Int,
        _ tiles: Elements<Float>, _ order: WinogradKernel.Tiles, from place: Int, accumulates: Bool,
        _ sums: MutableElements<Float>
    ) {
        let lanes = part.block.lanes
        for frequency in 0..<part.cut.winograd.frequencies {
            matrices.multiply(

                .init(elements: weights, start: index + frequency * weightStep(part.cut), depth: depth.count),
                .init(
                    elements: tiles, start: frequency * order.step + place * order.panel, rowStride: order.panel,
                    panelStride: order.panelStep),
                rows: rows(part, rowBlock).count, columns: lanes, accumulates: accumulates, into: sums,
                at: frequency * sumStep(part.cut), resultStride: lanes)
        }
    }

    private func transformOutput(
        _ work: Work, _ part: Part, _ rowBlock: Int, _ scratch: MutableElements<Float>, _ sums: MutableElements<Float>
    ) {
        for (row, channel) in rows(part, rowBlock).enumerated() {
            part.cut.winograd.transformOutput(
                part.block, sums.readable, at: row * part.block.lanes, step: sumStep(part.cut),
                bias: work.bias?[part.firstOutput % shape.outputChannels + channel] ?? 0, residual: work.residual,
                limits: work.limits, scratch: scratch, into: work.output,
                at: (part.firstOutput + channel) * shape.window.outputCount)
        }
    }
}
