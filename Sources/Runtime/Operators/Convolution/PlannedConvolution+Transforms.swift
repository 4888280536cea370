// Transforms around one matrix product for each frequency: Winograd's, or those of a dilated convolution's small phases.
//
// The weights are kept as they are, nine numbers a filter, and transformed in every run, some at a time, right before all
// tiles are multiplied by them: that reads a quarter of what transformed weights occupy. Where they are few, a thread
// takes a few tiles through all three stages instead, so that what is in between stays in its own cache.
extension PlannedConvolution {
    /// How the work is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        let transforms: any TileTransforms
        /// Blocks that are computed together, so that input and weights are read once for all of them.
        let rounds: [Range<Int>]
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
        /// Output and input channels whose transformed weights are used for all tiles, and the weights themselves: they stay
        /// in a second-level cache.
        var taskRows = 16
        var taskDepth = 256
        var taskWeights = 150_000
    }

    /// Filters that are transformed sooner than another thread wakes up.
    private static let fewFilters = 1 << 13

    private var transformCut: Cut {
        let (inputs, outputs) = (max(1, shape.inputChannelsPerGroup), max(1, shape.outputChannelsPerGroup))
        let panel = matrices.tileRows
        let rows = (min(winogradSizes.taskRows, outputs) + panel - 1) / panel * panel
        var takesThrough = false
        let parities = kernel.winogradTile?.parities ?? 1
        let groups = kernel == .phases ? PhaseKernel.groups(shape.window, vector: matrices.lanes) : []
        let frequencies = kernel.winogradTile?.frequencies ?? max(1, groups.reduce(0) { $0 + $1.frequencies })
        let mostDepth = min(winogradSizes.taskDepth, winogradSizes.taskWeights / (rows * parities * frequencies))
        var depth = min(inputs, max(1, mostDepth))
        let mostNumbers = winogradSizes.sharedElements / max(parities * depth, outputs)
        let transforms: any TileTransforms
        if let tile = kernel.winogradTile {
            let blockTiles = max(winogradSizes.blockTiles, matrices.tileColumns)
            takesThrough =
                tile.frequencies * parities * inputs * outputs <= winogradSizes.smallWeights
                && WinogradKernel.tileCount(tile, shape.window) >= winogradSizes.wantedBlocks * blockTiles
            if takesThrough { depth = inputs }
            transforms = WinogradKernel(
                tile, shape.window, matrices: matrices,
                mostTiles: takesThrough ? blockTiles : max(winogradSizes.leastTiles, mostNumbers / tile.frequencies))
        } else {
            transforms = PhaseKernel(shape.window, matrices: matrices, mostNumbers: mostNumbers)
        }
        let rounds = Self.rounds(transforms.blocks, mostNumbers: takesThrough ? 0 : mostNumbers)
        let numbers = rounds.reduce(1) { max($0, transforms.blocks[$1].reduce(0) { $0 + $1.numbers }) }
        let most = winogradSizes.sharedTileElements / (parities * numbers) / depth * depth
        return Cut(
            transforms: transforms, rounds: rounds, takesBlocksThrough: takesThrough, rows: rows,
            rowBlocks: (outputs + rows - 1) / rows, depth: depth,
            channels: takesThrough ? inputs : min(inputs, max(depth, most)))
    }

    /// Blocks in parts whose tiles become at most so many numbers, or which are single blocks.
    private static func rounds(_ blocks: [TileBlock], mostNumbers: Int) -> [Range<Int>] {
        var rounds: [Range<Int>] = []
        var numbers = 0
        for (index, block) in blocks.enumerated() {
            numbers += block.numbers
            if let last = rounds.last, numbers <= mostNumbers {
                rounds[rounds.count - 1] = last.lowerBound..<index + 1
            } else {
                rounds.append(index..<index + 1)
                numbers = block.numbers
            }
        }
        return rounds
    }

    func transformScratchCount(threads: Int) throws -> Int {
        let cut = transformCut
        let slot = try taskCount(cut).multiplied(by: threads)
        if cut.takesBlocksThrough {
            return try slot + tileElementCount(cut).multiplied(by: threads)
                + weightCount(cut).multiplied(by: shape.groups * cut.rowBlocks)
        }
        return try slot + tileElementCount(cut)
            + (cut.channels < shape.inputChannelsPerGroup ? sumCount(cut).multiplied(by: cut.rowBlocks) : 0)
    }

    /// Elements of a round's transformed tiles, a multiple of 16 as are all of these.
    private func tileElementCount(_ cut: Cut) throws -> Int {
        try cut.rounds.map { try $0.reduce(0) { $0 + (try tileElementCount(cut, $1)) } }.max() ?? 0
    }

    private func tileElementCount(_ cut: Cut, _ block: Int) throws -> Int {
        try cut.transforms.tiles(block, channels: cut.channels * cut.transforms.parities).step
            .multiplied(by: cut.transforms.blocks[block].frequencies)
    }

    /// Elements of a task's transformed weights.
    private func weightCount(_ cut: Cut) throws -> Int {
        try weightStep(cut).multiplied(by: cut.transforms.mostFrequencies)
    }

    private func weightStep(_ cut: Cut) -> Int {
        (cut.rows * cut.depth * cut.transforms.parities + 15) & ~15 + 16
    }

    /// Elements of a task's sums.
    private func sumCount(_ cut: Cut) throws -> Int {
        try cut.rounds.map { try $0.reduce(0) { $0 + (try sumCount(cut, $1)) } }.max() ?? 0
    }

    private func sumCount(_ cut: Cut, _ block: Int) throws -> Int {
        let block = cut.transforms.blocks[block]
        return try sumStep(cut, block).multiplied(by: block.frequencies)
    }

    private func sumStep(_ cut: Cut, _ block: TileBlock) -> Int {
        (cut.rows * block.lanes + 15) & ~15 + TransformedTiles.padding
    }

    /// Elements of a thread's scratch memory.
    private func taskCount(_ cut: Cut) throws -> Int {
        let weights = cut.takesBlocksThrough ? 0 : try weightCount(cut)
        let sums = cut.channels < shape.inputChannelsPerGroup ? 0 : try sumCount(cut)
        return weights + sums + cut.transforms.scratchCount
    }

    func runTransformed(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let cut = transformCut
        if cut.takesBlocksThrough { return try runTransformedBlocks(step, work, memory, cut) }
        let (tileCount, sumCount) = (try tileElementCount(cut), try sumCount(cut))
        let weightCount = try weightCount(cut)
        let inputs = shape.inputChannelsPerGroup
        let isWhole = cut.channels == inputs
        let (tiles, rest) = (memory.prefix(tileCount), memory.dropFirst(tileCount))
        let kept = isWhole ? 0 : sumCount * cut.rowBlocks
        let slots = ScratchSlots(rest.dropFirst(kept), slotCount: try taskCount(cut))
        for index in 0..<shape.batch * shape.groups * cut.rounds.count {
            let parts = try parts(cut, index)
            let lanes = parts.reduce(1) { $0 + $1.block.lanes }
            for first in stride(from: 0, to: inputs, by: max(1, cut.channels)) {
                try step.checkpoint()
                let channels = first..<min(inputs, first + cut.channels)
                try step.parallel(channels.count, grain: max(1, 2048 / lanes)) { range in
                    try slots.withSlot { scratch in
                        for part in parts { transformInput(work, part, channels, places: range, tiles, scratch) }
                    }
                }
                try step.context.pool.parallelFor(cut.rowBlocks) { rowBlock in
                    try slots.withSlot { slot in
                        let (weights, other) = (slot.prefix(weightCount), slot.dropFirst(weightCount))
                        let sums = isWhole ? other : rest.dropFirst(rowBlock * sumCount)
                        for start in stride(from: channels.lowerBound, to: channels.upperBound, by: cut.depth) {
                            let depth = start..<min(channels.upperBound, start + cut.depth)
                            for part in parts {
                                transformWeights(work, part, rowBlock, depth, weights)
                                multiply(
                                    part, rowBlock, depth, weights.readable, at: 0, tiles.readable, of: channels, sums)
                            }
                        }
                        guard channels.upperBound == inputs else { return }
                        for part in parts {
                            transformOutput(work, part, rowBlock, isWhole ? other.dropFirst(sumCount) : other, sums)
                        }
                    }
                }
            }
        }
    }

    private func runTransformedBlocks(_ step: Step, _ work: Work, _ memory: MutableElements<Float>, _ cut: Cut) throws {
        let (tileCount, sumCount) = (try tileElementCount(cut), try sumCount(cut))
        let weightCount = try weightCount(cut)
        let inputs = shape.inputChannelsPerGroup
        let blocks = cut.transforms.blocks.count
        let weights = memory.prefix(weightCount * shape.groups * cut.rowBlocks)
        let slots = ScratchSlots(memory.dropFirst(weights.count), slotCount: tileCount + (try taskCount(cut)))
        try step.parallel(
            shape.groups * cut.rowBlocks, grain: max(1, Self.fewFilters / max(1, cut.rows * inputs))
        ) { range in
            for index in range {
                for part in try parts(cut, index / cut.rowBlocks * blocks) {
                    transformWeights(
                        work, part, index % cut.rowBlocks, 0..<inputs, weights.dropFirst(index * weightCount))
                }
            }
        }
        try step.context.pool.parallelFor(shape.batch * shape.groups * blocks) { index in
            try step.checkpoint()
            guard let part = try parts(cut, index).first else { return }
            try slots.withSlot { memory in
                let (tiles, rest) = (memory.prefix(tileCount), memory.dropFirst(tileCount))
                let (sums, scratch) = (rest.prefix(sumCount), rest.dropFirst(sumCount))
                transformInput(work, part, 0..<inputs, places: 0..<inputs, tiles, scratch)
                for rowBlock in 0..<cut.rowBlocks {
                    multiply(
                        part, rowBlock, 0..<inputs, weights.readable,
                        at: (part.group * cut.rowBlocks + rowBlock) * weightCount, tiles.readable, of: 0..<inputs,
                        sums)
                    transformOutput(work, part, rowBlock, scratch, sums)
                }
            }
        }
    }

    /// A block of tiles of one image and group.
    private struct Part {
        let cut: Cut
        let block: TileBlock
        /// Of the block.
        let number: Int
        let group: Int
        /// The first channels among all images'.
        let firstInput, firstOutput: Int
        /// Where its tiles and a task's sums begin among those of its round.
        let firstTile, firstSum: Int
    }

    /// The parts of a round of one image and group.
    private func parts(_ cut: Cut, _ index: Int) throws -> [Part] {
        let (image, group) = (
            index / (shape.groups * cut.rounds.count), index / cut.rounds.count % shape.groups
        )
        var (tile, sum) = (0, 0)
        return try cut.rounds[index % cut.rounds.count].map { number in
            let part = Part(
                cut: cut, block: cut.transforms.blocks[number], number: number, group: group,
                firstInput: image * shape.inputChannels + group * shape.inputChannelsPerGroup,
                firstOutput: image * shape.outputChannels + group * shape.outputChannelsPerGroup,
                firstTile: tile, firstSum: sum)
            tile += try tileElementCount(cut, number)
            sum += try sumCount(cut, number)
            return part
        }
    }

    private func rows(_ part: Part, _ rowBlock: Int) -> Range<Int> {
        let first = rowBlock * part.cut.rows
        return first..<min(shape.outputChannelsPerGroup, first + part.cut.rows)
    }

    /// Some of the channels that are transformed at once. The parities of those whose weights are transformed at once follow
    /// one another.
    private func transformInput(
        _ work: Work, _ part: Part, _ channels: Range<Int>, places: Range<Int>, _ tiles: MutableElements<Float>,
        _ scratch: MutableElements<Float>
    ) {
        let (transforms, depth) = (part.cut.transforms, part.cut.depth)
        let (parities, planeCount) = (transforms.parities, transforms.inputCount)
        var order = transforms.tiles(part.number, channels: channels.count * parities)
        for first in stride(from: places.lowerBound / depth * depth, to: places.upperBound, by: depth) {
            let some = places.clamped(to: first..<first + depth)
            order.parityStep = min(depth, channels.count - first)
            transforms.transformInput(
                part.number, work.input, at: (part.firstInput + channels.lowerBound + some.lowerBound) * planeCount,
                planes: some.count, scratch: scratch, into: tiles.dropFirst(part.firstTile), order,
                channel: first * parities + some.lowerBound - first)
        }
    }

    /// Some input channels' weights for a task, packed like rows for each frequency.
    private func transformWeights(
        _ work: Work, _ part: Part, _ rowBlock: Int, _ depth: Range<Int>, _ target: MutableElements<Float>
    ) {
        let panel = matrices.tileRows
        let inputs = shape.inputChannelsPerGroup
        let size = (shape.outputChannelsPerGroup + panel - 1) / panel * panel * inputs
        let rows = rows(part, rowBlock)
        func start(_ row: Int, _ channel: Int) -> Int { part.group * 9 * size + row * inputs + channel * panel }
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: panel) {
            let next =
                first + panel < rows.upperBound
                ? start(first + panel, depth.lowerBound)
                : depth.upperBound < inputs
                    ? start(rows.lowerBound, depth.upperBound) : start(first + panel, 0)
            part.cut.transforms.transformWeights(
                part.number, part.block, work.weights, at: start(first, depth.lowerBound), next: next, tapStep: size,
                count: depth.count * panel, into: target,
                at: (first - rows.lowerBound) * depth.count * part.cut.transforms.parities,
                step: weightStep(part.cut))
        }
    }

    /// A task's products with tiles, of which those of `channels` are there.
    private func multiply(
        _ part: Part, _ rowBlock: Int, _ depth: Range<Int>, _ weights: Elements<Float>, at index: Int,
        _ tiles: Elements<Float>, of channels: Range<Int>, _ sums: MutableElements<Float>
    ) {
        let (lanes, transforms) = (part.block.lanes, part.cut.transforms)
        let order = transforms.tiles(part.number, channels: channels.count * transforms.parities)
        let first = (depth.lowerBound - channels.lowerBound) * transforms.parities
        for frequency in 0..<part.block.frequencies {
            let parities = transforms.parities(of: frequency)
            let columns = parities.lowerBound * depth.count..<parities.upperBound * depth.count
            matrices.multiply(
                .init(
                    elements: weights, start: index + frequency * weightStep(part.cut),
                    depth: depth.count * transforms.parities, columns: columns),
                .init(
                    elements: tiles,
                    start: part.firstTile + frequency * order.step + (first + columns.lowerBound) * order.panel,
                    rowStride: order.panel, panelStride: order.panelStep),
                rows: rows(part, rowBlock).count, columns: lanes, accumulates: depth.lowerBound > 0, into: sums,
                at: part.firstSum + frequency * sumStep(part.cut, part.block), resultStride: lanes)
        }
    }

    private func transformOutput(
        _ work: Work, _ part: Part, _ rowBlock: Int, _ scratch: MutableElements<Float>, _ sums: MutableElements<Float>
    ) {
        let (rows, transforms) = (rows(part, rowBlock), part.cut.transforms)
        transforms.transformOutput(
            part.number, part.block, sums.readable, at: part.firstSum, step: sumStep(part.cut, part.block),
            planes: rows.count,
            end: .init(
                rowBias: work.bias, firstRow: part.firstOutput % shape.outputChannels + rows.lowerBound,
                residual: work.residual, activation: work.activation),
            scratch: scratch, into: work.output, at: (part.firstOutput + rows.lowerBound) * transforms.outputCount)
    }
}
