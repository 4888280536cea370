import CKernels

/// Rows of a convolution whose window moves by 2 columns, by Winograd's transforms along them; bounds-checked entries to
/// `winograd.c`.
enum WinogradRowKernel {
    /// Outputs of a tile, and the products for each row of a window and parity of its columns.
    static let tile = 4
    static let points = Int(TS_WINOGRAD_ROW_POINTS)
    /// Even and odd columns.
    static let parities = 2
    static let kernelWidths = 1...8
    /// Tiles are transformed eight at a time.
    static let lanes = 8

    /// Elements of scratch memory for a row of `lanes` tiles.
    static func lineCount(lanes: Int) -> Int { ts_winograd_row_line(lanes) }

    /// Transforms the row of `width` elements that starts at `start`, or one of zeros, with `begin` zeros before it.
    /// - Parameters:
    ///   - index: where the first element of even columns goes; that of odd ones is `lanes` further, and what follows for
    ///     a tile is `step` apart.
    static func transformInput(
        _ input: Elements<Float>, at start: Int?, width: Int, begin: Int, lanes: Int, line: MutableElements<Float>,
        into target: MutableElements<Float>, at index: Int, step: Int
    ) {
        precondition(
            width >= 0 && lanes > 0 && lanes % Self.lanes == 0 && line.count >= lineCount(lanes: lanes)
                && start.map { $0 >= 0 && $0 + width <= input.count } ?? true && index >= 0 && step >= 0
                && index + (points - 1) * step + parities * lanes <= target.count, "row out of bounds")
        let row = start.flatMap { start in input.pointer.map { $0 + start } }
        ts_winograd_row_input(row, width, begin, lanes, line.pointer(at: 0), target.pointer(at: index), step)
    }

    /// Transforms the sums of `planes` channels, one behind the other for each point, back into rows of `count` outputs: the
    /// first starts at `start`, the next one `planeSize` further. The residual is laid out like the output.
    static func transformOutput(
        _ sums: Elements<Float>, step: Int, lanes: Int, planes: Int, planeSize: Int, count: Int,
        end: MatrixKernel.End, line: MutableElements<Float>, into output: MutableElements<Float>, at start: Int
    ) {
        guard let source = sums.pointer, count > 0, planes > 0 else { return }
        let rowEnd = start + (planes - 1) * planeSize + count
        let limits = end.activation.limits
        precondition(
            lanes % Self.lanes == 0 && count <= tile * lanes && line.count >= lineCount(lanes: lanes)
                && step >= 0 && (points - 1) * step + planes * lanes <= sums.count && start >= 0 && planeSize >= 0
                && rowEnd <= output.count && end.residual.map { $0.count >= rowEnd } ?? true
                && end.rowBias.map { end.firstRow >= 0 && end.firstRow + planes <= $0.count } ?? true,
            "row out of bounds")
        var tileSums = ts_tile_sums(
            elements: source, count: planes, step: step, channel_step: lanes,
            biases: end.rowBias?.pointer.map { $0 + end.firstRow })
        var rowEnds = ts_winograd_end(
            bias: 0, residual: end.residual?.pointer.map { $0 + start }, ahead: 0, limits: limits == nil ? 0 : 1,
            low: limits?.lowerBound ?? 0, high: limits?.upperBound ?? 0)
        ts_winograd_row_output(
            &tileSums, count, &rowEnds, line.pointer(at: 0), output.pointer(at: start), planeSize)
    }

    /// Transforms the row of `count` taps that starts at `start`: point k of even taps goes to `index + k · step`, that of
    /// odd ones `parityStep` further.
    static func transformWeights(
        _ taps: Elements<Float>, at start: Int, count: Int, into target: MutableElements<Float>, at index: Int,
        step: Int, parityStep: Int
    ) {
        guard let source = taps.pointer else { return }
        precondition(
            kernelWidths.contains(count) && start >= 0 && start + count <= taps.count && index >= 0 && step >= 0
                && parityStep >= 0 && index + (points - 1) * step + parityStep < target.count, "taps out of bounds")
        ts_winograd_row_weights(source + start, count, target.pointer(at: index), step, parityStep)
    }
}
