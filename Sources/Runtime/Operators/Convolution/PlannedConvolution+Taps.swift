// Where a window is wide and much of it lies in the padding: one product for each tap that sees the input, on the outputs
// for which it does.
extension PlannedConvolution {
    /// Outputs that the same taps see, rows and columns of one plane.
    struct TapRegion: Sendable {
        var rows, columns: Range<Int>
        /// Taps that see the input from here: offsets in the input, and the number among all taps.
        var taps: [(row: Int, column: Int, index: Int)]
    }

    /// Outputs of one product, at most: their sums stay in a second-level cache beside what they see.
    private static let mostColumns = 240
    private var blockColumns: Int {
        min(Self.mostColumns, matrices.blockColumns(depth: shape.inputChannelsPerGroup))
    }

    static func supportsTaps(_ window: Window) -> Bool {
        let window = window.threeDimensional
        return window.strides == [1, 1, 1] && window.kernel[0] == 1 && window.input[0] == 1 && window.output[0] == 1
            && window.begins[0] == 0 && window.kernelCount <= 64
    }

    /// Taps that see the input, summed over all outputs: the products that are left.
    static func seenTaps(_ window: Window) -> Int {
        let window = window.threeDimensional
        return (1...2).reduce(1) { product, axis in
            product
                * (0..<window.kernel[axis]).reduce(0) { sum, tap in sum + seenRange(window, axis, tap).count }
        }
    }

    /// Outputs along an axis for which a tap lies inside the input.
    private static func seenRange(_ window: Window, _ axis: Int, _ tap: Int) -> Range<Int> {
        let offset = tap * window.dilations[axis] - window.begins[axis]
        let low = min(window.output[axis], max(0, -offset))
        return low..<max(low, min(window.output[axis], window.input[axis] - offset))
    }

    /// Parts of an axis that the same taps see.
    private static func parts(_ window: Window, _ axis: Int) -> [(range: Range<Int>, taps: [Int])] {
        let ranges = (0..<window.kernel[axis]).map { seenRange(window, axis, $0) }
        let edges = Set(ranges.flatMap { [$0.lowerBound, $0.upperBound] } + [0, window.output[axis]]).sorted()
        return zip(edges, edges.dropFirst()).map { low, high in
            (low..<high, ranges.indices.filter { ranges[$0].contains(low) })
        }
    }

    /// Regions that keep several threads busy to the end, and outputs of one where they would be fewer.
    private static let wantedRegions = 16
    private static let fewColumns = 96

    private var tapRegions: [TapRegion] {
        let regions = tapRegions(most: blockColumns)
        guard regions.count * shape.batch * shape.groups < Self.wantedRegions else { return regions }
        return tapRegions(most: min(blockColumns, Self.fewColumns))
    }

    /// Rows of a region: as many as fit, unless fewer leave less of vectors unused.
    private func tapRows(_ rows: Int, columns: Int, most: Int) -> Int {
        func vectors(_ rows: Int) -> Int { (rows * columns + matrices.lanes - 1) / matrices.lanes }
        func cost(_ height: Int) -> Int { rows / height * (vectors(height) + 1) + vectors(rows % height) }
        let heights = (1...max(1, min(rows, most / columns))).reversed()
        return heights.min { cost($0) < cost($1) } ?? 1
    }

    /// The plane in rectangles of at most `most` outputs.
    private func tapRegions(most: Int) -> [TapRegion] {
        let window = shape.window.threeDimensional
        var regions: [TapRegion] = []
        for (rows, rowTaps) in Self.parts(window, 1) {
            for (columns, columnTaps) in Self.parts(window, 2) {
                let taps = rowTaps.flatMap { b in
                    columnTaps.map { a in
                        (
                            b * window.dilations[1] - window.begins[1], a * window.dilations[2] - window.begins[2],
                            b * window.kernel[2] + a
                        )
                    }
                }
                for first in stride(from: columns.lowerBound, to: columns.upperBound, by: most) {
                    let part = first..<min(columns.upperBound, first + most)
                    let height = tapRows(rows.count, columns: part.count, most: most)
                    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
                        regions.append(
                            TapRegion(rows: row..<min(rows.upperBound, row + height), columns: part, taps: taps))
                    }
                }
            }
        }
        return regions
    }

    var tapWeightCount: Int {
        get throws {
            try rowCount(depth: shape.inputChannelsPerGroup).multiplied(by: shape.window.kernelCount)
                .multiplied(by: shape.groups)
        }
    }

    private var tapPatchCount: Int {
        let columns = (blockColumns + matrices.tileColumns - 1) / matrices.tileColumns * matrices.tileColumns
        return (MatrixKernel.partDepth(shape.inputChannelsPerGroup) * columns + 15) & ~15
    }
    private var tapSlotCount: Int { tapPatchCount + shape.outputChannelsPerGroup * ((blockColumns + 15) & ~15) }

    func tapScratchCount(threads: Int) throws -> Int { try ((tapSlotCount + 15) & ~15).multiplied(by: threads) }

    func packTaps(_ source: Elements<Float>, into target: MutableElements<Float>, _ pool: ThreadPool) throws {
        let (inputs, outputs, taps) = (
            shape.inputChannelsPerGroup, shape.outputChannelsPerGroup, shape.window.kernelCount
        )
        let size = try rowCount(depth: inputs)
        try pool.parallelFor(shape.groups * taps) { index in
            let (group, tap) = (index / taps, index % taps)
            matrices.packRows(
                source, start: group * outputs * inputs * taps + tap, rowStride: inputs * taps, columnStride: taps,
                rows: outputs, depth: inputs, into: target, at: index * size)
        }
    }

    func runTaps(_ step: Step, _ work: Work, _ memory: MutableElements<Float>) throws {
        let regions = tapRegions
        let slots = ScratchSlots(memory, slotCount: (tapSlotCount + 15) & ~15)
        // The regions with the most work first, so that no thread is left with one at the end.
        let order = regions.indices.sorted { regions[$0].work > regions[$1].work }
        try step.context.pool.parallelFor(regions.count * shape.batch * shape.groups) { index in
            try step.checkpoint()
            let block = index % (shape.batch * shape.groups)
            let region = regions[order[index / (shape.batch * shape.groups)]]
            try slots.withSlot {
                compute(region, work, block, patches: $0.prefix(tapPatchCount), sums: $0.dropFirst(tapPatchCount))
            }
        }
    }

    private func compute(
        _ region: TapRegion, _ work: Work, _ block: Int, patches: MutableElements<Float>, sums: MutableElements<Float>
    ) {
        let window = shape.window.threeDimensional
        let (inputs, outputs) = (shape.inputChannelsPerGroup, shape.outputChannelsPerGroup)
        let (image, group) = (block / shape.groups, block % shape.groups)
        let count = region.rows.count * region.columns.count
        let sumStride = (count + 15) & ~15
        let tile = matrices.tileColumns
        let depth = max(1, MatrixKernel.partDepth(inputs))
        let panel = matrices.tileRows
        let size = (outputs + panel - 1) / panel * panel * inputs
        let firstChannel = group * outputs
        if region.taps.isEmpty { sums.fill(0..<outputs * sumStride, with: 0) }
        for (number, tap) in region.taps.enumerated() {
            let seen = Window(
                input: window.input, output: [1, region.rows.count, region.columns.count], kernel: [1, 1, 1],
                strides: [1, 1, 1], dilations: [1, 1, 1],
                begins: [0, -(region.rows.lowerBound + tap.row), -(region.columns.lowerBound + tap.column)],
                ends: [0, 0, 0])
            for first in stride(from: 0, to: inputs, by: depth) {
                let channels = first..<min(inputs, first + depth)
                ConvolutionKernels.patchPanels(
                    work.input, plane: image * shape.inputChannels + group * inputs, rows: channels, seen,
                    columns: 0..<count, panelColumns: tile, panelStride: tile * channels.count, into: patches, at: 0)
                matrices.multiply(
                    .init(
                        elements: work.weights, start: (group * window.kernelCount + tap.index) * size, depth: inputs,
                        columns: channels),
                    .init(elements: patches.readable, rowStride: tile, panelStride: tile * channels.count),
                    rows: outputs, columns: count, accumulates: number > 0 || first > 0, into: sums, at: 0,
                    resultStride: sumStride)
            }
        }
        for channel in 0..<outputs {
            let plane = (image * shape.outputChannels + firstChannel + channel) * window.outputCount
            for (line, row) in region.rows.enumerated() {
                let start = plane + row * window.output[2] + region.columns.lowerBound
                let range = start..<start + region.columns.count
                let from = channel * sumStride + line * region.columns.count
                work.output.copy(sums.readable, from..<from + region.columns.count, to: start)
                ConvolutionKernels.addBias(
                    work.bias?[firstChannel + channel] ?? 0, residual: work.residual, to: work.output, range)
                work.activation.apply(to: work.output, range)
            }
        }
    }
}

extension PlannedConvolution.TapRegion {
    fileprivate var work: Int { taps.count * rows.count * columns.count }
}
