import CKernels

/// Both dimensions of binary32 planes interpolated at once, some rows at a time: what is between the two passes stays in
/// cache, and what no output needs is not computed.
struct PlaneInterpolation: Sendable {
    /// Output rows, and the input rows that make them.
    private struct Block: Sendable {
        var outputs: Range<Int>
        var rows: [Int32] = []
        /// For every output row and tap the place in `rows`.
        var indices: [Int32] = []
    }

    private let vertical, horizontal: AxisWeights<Float>
    private let blocks: [Block]

    /// Elements between the passes that stay in a second-level cache.
    private static let cachedElements = 1 << 16
    private static let mostTaps = 64
    private static let mostColumns = 1 << 16

    /// - Returns: nil where rows are so long, or so many make one, that a block of them does not stay in cache.
    init?(vertical: AxisWeights<Float>, horizontal: AxisWeights<Float>) {
        guard vertical.taps <= Self.mostTaps, max(horizontal.inputSize, horizontal.outputSize) <= Self.mostColumns,
            horizontal.outputSize > 0
        else { return nil }
        self.vertical = vertical
        self.horizontal = horizontal
        blocks = Self.blocks(
            vertical, mostRows: max(8, min(64, Self.cachedElements / horizontal.outputSize / 8 * 8)),
            mostOutputs: max(8, 4 * Self.cachedElements / horizontal.outputSize))
    }

    private static func blocks(_ axis: AxisWeights<Float>, mostRows: Int, mostOutputs: Int) -> [Block] {
        var blocks: [Block] = []
        var block = Block(outputs: 0..<0)
        var places = [Int32](repeating: -1, count: axis.inputSize)
        for output in 0..<axis.outputSize {
            let own = axis.indices[output * axis.taps..<(output + 1) * axis.taps]
            let missing = own.count { places[Int($0)] < 0 }
            if !block.outputs.isEmpty, block.rows.count + missing > mostRows || block.outputs.count == mostOutputs {
                for row in block.rows { places[Int(row)] = -1 }
                blocks.append(block)
                block = Block(outputs: output..<output)
            }
            for row in own {
                if places[Int(row)] < 0 {
                    places[Int(row)] = Int32(block.rows.count)
                    block.rows.append(row)
                }
                block.indices.append(places[Int(row)])
            }
            block.outputs = block.outputs.lowerBound..<output + 1
        }
        if !block.outputs.isEmpty { blocks.append(block) }
        return blocks
    }

    /// Interpolates the last two dimensions of `input`; blocks of rows in parallel.
    func apply(_ step: Step, _ input: Tensor, into output: Tensor) throws {
        let source = try input.elements(of: Float.self)
        let target = try output.uncheckedMutableElements(of: Float.self)
        let (inputCount, outputCount) = (
            vertical.inputSize * horizontal.inputSize, vertical.outputSize * horizontal.outputSize
        )
        let planes = source.count / inputCount
        precondition(
            source.count == planes * inputCount && target.count == planes * outputCount,
            "tensors of other sizes than the axes")
        guard !blocks.isEmpty, let base = source.pointer else { return }
        let plane = SourcePlanes(base: base)
        let most = blocks.reduce(0) {
            max($0, ts_resize_scratch(horizontal.inputSize, $1.rows.count, horizontal.outputSize))
        }
        let slotCount = (most + 15) & ~15
        let memory = try step.context.budget.allocate(
            ValueType(.float32, [slotCount.multiplied(by: step.context.pool.threads)]))
        let slots = ScratchSlots(try memory.uncheckedMutableElements(of: Float.self), slotCount: slotCount)
        let cost = outputCount * max(2, vertical.taps) / blocks.count
        try step.parallel(planes * blocks.count, grain: max(1, (1 << 16) / max(1, cost))) { range in
            try slots.withSlot { scratch in
                for index in range {
                    let block = blocks[index % blocks.count]
                    let first = index / blocks.count * outputCount + block.outputs.lowerBound * horizontal.outputSize
                    compute(
                        block, plane.base + index / blocks.count * inputCount, scratch.pointer(at: 0),
                        target.pointer(at: first))
                    fillOutside(block, target, at: first)
                }
            }
        }
    }

    private func compute(
        _ block: Block, _ plane: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>,
        _ output: UnsafeMutablePointer<Float>
    ) {
        horizontal.indices.withUnsafeBufferPointer { columns in
            horizontal.weights.withUnsafeBufferPointer { columnWeights in
                block.indices.withUnsafeBufferPointer { rows in
                    vertical.weights.withUnsafeBufferPointer { rowWeights in
                        var across = ts_axis(
                            indices: columns.baseAddress, weights: columnWeights.baseAddress, taps: horizontal.taps,
                            count: horizontal.outputSize)
                        var down = ts_axis(
                            indices: rows.baseAddress,
                            weights: rowWeights.baseAddress.map { $0 + block.outputs.lowerBound * vertical.taps },
                            taps: vertical.taps, count: block.outputs.count)
                        ts_resize_rows_f32(
                            plane, horizontal.inputSize, block.rows, block.rows.count, &across, &down, scratch, output)
                    }
                }
            }
        }
    }

    /// Writes what lies outside the input over a block of output rows that begins at `first`.
    private func fillOutside(_ block: Block, _ target: MutableElements<Float>, at first: Int) {
        let width = horizontal.outputSize
        for line in 0..<(horizontal.outside.isEmpty ? 0 : block.outputs.count) {
            for column in horizontal.outside { target[first + line * width + column] = horizontal.outsideValue }
        }
        for row in vertical.outside where block.outputs.contains(row) {
            let start = first + (row - block.outputs.lowerBound) * width
            target.fill(start..<start + width, with: vertical.outsideValue)
        }
    }
}

/// Planes that blocks read at the same time.
private struct SourcePlanes: @unchecked Sendable {
    let base: UnsafePointer<Float>
}
