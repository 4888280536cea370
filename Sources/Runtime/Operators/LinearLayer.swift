/// A binary32 product with a constant matrix, packed at planning: `activation(left · right + bias + residual)`.
struct LinearLayer: LoweredOperator {
    let rows, columns, inner: Int
    private let type: ValueType
    let weights: Elements<Float>
    /// Numbers of the inputs that are added: one number for each column, and one for each element.
    private let bias, residual: Int?
    let activation: ActivationKernel
    let matrices: MatrixKernel
    /// Of products that are worth it.
    private let strassen: StrassenCut?

    /// Rows of the left operand that are packed at a time, and columns that are finished at a time.
    private static let blockRows = 96
    private static let blockColumns = 480
    /// Blocks that suffice to keep several threads busy.
    private static let wantedBlocks = 8

    /// - Parameters:
    ///   - product: one product of `left` with all of `right`.
    ///   - right: the constant.
    ///   - usesStrassen: nil to decide by the size.
    /// - Returns: nil when the product is not of this kind.
    init?(
        _ product: MatrixProduct, right: ValueInfo, type: ValueType, bias: Int?, residual: Int?,
        matrices: MatrixKernel = .best, usesStrassen: Bool? = nil, context: RunContext
    ) throws {
        guard let constant = right.value, constant.elementType == .float32, product.alpha == 1,
            !product.leftTransposed, product.leftStarts == [0], product.rightStarts == [0], product.rows > 0,
            product.columns > 0, product.inner > 0
        else { return nil }
        (rows, columns, inner) = (product.rows, product.columns, product.inner)
        self.type = type
        self.matrices = matrices
        self.bias = bias
        self.residual = residual
        activation = product.activation
        let (depth, count) = (product.inner, product.columns)
        strassen =
            usesStrassen ?? StrassenCut.pays(rows: rows, columns: columns, inner: inner)
            ? StrassenCut(rows: rows, columns: columns, inner: inner, matrices) : nil
        let source = try constant.elements(of: Float.self)
        let isTransposed = product.rightTransposed
        weights = try context.weights.elements(
            of: constant, .columns(isTransposed: isTransposed),
            count: try matrices.packedCount(columns: count, depth: depth), budget: context.budget
        ) { target in
            let panel = matrices.tileColumns
            try context.pool.parallelFor((count + panel - 1) / panel) { index in
                matrices.packColumns(
                    source, start: index * panel * (isTransposed ? depth : 1), rowStride: isTransposed ? 1 : count,
                    columnStride: isTransposed ? depth : 1, depth: depth, columns: min(panel, count - index * panel),
                    into: target, at: index * panel * depth)
            }
        }
    }

    var kernelName: String { strassen == nil ? "gemm, packed weights" : "gemm, packed weights, Strassen" }
    var preparedInputs: Set<Int> { [1] }
    var preparedByteCount: Int { weights.count * MemoryLayout<Float>.stride }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { saturatingProduct([rows, columns, inner]) }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        let count = try strassen?.scratchCount(threads: threads)
        return try (count ?? slotCount.multiplied(by: threads)).multiplied(by: MemoryLayout<Float>.stride)
    }

    private var slotCount: Int {
        get throws { (try matrices.packedCount(rows: min(rows, Self.blockRows), depth: inner) + 15) & ~15 }
    }

    struct Operands: Sendable {
        let left: Elements<Float>
        let bias, residual: Elements<Float>?
        let output: MutableElements<Float>
    }

    func run(_ step: inout Step) throws {
        let operands = Operands(
            left: try step.elements(0, of: Float.self), bias: try bias.map { try step.elements($0, of: Float.self) },
            residual: try residual.map { try step.elements($0, of: Float.self) },
            output: try step.mutableElements(0, of: Float.self))
        guard operands.left.count == rows * inner, operands.output.count == rows * columns,
            operands.bias?.count ?? columns == columns,
            operands.residual?.count ?? operands.output.count == operands.output.count
        else { throw OperatorError("the operands are not of the planned shape") }
        if let strassen { return try multiply(step, operands, strassen) }
        try multiply(step, operands)
    }

    private func multiply(_ step: Step, _ operands: Operands) throws {
        let (left, output) = (operands.left, operands.output)
        let count = try slotCount
        let slots = ScratchSlots(
            try step.scratch(of: Float.self, count: count * step.context.pool.threads), slotCount: count)
        let rowBlocks = (rows + Self.blockRows - 1) / Self.blockRows
        let tile = matrices.tileColumns
        let wanted = (Self.wantedBlocks + rowBlocks - 1) / rowBlocks
        // Few rows: several blocks of columns share them, and each packs them for itself.
        let width = max(5 * tile, ((columns + wanted - 1) / wanted + tile - 1) / tile * tile)
        let columnBlocks = (columns + width - 1) / width
        try step.context.pool.parallelFor(rowBlocks * columnBlocks) { index in
            try step.checkpoint()
            let first = index / columnBlocks * Self.blockRows
            let rowCount = min(Self.blockRows, rows - first)
            try slots.withSlot { packed in
                matrices.packRows(
                    left, start: first * inner, rowStride: inner, columnStride: 1, rows: rowCount, depth: inner,
                    into: packed)
                let end = min(columns, (index % columnBlocks + 1) * width)
                for column in stride(from: index % columnBlocks * width, to: end, by: Self.blockColumns / tile * tile) {
                    let columnCount = min(Self.blockColumns / tile * tile, end - column)
                    matrices.multiply(
                        .init(elements: packed.readable, depth: inner),
                        .init(
                            elements: weights, start: column * inner, rowStride: tile, panelStride: tile * inner),
                        rows: rowCount, columns: columnCount,
                        end: .init(
                            columnBias: operands.bias, firstColumn: column, residual: operands.residual,
                            activation: activation.inRegisters),
                        into: output, at: first * columns + column, resultStride: columns)
                    guard activation.inMemory != .none else { continue }
                    for row in first..<first + rowCount {
                        activation.apply(
                            to: output, row * columns + column..<row * columns + column + columnCount)
                    }
                }
            }
        }
    }
}
