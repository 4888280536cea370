// Convolutions as products of the weights and the matrix of patches, which for a pointwise one is the input itself.
extension PlannedConvolution {
    /// How one image's and group's product is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        /// Columns of a block, and rows.
        let columns, rows: Int
        let columnBlocks, rowBlocks: Int
        /// Whether all patches are made before they are multiplied, because several blocks need each.
        let isShared: Bool
    }

    /// Elements of patches that stay in cache while they are multiplied.
    private static let cachedPatches = 1 << 19
    /// Blocks that suffice to keep several threads busy.
    private static let wantedBlocks = 8
    /// Columns of the input that are read as they lie: more would be far apart from one channel to the next.
    private static let mostNearColumns = 1024

    private var cut: Cut {
        let spatial = shape.window.outputCount
        let rows = shape.outputChannelsPerGroup
        let tile = matrices.tileColumns
        func roundUp(_ value: Int, to multiple: Int) -> Int { (value + multiple - 1) / multiple * multiple }
        let most = max(tile, min(240, Self.cachedPatches / max(1, shape.patchCount)) / tile * tile)
        let wanted = max(1, (spatial + most - 1) / most)
        let columns = max(1, min(spatial, roundUp((spatial + wanted - 1) / wanted, to: tile)))
        let columnBlocks = (spatial + columns - 1) / columns
        let blocks = columnBlocks * shape.batch * shape.groups
        guard blocks < Self.wantedBlocks, rows >= 64 else {
            return Cut(columns: columns, rows: max(1, rows), columnBlocks: columnBlocks, rowBlocks: 1, isShared: false)
        }
        let wantedRowBlocks = (Self.wantedBlocks + blocks - 1) / max(1, blocks)
        let blockRows = max(32, roundUp((rows + wantedRowBlocks - 1) / wantedRowBlocks, to: matrices.tileRows))
        return Cut(
            columns: columns, rows: blockRows, columnBlocks: columnBlocks,
            rowBlocks: (rows + blockRows - 1) / blockRows, isShared: true)
    }

    /// Whether the input can be read as it lies.
    private var readsInput: Bool {
        kernel == .pointwise && shape.window.outputCount <= Self.mostNearColumns
            && shape.window.outputCount % matrices.lanes == 0
    }

    /// Elements between rows of patches.
    private func rowStride(_ cut: Cut) -> Int { cut.isShared ? shape.window.outputCount : cut.columns }

    private func patchesCount(_ cut: Cut) throws -> Int {
        // The last row is read in whole vectors.
        (try shape.patchCount.multiplied(by: rowStride(cut)) + matrices.lanes + 15) & ~15
    }

    func productScratchCount(threads: Int) throws -> Int {
        if readsInput { return 0 }
        let cut = cut
        return try patchesCount(cut).multiplied(by: cut.isShared ? 1 : threads)
    }

    func packRows(_ source: Elements<Float>, into target: MutableElements<Float>, _ pool: ThreadPool) throws {
        let depth = shape.patchCount
        let panel = matrices.tileRows
        let channels = shape.outputChannelsPerGroup
        let panels = (channels + panel - 1) / panel
        let size = try rowCount(depth: depth)
        try pool.parallelFor(shape.groups * panels) { index in
            let (group, first) = (index / panels, index % panels * panel)
            matrices.packRows(
                source, start: (group * channels + first) * depth, rowStride: depth, columnStride: 1,
                rows: min(panel, channels - first), depth: depth, into: target, at: group * size + first * depth)
        }
    }

    func runProducts(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let cut = cut
        let spatial = shape.window.outputCount
        guard spatial > 0 else { return }
        if readsInput {
            return try runBlocks(step, cut, 0..<shape.batch * shape.groups) { block, rows, columns in
                let start = firstInputPlane(block) * spatial + columns.lowerBound
                multiply(work, block, rows, columns, work.input, start: start, rowStride: spatial)
            }
        }
        guard cut.isShared else {
            let count = try patchesCount(cut)
            let slots = ScratchSlots(memory, slotCount: count)
            return try runBlocks(step, cut, 0..<shape.batch * shape.groups) { block, rows, columns in
                try slots.withSlot { patches in
                    gather(work, block, 0..<shape.inputChannelsPerGroup, columns, into: patches, at: 0)
                    multiply(work, block, rows, columns, patches.readable, start: 0, rowStride: columns.count)
                }
            }
        }
        for block in 0..<shape.batch * shape.groups {
            try step.parallel(shape.inputChannelsPerGroup, grain: 16) { channels in
                gather(
                    work, block, channels, 0..<spatial, into: memory,
                    at: channels.lowerBound * shape.window.kernelCount * spatial)
            }
            try runBlocks(step, cut, block..<block + 1) { block, rows, columns in
                multiply(
                    work, block, rows, columns, memory.readable, start: columns.lowerBound, rowStride: spatial)
            }
        }
    }

    private func runBlocks(
        _ step: Step, _ cut: Cut, _ blocks: Range<Int>,
        _ body: @Sendable (_ block: Int, _ rows: Range<Int>, _ columns: Range<Int>) throws -> Void
    ) throws {
        let perBlock = cut.rowBlocks * cut.columnBlocks
        let rowCount = shape.outputChannelsPerGroup
        let columnCount = shape.window.outputCount
        try step.context.pool.parallelFor(blocks.count * perBlock) { index in
            try step.checkpoint()
            let row = index % perBlock / cut.columnBlocks * cut.rows
            let column = index % cut.columnBlocks * cut.columns
            try body(
                blocks.lowerBound + index / perBlock, row..<min(row + cut.rows, rowCount),
                column..<min(column + cut.columns, columnCount))
        }
    }

    private func firstInputPlane(_ block: Int) -> Int {
        block / shape.groups * shape.inputChannels + block % shape.groups * shape.inputChannelsPerGroup
    }

    /// Writes patches of some channels, rows `columns.count` apart.
    private func gather(
        _ work: Work, _ block: Int, _ channels: Range<Int>, _ columns: Range<Int>,
        into patches: MutableElements<Float>, at index: Int
    ) {
        if kernel == .pointwise {
            let spatial = shape.window.outputCount
            return ConvolutionKernels.copyRows(
                work.input, start: (firstInputPlane(block) + channels.lowerBound) * spatial, rowStride: spatial,
                rows: channels.count, columns: columns, into: patches, at: index)
        }
        ConvolutionKernels.patches(
            work.input, plane: firstInputPlane(block), channels: channels, shape.window, columns: columns,
            into: patches, at: index)
    }

    /// One block of the product of weights and patches; `block` counts images and groups.
    private func multiply(
        _ work: Work, _ block: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ patches: Elements<Float>, start: Int,
        rowStride: Int
    ) {
        let spatial = shape.window.outputCount
        let channels = shape.outputChannelsPerGroup
        let group = block % shape.groups
        let firstChannel = group * channels + rows.lowerBound
        let firstPlane = block / shape.groups * shape.outputChannels + firstChannel
        let groupSize = (channels + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows * shape.patchCount
        matrices.multiply(
            .init(
                elements: work.weights, start: group * groupSize + rows.lowerBound * shape.patchCount,
                depth: shape.patchCount),
            .init(elements: patches, start: start, rowStride: rowStride, panelStride: matrices.tileColumns),
            rows: rows.count, columns: columns.count,
            end: .init(rowBias: work.bias, firstRow: firstChannel, residual: work.residual, limits: work.limits),
            into: work.output, at: firstPlane * spatial + columns.lowerBound, resultStride: spatial)
        guard work.limits == nil, work.activation != .none else { return }
        for row in 0..<rows.count {
            let first = (firstPlane + row) * spatial
            work.activation.apply(to: work.output, first + columns.lowerBound..<first + columns.upperBound)
        }
    }
}
