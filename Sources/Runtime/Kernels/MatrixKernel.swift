import CKernels

/// Products of packed binary32 matrices for one instruction set; a bounds-checked entry to `matrix.c`.
struct MatrixKernel: Sendable, Hashable {
    /// The kernel's number in `matrix.c`.
    let index: Int32
    /// Rows and columns of the part of a result that is computed in registers.
    let tileRows, tileColumns: Int
    /// Lanes of a vector: what is read of the right operand is a multiple of it.
    let lanes: Int

    private init(_ index: Int32) {
        let size = ts_matrix_tile(index)
        self.index = index
        (tileRows, tileColumns, lanes) = (size.rows, size.columns, size.lanes)
    }

    /// One for each instruction set that this processor has, the best one last.
    static let all = (0..<ts_matrix_kernel_count()).map { MatrixKernel($0) }
    static let best = all[all.count - 1]

    /// Elements of the right operand that stay in a second-level cache.
    private static let cachedElements = ts_matrix_cached_elements()
    /// Columns of a block, at most.
    private static let mostColumns = 960

    /// A matrix whose rows lie in panels: `[panel][column][row of the panel]`.
    struct PackedRows: Sendable {
        var elements: Elements<Float>
        /// Index of the first panel.
        var start = 0
        /// Columns, by which a row is as long.
        var depth: Int
        /// Those that count.
        var columns: Range<Int>

        /// - Parameter columns: nil for all.
        init(elements: Elements<Float>, start: Int = 0, depth: Int, columns: Range<Int>? = nil) {
            self.elements = elements
            self.start = start
            self.depth = depth
            self.columns = columns ?? 0..<depth
        }
    }

    /// A matrix whose columns are read tile by tile: element (k, column) of panel p at
    /// `start + p · panelStride + k · rowStride + column`.
    struct Columns: Sendable {
        var elements: Elements<Float>
        var start = 0
        var rowStride: Int
        var panelStride: Int
    }

    /// What happens to a result before it is stored: bias and residual are added, then an activation is applied.
    struct End: Sendable {
        var rowBias: Elements<Float>?
        /// The first row's place in `rowBias`.
        var firstRow = 0
        var columnBias: Elements<Float>?
        /// The first column's place in `columnBias`.
        var firstColumn = 0
        var residual: Elements<Float>?
        /// The residual's first element and row stride; nil where it is laid out like the result.
        var residualPlace: (start: Int, stride: Int)?
        var activation = ActivationKernel.none
    }

    /// Elements of `rows` rows of `depth` once packed.
    /// - Throws: `TensorError.badShape` when they cannot be counted.
    func packedCount(rows: Int, depth: Int) throws -> Int {
        try ((rows + tileRows - 1) / tileRows * tileRows).multiplied(by: depth)
    }

    /// Elements of `columns` columns of `depth` once packed.
    func packedCount(columns: Int, depth: Int) throws -> Int {
        try ((columns + tileColumns - 1) / tileColumns * tileColumns).multiplied(by: depth)
    }

    /// Rows of the right operand that are multiplied in one pass; sums go through memory from one to the next.
    static func partDepth(_ depth: Int) -> Int { ts_matrix_part_depth(depth) }

    /// Columns whose rows, as many as are multiplied in one pass, stay in a second-level cache; whole tiles.
    func blockColumns(depth: Int) -> Int {
        let most = min(Self.mostColumns, Self.cachedElements / max(1, Self.partDepth(depth)))
        return max(1, most / tileColumns) * tileColumns
    }

    /// Elements that `multiply` packs at a time.
    func packingCount(columns: Int, depth: Int) -> Int {
        let block = min(blockColumns(depth: depth), (columns + tileColumns - 1) / tileColumns * tileColumns)
        return block * Self.partDepth(depth)
    }

    /// Packs `matrix[start + row · rowStride + column · columnStride]` for the left side of products.
    func packRows(
        _ matrix: Elements<Float>, start: Int, rowStride: Int, columnStride: Int, rows: Int, depth: Int,
        into target: MutableElements<Float>, at index: Int = 0
    ) {
        guard rows > 0, depth > 0, let source = matrix.pointer else { return }
        precondition(
            start >= 0 && rowStride >= 0 && columnStride >= 0
                && start + (rows - 1) * rowStride + (depth - 1) * columnStride < matrix.count && index >= 0
                && index + (rows + tileRows - 1) / tileRows * tileRows * depth <= target.count,
            "matrix out of bounds")
        ts_pack_left(
            source + start, rowStride, columnStride, rows, depth, tileRows, target.pointer(at: index))
    }

    /// Packs `matrix[start + row · rowStride + column · columnStride]` for the right side of products.
    func packColumns(
        _ matrix: Elements<Float>, start: Int, rowStride: Int, columnStride: Int, depth: Int, columns: Int,
        into target: MutableElements<Float>, at index: Int = 0
    ) {
        guard columns > 0, depth > 0, let source = matrix.pointer else { return }
        precondition(
            start >= 0 && rowStride >= 0 && columnStride >= 0
                && start + (depth - 1) * rowStride + (columns - 1) * columnStride < matrix.count && index >= 0
                && index + (columns + tileColumns - 1) / tileColumns * tileColumns * depth <= target.count,
            "matrix out of bounds")
        ts_pack_right(
            source + start, rowStride, columnStride, depth, columns, tileColumns, target.pointer(at: index))
    }

    /// `result = end(left · right)`, a `rows`×`columns` matrix from `start` on with `resultStride` from row to row.
    /// - Parameters:
    ///   - packing: nil, or room for `packingCount` elements, where `right` is packed, a block at a time: for one whose
    ///     rows are far apart, and whose panels are adjacent columns.
    ///   - accumulates: whether what `result` holds is added.
    ///   - end: of its activation, what is done in registers.
    func multiply(
        _ left: PackedRows, _ right: Columns, packing: MutableElements<Float>? = nil, rows: Int, columns: Int,
        accumulates: Bool = false, end: End? = nil, into result: MutableElements<Float>, at start: Int,
        resultStride: Int
    ) {
        guard rows > 0, columns > 0 else { return }
        let depth = left.columns.count
        let lastPanel = (columns - 1) / tileColumns
        let lastColumns = columns - lastPanel * tileColumns
        let lastWidth = packing == nil ? (lastColumns + lanes - 1) / lanes * lanes : lastColumns
        let lastRight = right.start + lastPanel * right.panelStride + max(0, depth - 1) * right.rowStride
        let resultEnd = start + (rows - 1) * resultStride + columns
        let residual = end?.residualPlace ?? (start, resultStride)
        precondition(
            left.start >= 0 && left.columns.lowerBound >= 0 && left.columns.upperBound <= left.depth
                && left.start + (rows + tileRows - 1) / tileRows * tileRows * left.depth <= left.elements.count
                && right.start >= 0 && right.rowStride >= 0 && right.panelStride >= 0
                && (depth == 0 || lastRight + lastWidth <= right.elements.count)
                && (lastPanel == 0 || depth == 0
                    || right.start + (lastPanel - 1) * right.panelStride + (depth - 1) * right.rowStride + tileColumns
                        <= right.elements.count)
                && packing?.count ?? .max >= packingCount(columns: columns, depth: depth)
                && (packing == nil || right.panelStride == tileColumns)
                && start >= 0 && columns <= resultStride && resultEnd <= result.count
                && end?.rowBias.map { $0.count - (end?.firstRow ?? 0) >= rows } ?? true
                && end?.columnBias.map { $0.count - (end?.firstColumn ?? 0) >= columns } ?? true
                && residual.start >= 0 && residual.stride >= 0
                && end?.residual.map { $0.count >= residual.start + (rows - 1) * residual.stride + columns } ?? true,
            "matrix out of bounds")
        var finish = ts_product_end(end ?? End())
        finish.residual = end?.residual?.pointer.map { $0 + residual.start }
        finish.residual_stride = residual.stride
        withUnsafePointer(to: finish) { finish in
            var product = ts_product(
                rows: rows, columns: columns, depth: depth,
                left: left.elements.pointer.map { $0 + left.start + left.columns.lowerBound * tileRows },
                left_panel: tileRows * left.depth, right: right.elements.pointer.map { $0 + right.start },
                right_panel: right.panelStride, right_row: right.rowStride, packed: packing?.pointer(at: 0),
                block_columns: blockColumns(depth: depth), result: result.pointer(at: start),
                result_row: resultStride, accumulates: accumulates ? 1 : 0, end: end == nil ? nil : finish)
            ts_multiply_panels(index, &product)
        }
    }
}

extension ts_product_end {
    /// All but the residual, whose place depends on the result's.
    init(_ end: MatrixKernel.End) {
        self.init()
        row_bias = end.rowBias?.pointer.map { $0 + end.firstRow }
        column_bias = end.columnBias?.pointer.map { $0 + end.firstColumn }
        let range = end.activation.limits
        limits = range == nil ? 0 : 1
        low = range?.lowerBound ?? 0
        high = range?.upperBound ?? 0
        hard_swish = end.activation == .hardSwish ? 1 : 0
    }
}

extension ActivationKernel {
    /// The limits that it amounts to, for what can be done while results are still in registers.
    var limits: ClosedRange<Float>? {
        switch self {
        case .relu: 0...Float.infinity
        case .clip(let low, let high) where low <= high: low...high
        default: nil
        }
    }

    /// What matrix products do of it before they store their results, and what is left to do then.
    var inRegisters: ActivationKernel { limits != nil || self == .hardSwish ? self : .none }
    var inMemory: ActivationKernel { inRegisters == .none ? self : .none }
}
