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

    /// - Parameter readable: elements from `plane` on.
    func transformInputAt(
        _ plane: UnsafePointer<Float>, readable: Int, _ block: Int, scratch: UnsafeMutablePointer<Float>?,
        into target: UnsafeMutablePointer<Float>?, _ tiles: TransformedTiles)
    func transformOutputAt(
        _ sums: UnsafePointer<Float>, step: Int, _ block: Int, _ end: ts_winograd_end,
        scratch: UnsafeMutablePointer<Float>?, into plane: UnsafeMutablePointer<Float>?)
    func transformWeightsAt(
        _ taps: UnsafePointer<Float>, tapStep: Int, count: Int, _ block: Int,
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

    /// Transforms the plane that starts at `start` as channel `channel` of `tiles`, and its other parities as later ones.
    func transformInput(
        _ block: Int, _ input: Elements<Float>, at start: Int, scratch: MutableElements<Float>,
        into target: MutableElements<Float>, _ tiles: TransformedTiles, channel: Int
    ) {
        guard let source = input.pointer else { return }
        let (lanes, frequencies) = (tiles.block.lanes, tiles.block.frequencies)
        precondition(
            start >= 0 && start + inputCount <= input.count && scratch.count >= scratchCount
                && channel >= 0 && tiles.parityStep >= 0
                && channel + (parities - 1) * tiles.parityStep < tiles.channels
                && (lanes + tiles.panel - 1) / tiles.panel * tiles.panelStep <= tiles.step
                && frequencies * tiles.step <= target.count, "plane out of bounds")
        transformInputAt(
            source + start, readable: input.count - start, block, scratch: scratch.pointer(at: 0),
            into: target.pointer(at: channel * tiles.panel), tiles)
    }

    /// Transforms the sums of one output channel back into the plane that starts at `start`; the residual is laid out
    /// like the output.
    func transformOutput(
        _ number: Int, _ block: TileBlock, _ sums: Elements<Float>, at index: Int, step: Int, bias: Float,
        residual: Elements<Float>?,
        limits: ClosedRange<Float>?, scratch: MutableElements<Float>, into output: MutableElements<Float>,
        at start: Int
    ) {
        guard let source = sums.pointer else { return }
        precondition(
            start >= 0 && start + outputCount <= output.count && scratch.count >= scratchCount && index >= 0
                && step >= 0 && index + (block.frequencies - 1) * step + block.lanes <= sums.count
                && residual.map { $0.count >= start + outputCount } ?? true, "plane out of bounds")
        let end = ts_winograd_end(
            bias: bias, residual: residual?.pointer.map { $0 + start }, limits: limits == nil ? 0 : 1,
            low: limits?.lowerBound ?? 0, high: limits?.upperBound ?? 0)
        transformOutputAt(
            source + index, step: step, number, end, scratch: scratch.pointer(at: 0), into: output.pointer(at: start))
    }

    /// Transforms `count` filters for a block: tap t of filter i at `start + t · tapStep + i`; frequency f of parity p goes
    /// to `index + f · step + p · count + i`.
    func transformWeights(
        _ number: Int, _ block: TileBlock, _ taps: Elements<Float>, at start: Int, tapStep: Int, count: Int,
        into target: MutableElements<Float>, at index: Int, step: Int
    ) {
        guard let source = taps.pointer, count > 0 else { return }
        precondition(
            start >= 0 && tapStep >= 0 && start + 8 * tapStep + count <= taps.count && index >= 0
                && step >= parities * count
                && index + (block.frequencies - 1) * step + parities * count <= target.count,
            "weights out of bounds")
        transformWeightsAt(
            source + start, tapStep: tapStep, count: count, number, into: target.pointer(at: index), step: step)
    }
}
