import CKernels

/// A 3×3 convolution that moves by 1, by Winograd's transforms; a bounds-checked entry to `winograd.c`.
///
/// Outputs are computed in square tiles. Each channel of the input becomes `frequencies` numbers a tile, the sum over
/// channels is a matrix product for each frequency, and what comes out is transformed back.
struct WinogradKernel: Sendable {
    /// Side of a tile of outputs, 2, 3 or 4.
    let tile: Int
    let window: Window
    /// Of the products, whose instruction set and vectors the transforms share.
    let matrices: MatrixKernel
    /// Tiles in parts that are computed one after another, so that what is in between stays in cache.
    let blocks: [Block]

    struct Block: Sendable {
        let runs: [ts_tile_run]
        let tiles: Int
        /// `tiles`, rounded up to whole vectors.
        let lanes: Int
    }

    /// Where transformed tiles of some channels lie: cut into panels as products read them,
    /// `[frequency][panel][channel][lane of the panel]`.
    struct Tiles: Sendable {
        /// Channels, and lanes of a panel.
        let channels, panel: Int
        /// Elements from one frequency to the next.
        let step: Int

        var panelStep: Int { channels * panel }
    }

    static let tileSides = 2...4
    var frequencies: Int { (tile + 2) * (tile + 2) }
    var mostLanes: Int { blocks.map(\.lanes).max() ?? 0 }

    /// Tiles of a plane that are listed one by one; a larger plane is computed in another way.
    private static let mostTiles = 1 << 20
    /// Dilations up to which rows of a plane that is smaller are short.
    private static let smallDilation = 64

    /// Whether a window is one that this computes.
    static func supports(_ window: Window) -> Bool {
        let window = window.threeDimensional
        return window.outputCount <= 4 * mostTiles && window.kernel == [1, 3, 3] && window.strides == [1, 1, 1]
            && window.input[0] == 1 && window.output[0] == 1 && window.begins[0] == 0
            && (1...2).allSatisfy { window.dilations[$0] <= max(smallDilation, window.output[$0]) }
    }

    /// Tiles of a window over one plane.
    static func tileCount(_ tile: Int, _ window: Window) -> Int {
        let window = window.threeDimensional
        func count(_ axis: Int) -> Int {
            (0..<min(window.dilations[axis], window.output[axis])).reduce(0) { total, phase in
                total + (phaseExtent(window, axis, phase) + tile - 1) / tile
            }
        }
        return count(1) * count(2)
    }

    private static func phaseExtent(_ window: Window, _ axis: Int, _ phase: Int) -> Int {
        (window.output[axis] - phase + window.dilations[axis] - 1) / window.dilations[axis]
    }

    /// - Parameter mostTiles: wanted in one block; it has more where a row of tiles that belong together is longer.
    init(tile: Int, _ window: Window, matrices: MatrixKernel, mostTiles: Int) {
        precondition(
            Self.supports(window) && Self.tileSides.contains(tile), "not a window for Winograd's transforms")
        self.tile = tile
        self.window = window.threeDimensional
        self.matrices = matrices
        let all = Self.tileCount(tile, window)
        let count = max(1, (all + mostTiles - 1) / max(1, mostTiles))
        let size = ((all + count - 1) / max(1, count) + 15) & ~15
        var list = BlockList(size: max(16, size), lanes: matrices.lanes)
        let (rowDilation, columnDilation) = (self.window.dilations[1], self.window.dilations[2])
        for phase in 0..<(all == 0 ? 0 : min(rowDilation, self.window.output[1])) {
            for row in 0..<(Self.phaseExtent(self.window, 1, phase) + tile - 1) / tile {
                let line = Self.row(tile, self.window, phase + row * tile * rowDilation)
                columnDilation == 1 ? list.append(cutting: line[0], tile) : list.append(line)
            }
        }
        blocks = list.finished()
    }

    /// The tiles of one row, numbered from 0: one run, or where columns are dilated one for each step of a tile, of the
    /// columns that are computed apart from one another.
    private static func row(_ tile: Int, _ window: Window, _ outputRow: Int) -> [ts_tile_run] {
        let (width, dilation) = (window.output[2], window.dilations[2])
        let whole = (width + tile - 1) / tile
        var runs: [ts_tile_run] = []
        var first = 0
        for column in stride(from: 0, to: width, by: dilation == 1 ? max(1, width) : tile * dilation) {
            let count = dilation == 1 ? whole : min(dilation, width - column)
            runs.append(
                ts_tile_run(
                    first: first, count: count, row: outputRow - window.begins[1], column: column - window.begins[2],
                    output_row: outputRow, output_column: column))
            first += count
        }
        return runs
    }

    /// Elements of scratch memory that the transform of one plane needs, a multiple of 16.
    var scratchCount: Int { (ts_winograd_scratch(tile, mostLanes, lineCount) + 15) & ~15 }
    private var lineCount: Int { ts_winograd_line(tile, window.output[2], window.dilations[2]) }

    /// The order of some channels' transformed tiles of a block.
    func tiles(_ block: Block, channels: Int) -> Tiles {
        let panel = max(1, min(matrices.tileColumns, block.lanes))
        let panels = (block.lanes + panel - 1) / panel
        // Frequencies must not fall on the same lines of a cache.
        return Tiles(
            channels: channels, panel: panel, step: ((panels * panel * channels + 15) & ~15) + Self.padding)
    }

    /// Elements that keep the frequencies of a tile from falling on the same lines of a cache.
    static let padding = 112

    private func withBlock<Result>(_ block: Block, _ body: (UnsafePointer<ts_winograd>) -> Result) -> Result {
        block.runs.withUnsafeBufferPointer { runs in
            var winograd = ts_winograd(
                tile: tile, input_height: window.input[1], input_width: window.input[2],
                output_height: window.output[1], output_width: window.output[2], row_dilation: window.dilations[1],
                column_dilation: window.dilations[2], runs: runs.baseAddress, run_count: runs.count,
                tiles: block.tiles, lanes: block.lanes, line: lineCount)
            return body(&winograd)
        }
    }

    /// Transforms the plane that starts at `start` as channel `channel` of `tiles`.
    func transformInput(
        _ block: Block, _ input: Elements<Float>, at start: Int, scratch: MutableElements<Float>,
        into target: MutableElements<Float>, _ tiles: Tiles, channel: Int
    ) {
        guard let source = input.pointer else { return }
        precondition(
            start >= 0 && start + window.inputCount <= input.count && scratch.count >= scratchCount
                && (0..<tiles.channels).contains(channel) && block.lanes <= mostLanes
                && (block.lanes + tiles.panel - 1) / tiles.panel * tiles.panelStep <= tiles.step
                && frequencies * tiles.step <= target.count, "plane out of bounds")
        withBlock(block) {
            ts_winograd_input(
                matrices.index, $0, source + start, input.count - start, scratch.pointer(at: 0),
                target.pointer(at: channel * tiles.panel), tiles.step, tiles.panel, tiles.panelStep)
        }
    }

    /// Transforms the sums of one output channel back into the plane that starts at `start`; the residual is laid out
    /// like the output.
    func transformOutput(
        _ block: Block, _ sums: Elements<Float>, at index: Int, step: Int, bias: Float, residual: Elements<Float>?,
        limits: ClosedRange<Float>?, scratch: MutableElements<Float>, into output: MutableElements<Float>,
        at start: Int
    ) {
        guard let source = sums.pointer else { return }
        precondition(
            start >= 0 && start + window.outputCount <= output.count && scratch.count >= scratchCount && index >= 0
                && step >= 0 && index + (frequencies - 1) * step + block.lanes <= sums.count
                && block.lanes <= mostLanes
                && residual.map { $0.count >= start + window.outputCount } ?? true, "plane out of bounds")
        var end = ts_winograd_end(
            bias: bias, residual: residual?.pointer.map { $0 + start }, limits: limits == nil ? 0 : 1,
            low: limits?.lowerBound ?? 0, high: limits?.upperBound ?? 0)
        withBlock(block) {
            ts_winograd_output(
                matrices.index, $0, source + index, step, &end, scratch.pointer(at: 0), output.pointer(at: start))
        }
    }

    /// Transforms `count` filters: tap t of filter i at `start + t · tapStep + i`; frequency f goes to
    /// `index + f · step + i`.
    func transformWeights(
        _ taps: Elements<Float>, at start: Int, tapStep: Int, count: Int, into target: MutableElements<Float>,
        at index: Int, step: Int
    ) {
        guard let source = taps.pointer, count > 0 else { return }
        precondition(
            start >= 0 && tapStep >= 0 && start + 8 * tapStep + count <= taps.count && index >= 0 && step >= count
                && index + (frequencies - 1) * step + count <= target.count, "weights out of bounds")
        ts_winograd_weights(
            matrices.index, tile, source + start, tapStep, count, target.pointer(at: index), step)
    }
}

/// Blocks that are filled with runs.
private struct BlockList {
    /// Tiles of a block, and of a vector.
    let size, lanes: Int
    private var blocks: [WinogradKernel.Block] = []
    private var runs: [ts_tile_run] = []
    private var tiles = 0

    init(size: Int, lanes: Int) { (self.size, self.lanes) = (size, lanes) }

    /// Appends a run, parts of which may come into several blocks.
    mutating func append(cutting run: ts_tile_run, _ tile: Int) {
        var rest = run
        while rest.count > 0 {
            var part = rest
            part.count = min(rest.count, size - tiles)
            add(part)
            rest.count -= part.count
            rest.column += part.count * tile
            rest.output_column += part.count * tile
            if tiles == size { close() }
        }
    }

    /// Appends runs that belong into one block.
    mutating func append(_ row: [ts_tile_run]) {
        let count = row.reduce(0) { $0 + $1.count }
        if tiles > 0, tiles + count > size { close() }
        for run in row { add(run) }
    }

    private mutating func add(_ run: ts_tile_run) {
        var run = run
        run.first = tiles
        runs.append(run)
        tiles += run.count
    }

    private mutating func close() {
        guard tiles > 0 else { return }
        blocks.append(.init(runs: runs, tiles: tiles, lanes: (tiles + lanes - 1) / lanes * lanes))
        (runs, tiles) = ([], 0)
    }

    mutating func finished() -> [WinogradKernel.Block] {
        close()
        return blocks
    }
}
