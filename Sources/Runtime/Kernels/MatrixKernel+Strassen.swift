import CKernels

/// Strassen's algorithm, one level deep: a bounds-checked entry to `strassen.c`.
extension MatrixKernel {
    static let strassenProducts = Int(TS_STRASSEN_PRODUCTS)
    static let strassenRightSums = Int(TS_STRASSEN_RIGHT_SUMS)

    /// A packed right operand and the sums of its quarters, `[pair][sum][k][column of the panel]`. The panels of the left half
    /// of its columns are paired with those of the right half, the upper half of each panel with the lower half.
    struct SummedColumns: Sendable {
        let panels, sums: Elements<Float>
        /// Rows, an even number.
        let depth: Int
        /// Columns of a panel.
        let width: Int
        /// Panels of each half; the right one may have one fewer.
        let leftCount, rightCount: Int
        /// The pair that `sums` begins with.
        let firstPair: Int

        /// Elements of the sums of a pair.
        var pairCount: Int { MatrixKernel.strassenRightSums * (depth / 2) * width }

        fileprivate func isValid(_ pairs: Range<Int>, _ part: Range<Int>) -> Bool {
            !pairs.isEmpty && pairs.lowerBound >= firstPair && pairs.upperBound <= leftCount
                && (leftCount - 1...leftCount).contains(rightCount) && !part.isEmpty && part.lowerBound >= 0
                && part.upperBound <= depth / 2 && depth % 2 == 0
                && (leftCount + rightCount) * depth * width <= panels.count
                && (pairs.upperBound - firstPair) * pairCount <= sums.count
        }

        /// Where the first sum of a pair begins, from a row on.
        fileprivate func start(of pair: Int, from row: Int) -> Int { (pair - firstPair) * pairCount + row * width }
    }

    /// Writes a pair's sums to their place.
    func sumColumns(_ right: SummedColumns, pair: Int, into sums: MutableElements<Float>) {
        precondition(
            right.isValid(pair..<pair + 1, 0..<right.depth / 2)
                && (pair + 1 - right.firstPair) * right.pairCount <= sums.count, "matrix out of bounds")
        guard let source = right.panels.pointer else { return }
        let size = right.depth * right.width
        ts_strassen_sum_right(
            source + pair * size, pair < right.rightCount ? source + (right.leftCount + pair) * size : nil, size / 2,
            sums.pointer(at: right.start(of: pair, from: 0)))
    }

    /// The left operands of the products, `strassenProducts · upperRows · depth` elements: of `depth` columns from `start` on
    /// and of those `halfDepth` further.
    func sumRows(
        _ matrix: Elements<Float>, start: Int, rowStride: Int, rows: Int, upperRows: Int, depth: Int, halfDepth: Int,
        into sums: MutableElements<Float>
    ) {
        guard rows > 0, depth > 0, let source = matrix.pointer else { return }
        precondition(
            start >= 0 && rowStride >= 0 && halfDepth >= 0 && upperRows % tileRows == 0 && upperRows * 2 >= rows
                && start + (rows - 1) * rowStride + halfDepth + depth <= matrix.count
                && Self.strassenProducts * upperRows * depth <= sums.count, "matrix out of bounds")
        ts_strassen_sum_left(
            source + start, rowStride, rows, upperRows, depth, halfDepth, tileRows, sums.pointer(at: 0))
    }

    /// A block of a result: two ranges of rows by two ranges of columns, for a part of half the depth and of the other half.
    struct StrassenBlock {
        /// Rows, and those of the upper half, whole tiles.
        let rows, upperRows: Int
        let pairs: Range<Int>
        let part: Range<Int>
        /// The first pair of what is computed next, and where its part begins.
        var next: (pair: Int, part: Int)?
    }

    /// Adds a block's products to the result, or begins with them where the depth begins; the end comes with its last part.
    ///
    /// - Parameters:
    ///   - left: rows of the block as `sumRows` leaves them.
    ///   - columns: of the whole result.
    ///   - start: the first row of the block.
    func multiply(
        _ left: Elements<Float>, _ right: SummedColumns, _ block: StrassenBlock, columns: Int, end: End,
        into result: MutableElements<Float>, at start: Int, resultStride: Int
    ) {
        let tile = tileColumns
        let (first, distance) = (block.pairs.lowerBound * tile, right.leftCount * tile)
        let width = block.pairs.count * tile
        let resultEnd = start + (block.rows - 1) * resultStride + columns
        precondition(
            right.width == tile && right.isValid(block.pairs, block.part) && block.rows > 0
                && block.upperRows % tileRows == 0 && block.upperRows * 2 >= block.rows
                && columns > 0 && columns <= (right.leftCount + right.rightCount) * tile && columns <= resultStride
                && Self.strassenProducts * block.upperRows * block.part.count <= left.count
                && start >= 0 && resultEnd <= result.count
                && end.rowBias.map { $0.count - end.firstRow >= block.rows } ?? true
                && end.columnBias.map { $0.count - end.firstColumn >= columns } ?? true
                && end.residual.map { $0.count >= resultEnd } ?? true, "matrix out of bounds")
        guard let panels = right.panels.pointer, let sums = right.sums.pointer else { return }
        let (half, from) = (right.depth / 2, block.part.lowerBound)
        var finish = ts_product_end(end)
        finish.column_bias = finish.column_bias.map { $0 + first }
        finish.residual = end.residual?.pointer.map { $0 + start + first }
        finish.residual_stride = resultStride
        withUnsafePointer(to: finish) { finish in
            var product = ts_strassen_block()
            product.rows = block.upperRows
            product.columns = width
            product.depth = block.part.count
            product.row_counts = (min(block.rows, block.upperRows), max(0, block.rows - block.upperRows))
            product.column_counts = (
                max(0, min(width, columns - first)), max(0, min(width, columns - first - distance))
            )
            product.left = left.pointer
            product.right = (
                panels + (block.pairs.lowerBound * right.depth + from) * tile,
                panels + ((block.pairs.lowerBound + right.leftCount) * right.depth + half + from) * tile
            )
            product.right_panel = right.depth * tile
            product.sums = sums + right.start(of: block.pairs.lowerBound, from: from)
            product.sum_stride = half * tile
            product.sum_panel = right.pairCount
            product.next_sums = block.next.map { sums + right.start(of: $0.pair, from: $0.part) }
            product.result = result.pointer(at: start + first)
            product.result_row = resultStride
            product.row_distance = block.upperRows
            product.column_distance = distance
            product.accumulates = from > 0 ? 1 : 0
            product.end = block.part.upperBound == half ? finish : nil
            ts_strassen_multiply(index, &product)
        }
    }
}
