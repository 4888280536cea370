// Winograd's transforms along rows, for wide windows that move by 2 over few channels: sums are too short there for what
// transforms of squares would cost. A row of the input is transformed once and read by every row of the windows over it.
extension PlannedConvolution {
    /// How the work is cut: by its size alone, so that results do not depend on the threads.
    private struct Cut {
        /// Rows of outputs of one task, and the number of such tasks for an image and group.
        let rows, tasks: Int
        /// Tiles of a row, rounded up to whole vectors.
        let lanes: Int
        /// Rows of the right operands: rows of the window, channels, parities.
        let depth: Int
        /// Elements of transformed rows and of sums from one point to the next.
        let tileStep, sumStep: Int
        let lineCount: Int

        var tileCount: Int { WinogradRowKernel.points * tileStep }
        var sumCount: Int { WinogradRowKernel.points * sumStep }
    }

    /// Transformed rows that stay in a second-level cache beside the sums.
    private static let mostElements = 1 << 16
    private static let wantedTasks = 16
    /// The longest sums, and rows of a window.
    private static let mostDepth = 512
    private static let mostKernelRows = 16
    /// Outputs of a row; a longer one is computed in another way.
    private static let mostWidth = 1 << 13
    /// Elements that keep points from falling on the same lines of a cache.
    private static let padding = 16

    static func supportsRows(_ shape: ConvolutionShape) -> Bool {
        let window = shape.window.threeDimensional
        return window.kernel[0] == 1 && window.input[0] == 1 && window.output[0] == 1 && window.begins[0] == 0
            && window.dilations == [1, 1, 1] && window.strides[2] == 2 && window.kernel[1] <= mostKernelRows
            && WinogradRowKernel.kernelWidths.contains(window.kernel[2])
            && window.outputCount > 0 && window.output[2] <= mostWidth
            && shape.inputChannelsPerGroup <= mostDepth / (WinogradRowKernel.parities * mostKernelRows)
    }

    /// Whether transforms are cheaper than products: where windows are wide, and what rows of tiles leave of vectors is little.
    static func gainsByRows(_ shape: ConvolutionShape) -> Bool {
        let window = shape.window.threeDimensional
        let tiles = (window.output[2] + WinogradRowKernel.tile - 1) / WinogradRowKernel.tile
        let lanes = (tiles + MatrixKernel.best.lanes - 1) / MatrixKernel.best.lanes * MatrixKernel.best.lanes
        return window.kernel[2] >= 6 && shape.outputChannelsPerGroup >= 16 && tiles * 4 >= lanes * 3
    }

    private var rowCut: Cut {
        get throws {
            let window = shape.window.threeDimensional
            let vector = max(WinogradRowKernel.lanes, matrices.lanes)
            let tiles = (window.output[2] + WinogradRowKernel.tile - 1) / WinogradRowKernel.tile
            let lanes = max(1, (tiles + vector - 1) / vector) * vector
            let rowDepth = WinogradRowKernel.parities * shape.inputChannelsPerGroup
            let fitting = Self.mostElements / max(1, WinogradRowKernel.points * rowDepth * lanes)
            let most = 1 + max(0, fitting - window.kernel[1]) / window.strides[1]
            let rows = max(1, min(most, (window.output[1] + Self.wantedTasks - 1) / Self.wantedTasks))
            let inputRows = (rows - 1) * window.strides[1] + window.kernel[1]
            return Cut(
                rows: rows, tasks: (window.output[1] + rows - 1) / rows, lanes: lanes,
                depth: rowDepth * window.kernel[1],
                tileStep: try (rowDepth * lanes).multiplied(by: inputRows) + Self.padding,
                sumStep: try lanes.multiplied(by: shape.outputChannelsPerGroup) + Self.padding,
                lineCount: (WinogradRowKernel.lineCount(lanes: lanes) + 15) & ~15)
        }
    }

    /// Elements of one thread's scratch memory.
    private func slotCount(_ cut: Cut) -> Int { (cut.tileCount + cut.sumCount + cut.lineCount + 15) & ~15 }

    func rowScratchCount(threads: Int) throws -> Int { try slotCount(rowCut).multiplied(by: threads) }

    var rowWeightCount: Int {
        get throws {
            try rowCount(depth: rowCut.depth).multiplied(by: WinogradRowKernel.points).multiplied(by: shape.groups)
        }
    }

    /// Packs transformed weights like rows, for each group and point.
    func packRowTaps(_ source: Elements<Float>, into target: MutableElements<Float>, _ pool: ThreadPool) throws {
        let (inputs, outputs) = (shape.inputChannelsPerGroup, shape.outputChannelsPerGroup)
        let kernel = shape.window.threeDimensional.kernel
        let depth = try rowCut.depth
        let (panel, size) = (matrices.tileRows, try rowCount(depth: depth))
        let panels = (outputs + panel - 1) / panel
        try pool.parallelFor(shape.groups * panels) { index in
            let (group, first) = (index / panels, index % panels * panel)
            let start = group * WinogradRowKernel.points * size + first * depth
            for point in 0..<WinogradRowKernel.points where first + panel > outputs {
                target.fill(start + point * size..<start + point * size + panel * depth, with: 0)
            }
            for row in 0..<min(panel, outputs - first) {
                let filter = (group * outputs + first + row) * inputs
                for channel in 0..<inputs {
                    for line in 0..<kernel[1] {
                        WinogradRowKernel.transformWeights(
                            source, at: ((filter + channel) * kernel[1] + line) * kernel[2], count: kernel[2],
                            into: target,
                            at: start + (line * inputs + channel) * WinogradRowKernel.parities * panel + row,
                            step: size,
                            parityStep: panel)
                    }
                }
            }
        }
    }

    func runWinogradRows(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let cut = try rowCut
        let slots = ScratchSlots(memory, slotCount: slotCount(cut))
        let height = shape.window.threeDimensional.output[1]
        try step.context.pool.parallelFor(shape.batch * shape.groups * cut.tasks) { index in
            try step.checkpoint()
            let first = index % cut.tasks * cut.rows
            try slots.withSlot { slot in
                let (tiles, rest) = (slot.prefix(cut.tileCount), slot.dropFirst(cut.tileCount))
                let (sums, line) = (rest.prefix(cut.sumCount), rest.dropFirst(cut.sumCount))
                compute(
                    work, cut, block: index / cut.tasks, rows: first..<min(height, first + cut.rows), tiles: tiles,
                    sums: sums, line: line)
            }
        }
    }

    /// Some rows of outputs of all channels; `block` counts images and groups.
    private func compute(
        _ work: Work, _ cut: Cut, block: Int, rows: Range<Int>, tiles: MutableElements<Float>,
        sums: MutableElements<Float>, line: MutableElements<Float>
    ) {
        let window = shape.window.threeDimensional
        let (inputs, outputs) = (shape.inputChannelsPerGroup, shape.outputChannelsPerGroup)
        let (image, group) = (block / shape.groups, block % shape.groups)
        let firstInput = image * shape.inputChannels + group * inputs
        let firstOutput = image * shape.outputChannels + group * outputs
        let rowSize = inputs * WinogradRowKernel.parities * cut.lanes
        for place in 0..<(rows.count - 1) * window.strides[1] + window.kernel[1] {
            let row = rows.lowerBound * window.strides[1] - window.begins[1] + place
            for channel in 0..<inputs {
                let start = ((firstInput + channel) * window.input[1] + row) * window.input[2]
                WinogradRowKernel.transformInput(
                    work.input, at: (0..<window.input[1]).contains(row) ? start : nil, width: window.input[2],
                    begin: window.begins[2], lanes: cut.lanes, line: line, into: tiles,
                    at: place * rowSize + channel * WinogradRowKernel.parities * cut.lanes, step: cut.tileStep)
            }
        }
        let size = (outputs + matrices.tileRows - 1) / matrices.tileRows * matrices.tileRows * cut.depth
        for row in rows {
            for point in 0..<WinogradRowKernel.points {
                matrices.multiply(
                    .init(
                        elements: work.weights, start: (group * WinogradRowKernel.points + point) * size,
                        depth: cut.depth),
                    .init(
                        elements: tiles.readable,
                        start: point * cut.tileStep + (row - rows.lowerBound) * window.strides[1] * rowSize,
                        rowStride: cut.lanes, panelStride: matrices.tileColumns),
                    rows: outputs, columns: cut.lanes, into: sums, at: point * cut.sumStep, resultStride: cut.lanes)
            }
            WinogradRowKernel.transformOutput(
                sums.readable, step: cut.sumStep, lanes: cut.lanes, planes: outputs, planeSize: window.outputCount,
                count: window.output[2],
                end: .init(
                    rowBias: work.bias, firstRow: group * outputs, residual: work.residual, activation: work.activation),
                line: line, into: work.output, at: (firstOutput * window.output[1] + row) * window.output[2])
        }
    }
}
