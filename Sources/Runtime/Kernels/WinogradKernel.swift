import CKernels

/// A 3×3 convolution that moves by 1 or 2, in square tiles of outputs, by Winograd's transforms; see `winograd.h`.
struct WinogradKernel: TileTransforms {
    struct Tile: Sendable, Hashable {
        /// Side of a tile of outputs: 2, 3 or 4, and 3 where the window moves by 2.
        let side: Int
        /// How far the window moves.
        let stride: Int

        var frequencies: Int { frequencySide * frequencySide }
        private var frequencySide: Int { side + 3 - stride }

        /// Even and odd rows and columns, where the window moves by 2.
        var parities: Int { stride == 1 ? 1 : Int(TS_WINOGRAD_PARITIES) }
        /// Products for a tile of a channel.
        var products: Int { (0..<frequencies).reduce(0) { $0 + parities(of: $1).count } }

        func parities(of frequency: Int) -> Range<Int> {
            guard stride == 2 else { return 0..<1 }
            let isLastRow = frequency / frequencySide == frequencySide - 1
            let isLastColumn = frequency % frequencySide == frequencySide - 1
            return (isLastColumn ? 1 : 0)..<(isLastRow ? 2 : isLastColumn ? 3 : 4)
        }

        fileprivate var isValid: Bool { stride == 1 ? (2...4).contains(side) : stride == 2 && side == 3 }
    }

    let tile: Tile
    let inputCount, outputCount: Int
    /// With three dimensions.
    private let window: Window
    let matrices: MatrixKernel
    let blocks: [TileBlock]
    let scratchCount: Int
    private let lineCount: Int
    /// The tiles of each block.
    private let parts: [Part]

    fileprivate struct Part: Sendable {
        let runs: [ts_tile_run]
        let tiles: Int
    }

    var parities: Int { tile.parities }
    func parities(of frequency: Int) -> Range<Int> { tile.parities(of: frequency) }

    /// Tiles of a plane that are listed one by one; a larger plane is computed in another way.
    private static let mostTiles = 1 << 20
    /// Dilations up to which rows of a plane that is smaller are short.
    private static let smallDilation = 64

    /// Whether a window is one that this computes in such tiles.
    static func supports(_ tile: Tile, _ window: Window) -> Bool {
        let window = window.threeDimensional
        return tile.isValid && window.outputCount <= 4 * mostTiles && window.kernel == [1, 3, 3]
            && window.strides[1] == tile.stride && window.strides[2] == tile.stride
            && window.input[0] == 1 && window.output[0] == 1 && window.begins[0] == 0
            && (1...2).allSatisfy {
                window.dilations[$0] <= (tile.stride == 1 ? max(smallDilation, window.output[$0]) : 1)
            }
    }

    /// Tiles of a window over one plane.
    static func tileCount(_ tile: Tile, _ window: Window) -> Int {
        let window = window.threeDimensional
        func count(_ axis: Int) -> Int {
            (0..<min(window.dilations[axis], window.output[axis])).reduce(0) { total, phase in
                total + (phaseExtent(window, axis, phase) + tile.side - 1) / tile.side
            }
        }
        return count(1) * count(2)
    }

    private static func phaseExtent(_ window: Window, _ axis: Int, _ phase: Int) -> Int {
        (window.output[axis] - phase + window.dilations[axis] - 1) / window.dilations[axis]
    }

    /// - Parameter mostTiles: wanted in one block; it has more where a row of tiles that belong together is longer.
    init(_ tile: Tile, _ window: Window, matrices: MatrixKernel, mostTiles: Int) {
        precondition(Self.supports(tile, window), "not a window for Winograd's transforms")
        self.tile = tile
        (inputCount, outputCount) = (window.inputCount, window.outputCount)
        self.window = window.threeDimensional
        self.matrices = matrices
        let all = Self.tileCount(tile, window)
        let count = max(1, (all + mostTiles - 1) / max(1, mostTiles))
        let size = ((all + count - 1) / max(1, count) + 15) & ~15
        var list = PartList(size: max(16, size))
        let (rowDilation, columnDilation) = (self.window.dilations[1], self.window.dilations[2])
        for phase in 0..<(all == 0 ? 0 : min(rowDilation, self.window.output[1])) {
            for row in 0..<(Self.phaseExtent(self.window, 1, phase) + tile.side - 1) / tile.side {
                let line = Self.row(tile, self.window, phase + row * tile.side * rowDilation)
                columnDilation == 1 ? list.append(cutting: line[0], tile) : list.append(line)
            }
        }
        parts = list.finished()
        blocks = parts.map {
            TileBlock(
                frequencies: tile.frequencies,
                lanes: ($0.tiles + matrices.lanes - 1) / matrices.lanes * matrices.lanes)
        }
        lineCount = ts_winograd_line(tile.side, tile.stride, self.window.output[2], columnDilation)
        let mostLanes = blocks.reduce(0) { max($0, $1.lanes) }
        scratchCount = (ts_winograd_scratch(tile.side, tile.stride, mostLanes, lineCount) + 15) & ~15
    }

    /// The tiles of one row, numbered from 0: one run, or where columns are dilated one for each step of a tile, of the
    /// columns that are computed apart from one another.
    private static func row(_ tile: Tile, _ window: Window, _ outputRow: Int) -> [ts_tile_run] {
        let (width, dilation) = (window.output[2], window.dilations[2])
        let whole = (width + tile.side - 1) / tile.side
        var runs: [ts_tile_run] = []
        var first = 0
        for column in stride(from: 0, to: width, by: dilation == 1 ? max(1, width) : tile.side * dilation) {
            let count = dilation == 1 ? whole : min(dilation, width - column)
            runs.append(
                ts_tile_run(
                    first: first, count: count, row: outputRow * tile.stride - window.begins[1],
                    column: column * tile.stride - window.begins[2],
                    output_row: outputRow, output_column: column))
            first += count
        }
        return runs
    }

    private func withPart<Result>(_ block: Int, _ body: (UnsafePointer<ts_winograd>) -> Result) -> Result {
        parts[block].runs.withUnsafeBufferPointer { runs in
            var winograd = ts_winograd(
                tile: tile.side, stride: tile.stride, input_height: window.input[1], input_width: window.input[2],
                output_height: window.output[1], output_width: window.output[2], row_dilation: window.dilations[1],
                column_dilation: window.dilations[2], runs: runs.baseAddress, run_count: runs.count,
                tiles: parts[block].tiles, lanes: blocks[block].lanes, line: lineCount)
            return body(&winograd)
        }
    }

    func transformInputAt(
        _ planes: ts_planes, _ block: Int, scratch: UnsafeMutablePointer<Float>?,
        into target: UnsafeMutablePointer<Float>?, _ order: ts_winograd_order
    ) {
        withPart(block) { part in
            withUnsafePointer(to: order) { ts_winograd_input(matrices.index, part, planes, scratch, target, $0) }
        }
    }

    func transformOutputAt(
        _ sums: ts_tile_sums, _ block: Int, _ end: ts_winograd_end, scratch: UnsafeMutablePointer<Float>?,
        into planes: UnsafeMutablePointer<Float>?
    ) {
        withPart(block) { part in
            withUnsafePointer(to: sums) { sums in
                withUnsafePointer(to: end) { ts_winograd_output(matrices.index, part, sums, $0, scratch, planes) }
            }
        }
    }

    func transformWeightsAt(
        _ taps: UnsafePointer<Float>, tapStep: Int, ahead: Int, count: Int, _ block: Int,
        into target: UnsafeMutablePointer<Float>?, step: Int
    ) {
        ts_winograd_weights(matrices.index, tile.side, tile.stride, taps, tapStep, ahead, count, target, step, count)
    }
}

/// Blocks that are filled with runs.
private struct PartList {
    /// Tiles of a block.
    let size: Int
    private var parts: [WinogradKernel.Part] = []
    private var runs: [ts_tile_run] = []
    private var tiles = 0

    init(size: Int) { self.size = size }

    /// Appends a run, parts of which may come into several blocks.
    mutating func append(cutting run: ts_tile_run, _ tile: WinogradKernel.Tile) {
        var rest = run
        while rest.count > 0 {
            var part = rest
            part.count = min(rest.count, size - tiles)
            add(part)
            rest.count -= part.count
            rest.column += part.count * tile.side * tile.stride
            rest.output_column += part.count * tile.side
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
        parts.append(.init(runs: runs, tiles: tiles))
        (runs, tiles) = ([], 0)
    }

    mutating func finished() -> [WinogradKernel.Part] {
        close()
        return parts
    }
}
