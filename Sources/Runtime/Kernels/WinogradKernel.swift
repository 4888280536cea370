import CKernels

/// A 3×3 convolution that moves by 1, by Winograd's transforms; a bounds-checked entry to `winograd.c`.
///
/// Outputs are computed in square tiles. Each channel of the input becomes `frequencies` numbers a tile, the sum over
/// channels is a matrix product for each frequency, and what comes out is transformed back.
struct WinogradKernel: Sendable {
    /// Side of a tile of outputs, 2 or 4.
    let tile: Int
    let window: Window
    /// Tiles in parts that are computed one after another, so that what is in between stays in cache.
    let blocks: [Block]

    struct Block: Sendable {
        let runs: [ts_tile_run]
        let tiles: Int
        /// `tiles`, rounded up to whole vectors: the distance between channels.
        var lanes: Int { (tiles + 15) & ~15 }
    }

    var frequencies: Int { (tile + 2) * (tile + 2) }
    var mostLanes: Int { blocks.map(\.lanes).max() ?? 0 }

    /// Tiles of a plane that are listed one by one; a larger plane is computed in another way.
    private static let mostTiles = 1 << 20

    /// Whether a window is one that this computes.
    static func supports(_ window: Window) -> Bool {
        let window = window.threeDimensional
        return window.outputCount <= 4 * mostTiles && window.kernel == [1, 3, 3] && window.strides == [1, 1, 1]
            && window.input[0] == 1
            && window.output[0] == 1 && window.begins[0] == 0
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

    /// - Parameter mostTiles: in one block.
    init(tile: Int, _ window: Window, mostTiles: Int) {
        precondition(Self.supports(window) && (tile == 2 || tile == 4), "not a window for Winograd's transforms")
        self.tile = tile
        self.window = window.threeDimensional
        let all = Self.tileCount(tile, window)
        let count = max(1, (all + mostTiles - 1) / max(1, mostTiles))
        let size = ((all + count - 1) / max(1, count) + 15) & ~15
        blocks = Self.blocks(tile, window.threeDimensional, size: max(16, size))
    }

    private static func blocks(_ tile: Int, _ window: Window, size: Int) -> [Block] {
        var blocks: [Block] = []
        var runs: [ts_tile_run] = []
        var tiles = 0
        let (rowDilation, columnDilation) = (window.dilations[1], window.dilations[2])
        for rowPhase in 0..<min(rowDilation, window.output[1]) {
            for columnPhase in 0..<min(columnDilation, window.output[2]) {
                let width = (phaseExtent(window, 2, columnPhase) + tile - 1) / tile
                for row in 0..<(phaseExtent(window, 1, rowPhase) + tile - 1) / tile {
                    var column = 0
                    while column < width {
                        let count = min(width - column, size - tiles)
                        let outputRow = rowPhase + row * tile * rowDilation
                        let outputColumn = columnPhase + column * tile * columnDilation
                        runs.append(
                            ts_tile_run(
                                first: tiles, count: count, row: outputRow - window.begins[1],
                                column: outputColumn - window.begins[2], output_row: outputRow,
                                output_column: outputColumn))
                        tiles += count
                        column += count
                        guard tiles == size else { continue }
                        blocks.append(Block(runs: runs, tiles: tiles))
                        (runs, tiles) = ([], 0)
                    }
                }
            }
        }
        if tiles > 0 { blocks.append(Block(runs: runs, tiles: tiles)) }
        return blocks
    }

    /// Elements of scratch memory that the transform of one plane needs, a multiple of 16.
    var scratchCount: Int { (frequencies + tile) * (mostLanes + 16) + 16 }

    private func withBlock<Result>(_ block: Block, _ body: (UnsafePointer<ts_winograd>) -> Result) -> Result {
        block.runs.withUnsafeBufferPointer { runs in
            var winograd = ts_winograd(
                tile: tile, input_height: window.input[1], input_width: window.input[2],
                output_height: window.output[1], output_width: window.output[2], row_dilation: window.dilations[1],
                column_dilation: window.dilations[2], runs: runs.baseAddress, run_count: runs.count,
                tiles: block.tiles, lanes: block.lanes)
            return body(&winograd)
        }
    }

    /// Transforms the plane that starts at `start`: frequency f of a tile goes to `index + f · step + tile`.
    func transformInput(
        _ block: Block, _ input: Elements<Float>, at start: Int, scratch: MutableElements<Float>,
        into target: MutableElements<Float>, at index: Int, step: Int
    ) {
        guard let source = input.pointer else { return }
        precondition(
            start >= 0 && start + window.inputCount <= input.count && scratch.count >= scratchCount && index >= 0
                && step >= 0 && index + (frequencies - 1) * step + block.lanes <= target.count, "plane out of bounds")
        withBlock(block) {
            ts_winograd_input($0, source + start, scratch.pointer(at: 0), target.pointer(at: index), step)
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
                && residual.map { $0.count >= start + window.outputCount } ?? true, "plane out of bounds")
        withBlock(block) {
            ts_winograd_output(
                $0, source + index, step, bias, residual?.pointer.map { $0 + start }, limits == nil ? 0 : 1,
                limits?.lowerBound ?? 0, limits?.upperBound ?? 0, scratch.pointer(at: 0), output.pointer(at: start))
        }
    }

    /// Transforms the nine weights from `start` on: frequency f goes to `index + f · step`.
    func transformWeights(
        _ weights: Elements<Float>, at start: Int, into target: MutableElements<Float>, at index: Int, step: Int
    ) {
        guard let source = weights.pointer else { return }
        precondition(
            start >= 0 && start + 9 <= weights.count && index >= 0 && step >= 0
                && index + (frequencies - 1) * step < target.count, "weights out of bounds")
        ts_winograd_weights(tile, source + start, target.pointer(at: index), step)
    }
}
