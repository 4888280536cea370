// Large products by Strassen's algorithm, one level deep: an eighth fewer multiplications. Sums of the weights' quarters are
// formed in each run, for as many columns as fit a last-level cache; sums of the left operand's while it is packed.
extension LinearLayer {
    /// How a product is cut: by its size alone, so that results do not depend on the threads.
    struct StrassenCut: Sendable {
        /// Rows of a block, and those of its upper half.
        let rows, upperRows: Int
        /// Pairs of panels that a block takes, and those whose sums are held at once.
        let pairs, groupPairs: Int
        /// Panels of the left half of the columns, and of the right half.
        let leftCount, rightCount: Int
        /// Half the depth, and the part of it that is multiplied at a time.
        let half, part: Int
        /// Elements of the sums of a pair.
        let pairCount: Int

        private static let mostRows = 256
        private static let leastRows = 192
        private static let mostColumns = 144
        private static let mostDepth = 384
        private static let mostSums = 1 << 22
        /// Blocks of rows come in such numbers, so that several threads end together.
        private static let evenBlocks = 4

        /// Whether it is faster than the eight products: sums are formed, and results visited, several times.
        static func pays(rows: Int, columns: Int, inner: Int) -> Bool {
            rows >= 1024 && columns >= 512 && inner >= 512 && saturatingProduct([rows, columns, inner]) >= 1 << 29
        }

        /// - Returns: nil when the depth has no halves.
        init?(rows: Int, columns: Int, inner: Int, _ matrices: MatrixKernel) {
            guard rows > 0, columns > 0, inner > 0, inner % 2 == 0 else { return nil }
            func roundUp(_ value: Int, to multiple: Int) -> Int { (value + multiple - 1) / multiple * multiple }
            func work(_ block: Int) -> Int { roundUp((rows + block - 1) / block, to: Self.evenBlocks) * block }
            let unit = 2 * matrices.tileRows
            let choices = stride(from: Self.mostRows, through: Self.leastRows, by: -unit)
            self.rows = min(choices.min { work($0) < work($1) } ?? unit, roundUp(rows, to: unit))
            upperRows = self.rows / 2
            half = inner / 2
            let parts = (half + Self.mostDepth - 1) / Self.mostDepth
            part = min(half, roundUp((half + parts - 1) / parts, to: 8))
            let panels = (columns + matrices.tileColumns - 1) / matrices.tileColumns
            leftCount = (panels + 1) / 2
            rightCount = panels / 2
            pairCount = MatrixKernel.strassenRightSums * half * matrices.tileColumns
            groupPairs = max(1, min(leftCount, Self.mostSums / pairCount))
            pairs = min(Self.mostColumns / matrices.tileColumns, groupPairs)
        }

        /// Elements of the sums that are held at once.
        var sumCount: Int { get throws { (try groupPairs.multiplied(by: pairCount) + 15) & ~15 } }

        /// Elements that a thread packs at a time.
        var slotCount: Int { (MatrixKernel.strassenProducts * upperRows * part + 15) & ~15 }

        func scratchCount(threads: Int) throws -> Int { try sumCount + slotCount.multiplied(by: threads) }

        /// The pairs of a group in blocks of nearly the same size.
        func blocks(of group: Range<Int>) -> [Range<Int>] {
            let count = (group.count + pairs - 1) / pairs
            return (0..<count).map {
                group.lowerBound + group.count * $0 / count..<group.lowerBound + group.count * ($0 + 1) / count
            }
        }
    }

    func multiply(_ step: Step, _ operands: Operands, _ cut: StrassenCut) throws {
        let pool = step.context.pool
        let count = try cut.sumCount
        let scratch = try step.scratch(of: Float.self, count: cut.scratchCount(threads: pool.threads))
        let sums = scratch.prefix(count)
        let slots = ScratchSlots(scratch.dropFirst(count), slotCount: cut.slotCount)
        for first in stride(from: 0, to: cut.leftCount, by: cut.groupPairs) {
            let group = first..<min(cut.leftCount, first + cut.groupPairs)
            let right = MatrixKernel.SummedColumns(
                panels: weights, sums: sums.readable, depth: inner, width: matrices.tileColumns,
                leftCount: cut.leftCount, rightCount: cut.rightCount, firstPair: first)
            try pool.parallelFor(group.count) { matrices.sumColumns(right, pair: first + $0, into: sums) }
            try pool.parallelFor((rows + cut.rows - 1) / cut.rows) { index in
                try step.checkpoint()
                let rows = index * cut.rows..<min(rows, (index + 1) * cut.rows)
                try slots.withSlot { multiply(operands, cut, right, group, rows, $0) }
            }
        }
    }

    /// Some rows of the result by a group of pairs of panels.
    private func multiply(
        _ operands: Operands, _ cut: StrassenCut, _ right: MatrixKernel.SummedColumns, _ group: Range<Int>,
        _ rows: Range<Int>, _ packed: MutableElements<Float>
    ) {
        let unit = 2 * matrices.tileRows
        let upperRows = (rows.count + unit - 1) / unit * matrices.tileRows
        let blocks = cut.blocks(of: group)
        for from in stride(from: 0, to: cut.half, by: cut.part) {
            let part = from..<min(cut.half, from + cut.part)
            matrices.sumRows(
                operands.left, start: rows.lowerBound * inner + from, rowStride: inner, rows: rows.count,
                upperRows: upperRows, depth: part.count, halfDepth: cut.half, into: packed)
            for (number, pairs) in blocks.enumerated() {
                let isLast = number + 1 == blocks.count
                let next = isLast ? (blocks[0].lowerBound, part.upperBound) : (blocks[number + 1].lowerBound, from)
                matrices.multiply(
                    packed.readable, right,
                    .init(
                        rows: rows.count, upperRows: upperRows, pairs: pairs, part: part,
                        next: next.1 < cut.half ? next : nil),
                    columns: columns,
                    end: .init(
                        columnBias: operands.bias, residual: operands.residual,
                        activation: activation.inRegisters),
                    into: operands.output, at: rows.lowerBound * columns, resultStride: columns)
                guard part.upperBound == cut.half, activation.inMemory != .none else { continue }
                for row in rows {
                    for first in [pairs.lowerBound, pairs.lowerBound + cut.leftCount] {
                        let start = min(columns, first * matrices.tileColumns)
                        let end = min(columns, (first + pairs.count) * matrices.tileColumns)
                        activation.apply(to: operands.output, row * columns + start..<row * columns + end)
                    }
                }
            }
        }
    }
}
