// Convolutions as products of the weights and the matrix of patches, which for a pointwise one is the input itself.
extension PlannedConvolution {
    /// How one image's and group's product is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        /// Tiles of columns, dealt out evenly to `columnBlocks` blocks.
        let tiles: Int
        let columnBlocks, rowBlocks: Int
        /// Rows of a block.
        let rows: Int
        /// Whether all patches are made before they are multiplied, because several blocks need each.
        let isShared: Bool
        /// Rows of each half of one more tile: where tiles are few, an odd one would keep one thread of two waiting.
        var halfRows: Int?

        /// Tiles of a block, at most.
        var mostTiles: Int { (tiles + columnBlocks - 1) / columnBlocks }

        /// Those of larger blocks come first.
        func tiles(_ block: Int) -> Range<Int> {
            let (size, larger) = (tiles / columnBlocks, tiles % columnBlocks)
            let first = block * size + min(block, larger)
            return first..<first + size + (block < larger ? 1 : 0)
        }

        var taskCount: Int { rowBlocks * columnBlocks + (halfRows == nil ? 0 : 2) }

        /// Rows, and tiles of columns, of a task.
        func task(_ index: Int, rowCount: Int) -> (rows: Range<Int>, tiles: Range<Int>) {
            if let halfRows, index >= rowBlocks * columnBlocks {
                let isFirst = index == rowBlocks * columnBlocks
                return (isFirst ? 0..<halfRows : halfRows..<rowCount, tiles..<tiles + 1)
            }
            let first = index / columnBlocks * rows
            return (first..<min(first + rows, rowCount), tiles(index % columnBlocks))
        }
    }

    /// Blocks that keep several threads busy to the end, and those that suffice where more would cost.
    private static let wantedBlocks = 16
    private static let sufficientBlocks = 8
    /// Threads divide the blocks without a rest where their number is a multiple of this.
    private static let blockMultiple = 4
    /// Fewer columns of a block, and fewer rows of one that is shared out among blocks, are not worth it.
    private static let leastColumns = 144
    /// The same where columns are packed anyway, and where rows are few.
    private static let leastPackedColumns = 96
    private static let leastRows = 64
    /// Tiles of a block, where an odd one among all of them costs little.
    private static let manyTiles = 8
    /// Columns of the input that are read as they lie: more would be far apart from one channel to the next.
    private static let mostNearColumns = 1024

    private var cut: Cut {
        let rows = max(1, shape.outputChannelsPerGroup)
        let tile = matrices.tileColumns
        func parts(_ whole: Int, _ part: Int) -> Int { (whole + part - 1) / max(1, part) }
        func even(_ blocks: Int) -> Int { parts(blocks, Self.blockMultiple) * Self.blockMultiple }
        let images = max(1, shape.batch * shape.groups)
        let tiles = max(1, parts(shape.window.outputCount, tile))
        let most = max(1, matrices.blockColumns(depth: shape.patchCount) / tile)
        let isNarrow = kernel == .pointwise && !readsInput || rows < Self.leastRows
        let least = isNarrow ? Self.leastPackedColumns : Self.leastColumns
        let wanted = max(parts(tiles, most), min(parts(Self.wantedBlocks, images), tiles * tile / least))
        let columnBlocks = min(tiles, wanted > 1 ? even(wanted) : 1)
        let blocks = columnBlocks * images
        let isShared = kernel == .patches && blocks < Self.sufficientBlocks && rows >= Self.leastRows
        // Blocks of the same columns that are not read as they lie would each pack them.
        let splitsRows = blocks < (readsInput ? Self.wantedBlocks : Self.sufficientBlocks) && rows >= Self.leastRows
        guard isShared || kernel == .pointwise && splitsRows else {
            let isOdd = tiles % 2 == 1 && (2...Self.manyTiles).contains(parts(tiles, columnBlocks))
            if isOdd, kernel == .pointwise, columnBlocks > 1, rows >= Self.leastRows {
                return Cut(
                    tiles: tiles - 1, columnBlocks: columnBlocks, rowBlocks: 1, rows: rows, isShared: false,
                    halfRows: parts(parts(rows, 2), matrices.tileRows) * matrices.tileRows)
            }
            return Cut(tiles: tiles, columnBlocks: columnBlocks, rowBlocks: 1, rows: rows, isShared: false)
        }
        let rowBlocks = even(parts(Self.wantedBlocks, blocks))
        let blockRows = max(32, parts(parts(rows, rowBlocks), matrices.tileRows) * matrices.tileRows)
        return Cut(
            tiles: tiles, columnBlocks: columnBlocks, rowBlocks: parts(rows, blockRows), rows: blockRows,
            isShared: isShared)
    }

    /// Whether the input can be read as it lies.
    private var readsInput: Bool {
        kernel == .pointwise && shape.window.outputCount <= Self.mostNearColumns
            && shape.window.outputCount % matrices.lanes == 0
    }

    /// Rows of patches that are multiplied at a time; at least one range.
    private var depthParts: [Range<Int>] {
        let size = max(1, MatrixKernel.partDepth(shape.patchCount))
        return stride(from: 0, to: max(1, shape.patchCount), by: size).map {
            $0..<min(shape.patchCount, $0 + size)
        }
    }

    /// Elements of patches that one thread needs at a time, or all threads together.
    private func patchesCount(_ cut: Cut) throws -> Int {
        let depth = cut.isShared ? shape.patchCount : MatrixKernel.partDepth(shape.patchCount)
        let columns = (cut.isShared ? cut.tiles : cut.mostTiles) * matrices.tileColumns
        return (try matrices.packedCount(columns: columns, depth: depth) + 15) & ~15
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
        let tile = matrices.tileColumns
        let depth = shape.patchCount
        guard spatial > 0 else { return }
        let images = 0..<shape.batch * shape.groups
        if readsInput {
            return try runBlocks(step, cut, images) { block, rows, columns in
                multiply(work, block, rows, columns, inputColumns(work, block, columns), 0..<depth)
            }
        }
        let slots = ScratchSlots(memory, slotCount: try patchesCount(cut))
        if kernel == .pointwise {
            return try runBlocks(step, cut, images) { block, rows, columns in
                try slots.withSlot {
                    multiply(work, block, rows, columns, inputColumns(work, block, columns), packing: $0, 0..<depth)
                }
            }
        }
        guard cut.isShared else {
            let parts = depthParts
            return try runBlocks(step, cut, images) { block, rows, columns in
                try slots.withSlot { patches in
                    for part in parts {
                        gather(work, block, part, columns, into: patches, at: 0, panelStride: tile * part.count)
                        let panels = MatrixKernel.Columns(
                            elements: patches.readable, rowStride: tile, panelStride: tile * part.count)
                        multiply(work, block, rows, columns, panels, part)
                    }
                }
            }
        }
        for block in images {
            try step.parallel(depth, grain: 128) { rows in
                gather(
                    work, block, rows, 0..<spatial, into: memory, at: rows.lowerBound * tile,
                    panelStride: tile * depth)
            }
            try runBlocks(step, cut, block..<block + 1) { block, rows, columns in
                let panels = MatrixKernel.Columns(
                    elements: memory.readable, start: columns.lowerBound * depth, rowStride: tile,
                    panelStride: tile * depth)
                multiply(work, block, rows, columns, panels, 0..<depth)
            }
        }
    }

    /// Columns of the input of a pointwise convolution, as they lie.
    private func inputColumns(_ work: Work, _ block: Int, _ columns: Range<Int>) -> MatrixKernel.Columns {
        let spatial = shape.window.outputCount
        return .init(
            elements: work.input, start: firstInputPlane(block) * spatial + columns.lowerBound, rowStride: spatial,
            panelStride: matrices.tileColumns)
    }

    private func runBlocks(
        _ step: Step, _ cut: Cut, _ blocks: Range<Int>,
        _ body: @Sendable (_ block: Int, _ rows: Range<Int>, _ columns: Range<Int>) throws -> Void
    ) throws {
        let perBlock = cut.taskCount
        let rowCount = shape.outputChannelsPerGroup
        let columnCount = shape.window.outputCount
        let tile = matrices.tileColumns
        try step.context.pool.parallelFor(blocks.count * perBlock) { index in
            try step.checkpoint()
            let (rows, tiles) = cut.task(index % perBlock, rowCount: rowCount)
            try body(
                blocks.lowerBound + index / perBlock, rows,
                tiles.lowerBound * tile..<min(tiles.upperBound * tile, columnCount))
        }
    }

    private func firstInputPlane(_ block: Int) -> Int {
        block / shape.groups * shape.inputChannels + block % shape.groups * shape.inputChannelsPerGroup
    }

    /// Writes rows of patches as panels.
    private func gather(
        _ work: Work, _ block: Int, _ rows: Range<Int>, _ columns: Range<Int>, into patches: MutableElements<Float>,
        at index: Int, panelStride: Int
    ) {
        ConvolutionKernels.patchPanels(
            work.input, plane: firstInputPlane(block), rows: rows, shape.window, columns: columns,
            panelColumns: matrices.tileColumns, panelStride: panelStride, into: patches, at: index)
    }

    /// One block of the product of weights and patches, or what some rows of patches add to it; `block` counts images and
    /// groups.
    private func multiply(
        _ work: Work, _ block: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ patches: MatrixKernel.Columns,
        packing: MutableElements<Float>? = nil, _ part: Range<Int>
    ) {
        let spatial = shape.window.outputCount
        let channels = shape.outputChannelsPerGroup
        let group = block % shape.groups
        let firstChannel = group * channels + rows.lowerBound
        let firstPlane = block / shape.groups * shape.outputChannels + firstChannel
        let groupSize = (channels + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows * shape.patchCount
        let isLast = part.upperBound == shape.patchCount
        matrices.multiply(
            .init(
                elements: work.weights, start: group * groupSize + rows.lowerBound * shape.patchCount,
                depth: shape.patchCount, columns: part),
            patches, packing: packing, rows: rows.count, columns: columns.count, accumulates: part.lowerBound > 0,
            end: isLast
                ? .init(
                    rowBias: work.bias, firstRow: firstChannel, residual: work.residual,
                    activation: work.activation.inRegisters) : nil,
            into: work.output, at: firstPlane * spatial + columns.lowerBound, resultStride: spatial)
        guard isLast, work.activation.inMemory != .none else { return }
        for row in 0..<rows.count {
            let first = (firstPlane + row) * spatial
            work.activation.inMemory.apply(
                to: work.output, first + columns.lowerBound..<first + columns.upperBound)
        }
    }
}
