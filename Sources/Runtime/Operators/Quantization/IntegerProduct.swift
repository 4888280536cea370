import ONNXLoader

/// The tiles of products of 8-bit matrices, each less its zero point: exact in 32 bits, where sums wrap.
struct IntegerProduct: Sendable {
    let tiles: GEMMTiles
    let inner: Int
    /// Bytes that the right operand of one column takes when it is made tile by tile.
    var patchesPerColumn = 0

    init(rows: Int, columns: Int, inner: Int) {
        tiles = GEMMTiles(rows: rows, columns: columns, inner: inner)
        self.inner = inner
    }

    /// Computes every tile of `blocks` products of the same size.
    ///
    /// - Parameters:
    ///   - left: the lines from the first row of a tile on.
    ///   - right: the lines from the first column of a tile on, perhaps written to the given memory.
    ///   - finish: takes a row's sums, which start at an index of the elements given.
    func run(
        _ step: Step, blocks: Int,
        left: @Sendable (_ block: Int, _ rows: Range<Int>) -> IntegerKernels.Lines,
        right:
            @Sendable (_ block: Int, _ columns: Range<Int>, _ patches: MutableElements<UInt8>)
            -> IntegerKernels.Lines,
        finish:
            @Sendable (_ block: Int, _ row: Int, _ columns: Range<Int>, _ sums: Elements<Int32>, _ start: Int) ->
            Void
    ) throws {
        guard blocks > 0, tiles.rowCount > 0, tiles.columnCount > 0 else { return }
        let memory = try IntegerKernels.TileMemory(
            rows: tiles.rows, columns: tiles.columns, inner: inner, patchesPerColumn: patchesPerColumn)
        let threads = step.context.pool.threads
        let storage = try step.context.budget.allocate(byteCount: memory.byteCount.multiplied(by: threads))
        guard let base = storage.bytes.baseAddress else { return }
        try withExtendedLifetime(storage) {
            let slots = ScratchSlots(
                MutableElements<UInt8>(base: base, count: memory.byteCount * threads), slotCount: memory.byteCount)
            try step.parallel(blocks: blocks, tiles) { block, rows, columns in
                try slots.withSlot { slot in
                    let patches = MutableElements<UInt8>(
                        base: slot.base + memory.patches, count: slot.count - memory.patches)
                    let sums = IntegerKernels.multiply(
                        left(block, rows), right(block, columns, patches), rows: rows.count, columns: columns.count,
                        inner: inner, in: slot, at: memory)
                    for row in rows { finish(block, row, columns, sums, (row - rows.lowerBound) * columns.count) }
                }
            }
        }
    }
}

/// The matrix products of two tensors of 8-bit integers under numpy's rules.
struct IntegerMatrixProduct: Sendable {
    private let product: MatrixProduct
    private let left, right: Elements<UInt8>
    private let leftIsSigned, rightIsSigned: Bool
    private let leftZeroPoints, rightZeroPoints: Elements<UInt8>

    /// - Parameters:
    ///   - leftZeroPoint: for all, or for each row; nil for 0.
    ///   - rightZeroPoint: for all, or for each column; nil for 0.
    init(
        _ product: MatrixProduct, left: Tensor, zeroPoint leftZeroPoint: Tensor?, right: Tensor,
        zeroPoint rightZeroPoint: Tensor?, budget: MemoryBudget
    ) throws {
        self.product = product
        self.left = try left.words(UInt8.self)
        self.right = try right.words(UInt8.self)
        leftIsSigned = left.elementType == .int8
        rightIsSigned = right.elementType == .int8
        leftZeroPoints = try Self.zeroPoints(leftZeroPoint, of: left, lines: product.leftLines, budget)
        rightZeroPoints = try Self.zeroPoints(rightZeroPoint, of: right, lines: product.rightLines, budget)
    }

    private static func zeroPoints(
        _ zeroPoint: Tensor?, of operand: Tensor, lines: Int, _ budget: MemoryBudget
    ) throws -> Elements<UInt8> {
        guard let zeroPoint else { return try Tensor(UInt8(0)).elements() }
        guard zeroPoint.elementType == operand.elementType else {
            throw OperatorError("the zero point is \(zeroPoint.elementType.name), not \(operand.elementType.name)")
        }
        return try zeroPoint.words(UInt8.self).spread(over: lines, budget: budget)
    }

    /// - Parameter finish: takes the sums of some columns of a row; `index` is their place in the result.
    func run(
        _ step: Step,
        finish:
            @Sendable (_ row: Int, _ columns: Range<Int>, _ index: Int, _ sums: Elements<Int32>, _ start: Int) ->
            Void
    ) throws {
        let leftStrides = product.leftTransposed ? (1, product.rows) : (product.inner, 1)
        let rightStrides = product.rightTransposed ? (product.inner, 1) : (1, product.columns)
        try IntegerProduct(rows: product.rows, columns: product.columns, inner: product.inner).run(
            step, blocks: product.leftStarts.count
        ) { block, rows in
            .init(
                elements: left, start: product.leftStarts[block] + rows.lowerBound * leftStrides.0,
                lineStride: leftStrides.0, innerStride: leftStrides.1, isSigned: leftIsSigned,
                zeroPoints: leftZeroPoints, zeroStart: block * product.rows + rows.lowerBound)
        } right: { block, columns, _ in
            .init(
                elements: right, start: product.rightStarts[block] + columns.lowerBound * rightStrides.0,
                lineStride: rightStrides.0, innerStride: rightStrides.1, isSigned: rightIsSigned,
                zeroPoints: rightZeroPoints, zeroStart: block * product.columns + columns.lowerBound)
        } finish: { block, row, columns, sums, start in
            let line = block * product.rows + row
            finish(
                line, block * product.columns + columns.lowerBound..<block * product.columns + columns.upperBound,
                line * product.columns + columns.lowerBound, sums, start)
        }
    }
}

extension MatrixProduct {
    /// Rows of all left operands, and columns of all right ones.
    var leftLines: Int { leftStarts.count * rows }
    var rightLines: Int { rightStarts.count * columns }
}

extension Elements {
    /// One element for all lines as it is; else one for each of `count` lines, repeated when there are fewer.
    func spread(over count: Int, budget: MemoryBudget) throws -> Elements {
        guard self.count != 1, self.count != count else { return self }
        guard self.count > 0, count.isMultiple(of: self.count) else {
            throw OperatorError("\(self.count) scales or zero points do not fit \(count) rows or columns")
        }
        let result = try budget.allocate(ValueType(Element.elementType, [count]))
        let target = try result.uncheckedMutableElements(of: Element.self)
        for start in Swift.stride(from: 0, to: count, by: self.count) {
            target.copy(self, 0..<self.count, to: start)
        }
        return try result.elements()
    }
}
