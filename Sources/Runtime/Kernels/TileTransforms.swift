import CKernels

/// Linear transforms between which a 3×3 convolution is matrix products: each channel's tiles of a block become
/// `frequencies` numbers a tile, the sum over channels is a matrix product for each frequency, and what comes out is
/// transformed back.
///
/// The `…At` methods are for the bounds-checked entries below, which see to it that all they touch is there.
protocol TileTransforms: Sendable {
    /// Elements of a plane of the input, and of the output.
    var inputCount: Int { get }
    var outputCount: Int { get }
    /// Of the products, whose instruction set and vectors the transforms share.
    var matrices: MatrixKernel { get }
    /// Tiles in parts that are computed one after another, so that what is in between stays in cache.
    var blocks: [TileBlock] { get }
    /// Elements of scratch memory that the transform of one plane needs, a multiple of 16.
    var scratchCount: Int { get }
    /// Numbers that a tile of a channel becomes for one frequency, at most. They are summed up like channels.
    var parities: Int { get }
    /// Those that a frequency has.
    func parities(of frequency: Int) -> Range<Int>

    func transformInputAt(
        _ planes: ts_planes, _ block: Int, scratch: UnsafeMutablePointer<Float>?,
        into target: UnsafeMutablePointer<Float>?, _ order: ts_winograd_order)
    func transformOutputAt(
        _ sums: ts_tile_sums, _ block: Int, _ end: ts_winograd_end, scratch: UnsafeMutablePointer<Float>?,
        into planes: UnsafeMutablePointer<Float>?)
    func transformWeightsAt(
        _ taps: UnsafePointer<Float>, tapStep: Int, ahead: Int, count: Int, _ block: Int,
        into target: UnsafeMutablePointer<Float>?, step: Int)
}

struct TileBlock: Sendable {
    let frequencies: Int
    /// The number of tiles, rounded up to whole vectors.
    let lanes: Int

    /// Into which the tiles are transformed, for one channel.
    var numbers: Int { frequencies * lanes }
}

/// Where transformed tiles of some channels lie: cut into panels as products read them,
/// `[frequency][panel][channel][lane of the panel]`.
struct TransformedTiles: Sendable {
    let block: TileBlock
    /// Channels, and lanes of a panel.
    let channels, panel: Int
    /// Elements from one frequency to the next.
    let step: Int
    /// Places of channels from one parity of a channel to the next.
    var parityStep = 0

    var panelStep: Int { channels * panel }

    /// Elements that keep the frequencies of a tile from falling on the same lines of a cache.
    static let padding = 112
}

extension TileTransforms {
    var parities: Int { 1 }
    func parities(of frequency: Int) -> Range<Int> { 0..<1 }

    var mostFrequencies: Int { blocks.map(\.frequencies).max() ?? 0 }

    /// The order of some channels' transformed tiles of a block, each parity counted as a channel.
    func tiles(_ block: Int, channels: Int) -> TransformedTiles {
        let block = blocks[block]
        let panel = max(1, min(matrices.tileColumns, block.lanes))
        let panels = (block.lanes + panel - 1) / panel
        return TransformedTiles(
            block: block, channels: channels, panel: panel,
            step: ((panels * panel * channels + 15) & ~15) + TransformedTiles.padding)
    }

    /// Transforms `planes` planes from `start` on as channels from `channel` on of `tiles`, and their other parities as later
    /// ones.
    func transformInput(
        _ block: Int, _ input: Elements<Float>, at start: Int, planes: Int, scratch: MutableElements<Float>,
        into target: MutableElements<Float>, _ tiles: TransformedTiles, channel: Int
    ) {
        guard let source = input.pointer, planes > 0 else { return }
        let (lanes, frequencies) = (tiles.block.lanes, tiles.block.frequencies)
        precondition(
            start >= 0 && start + planes * inputCount <= input.count && scratch.count >= scratchCount
                && channel >= 0 && tiles.parityStep >= 0
                && channel + planes - 1 + (parities - 1) * tiles.parityStep < tiles.channels
                && (lanes + tiles.panel - 1) / tiles.panel * tiles.panelStep <= tiles.step
                && frequencies * tiles.step <= target.count, "planes out of bounds")
        let order = ts_winograd_order(
            step: tiles.step, panel: tiles.panel, panel_step: tiles.panelStep,
            parity_step: tiles.parityStep * tiles.panel)
        transformInputAt(
            ts_planes(elements: source + start, count: planes, readable: input.count - start), block,
            scratch: scratch.pointer(at: 0), into: target.pointer(at: channel * tiles.panel), order)
    }

    /// Transforms the sums of some output channels, one behind the other for each frequency, back into planes from `start`
    /// on; the residual is laid out like the output.
    func transformOutput(
        _ number: Int, _ block: TileBlock, _ sums: Elements<Float>, at index: Int, step: Int, planes: Int,
        end: MatrixKernel.End, scratch: MutableElements<Float>, into output: MutableElements<Float>, at start: Int
    ) {
        guard let source = sums.pointer, planes > 0 else { return }
        let limits = end.activation.limits
        precondition(
            start >= 0 && start + planes * outputCount <= output.count && scratch.count >= scratchCount
                && index >= 0 && step >= 0
                && index + (block.frequencies - 1) * step + planes * block.lanes <= sums.count
                && end.rowBias.map { end.firstRow >= 0 && end.firstRow + planes <= $0.count } ?? true
                && end.residual.map { $0.count >= start + planes * outputCount } ?? true,
            "planes out of bounds")
        transformOutputAt(
            ts_tile_sums(
                elements: source + index, count: planes, step: step, channel_step: block.lanes,
                biases: end.rowBias?.pointer.map { $0 + end.firstRow }), number,
            ts_winograd_end(
                bias: 0, residual: end.residual?.pointer.map { $0 + start }, ahead: 0, limits: limits == nil ? 0 : 1,
                low: limits?.lowerBound ?? 0, high: limits?.upperBound ?? 0),
            scratch: scratch.pointer(at: 0), into: output.pointer(at: start))
    }

    /// Transforms `count` filters for a block: tap t of filter i at `start + t · tapStep + i`; frequency f of parity p goes
    /// to `index + f · step + p · count + i`.
    /// - Parameter next: where the filters start that are transformed next; they are fetched if they are there.
    func transformWeights(
        _ number: Int, _ block: TileBlock, _ taps: Elements<Float>, at start: Int, next: Int, tapStep: Int, count: Int,
        into target: MutableElements<Float>, at index: Int, step: Int
    ) {
        guard let source = taps.pointer, count > 0 else { return }
        precondition(
            start >= 0 && tapStep >= 0 && start + 8 * tapStep + count <= taps.count && index >= 0
                && step >= parities * count
                && index + (block.frequencies - 1) * step + parities * count <= target.count,
            "weights out of bounds")
        transformWeightsAt(
            source + start, tapStep: tapStep, ahead: next + 8 * tapStep + count <= taps.count ? next - start : 0,
            count: count, number, into: target.pointer(at: index), step: step)
    }
}
