/// Products with several constant matrices in binary32: `result[pair, row] = left[pair, group, row] · right[group]` for every
/// group, as decomposed relative positions of an attention are computed (Y. Li et al., "MViTv2", 2022). Lowering makes it of
/// Einsum.
struct GroupedProducts: LoweredOperator {
    let pairs, groups, rows, columns, inner: Int
    /// Where the left matrices lie: row `group · rows + row` of each pair.
    let left: ScatteredRows
    /// Where the result's rows begin: `resultStarts[pair] + group · groupStride + row · rowStride`.
    let resultStarts: [Int]
    let groupStride, rowStride: Int
    let type: ValueType
    /// The matrices row by row, each row in whole vectors.
    private let right: Elements<Float>
    private let width: Int
    var matrices = MatrixKernel.best

    /// Parts that suffice to keep several threads busy.
    private static let wantedParts = 8
    /// Elements of the widest vector of a matrix kernel.
    private static let lanes = 16

    /// - Parameter right: element (group, inner, column) of the constant matrices.
    init(
        pairs: Int, groups: Int, rows: Int, columns: Int, inner: Int, left: ScatteredRows, resultStarts: [Int],
        groupStride: Int, rowStride: Int, type: ValueType, budget: MemoryBudget,
        right: (_ group: Int, _ inner: Int, _ column: Int) -> Float
    ) throws {
        (self.pairs, self.groups, self.rows, self.columns, self.inner) = (pairs, groups, rows, columns, inner)
        (self.left, self.resultStarts) = (left, resultStarts)
        (self.groupStride, self.rowStride, self.type) = (groupStride, rowStride, type)
        width = (columns + Self.lanes - 1) / Self.lanes * Self.lanes
        let count = try groups.multiplied(by: inner).multiplied(by: width)
        let storage = try budget.allocate(byteCount: try count.multiplied(by: MemoryLayout<Float>.stride))
        let target = MutableElements<Float>(base: storage.bytes.baseAddress!, count: count)
        for group in 0..<groups {
            for k in 0..<inner {
                for column in 0..<width {
                    target[(group * inner + k) * width + column] = column < columns ? right(group, k, column) : 0
                }
            }
        }
        self.right = Elements(base: UnsafeRawPointer(target.base), count: count, owner: storage)
    }

    var kernelName: String { "grouped gemm" }
    var preparedInputs: Set<Int> { [1] }
    var preparedByteCount: Int { right.count * MemoryLayout<Float>.stride }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        saturatingProduct([pairs, groups, rows, columns, inner])
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try slotCount.multiplied(by: threads).multiplied(by: MemoryLayout<Float>.stride)
    }

    private var slotCount: Int {
        get throws { (try matrices.packedCount(rows: rows, depth: inner) + 15) & ~15 }
    }

    func run(_ step: inout Step) throws { try compute(step) }

    private func compute(_ step: Step) throws {
        let source = try step.elements(left.input, of: Float.self)
        let fill = try left.fill.map { try step.elements($0, of: Float.self) }
        let output = try step.mutableElements(0, of: Float.self)
        guard output.count == pairs * groups * rows * columns else {
            throw OperatorError("the result is not of the planned shape")
        }
        let count = try slotCount
        let slots = ScratchSlots(
            try step.scratch(of: Float.self, count: count * step.context.pool.threads), slotCount: count)
        let parts = min(groups, (Self.wantedParts + pairs - 1) / pairs)
        try step.context.pool.parallelFor(pairs * parts) { index in
            try step.checkpoint()
            let (pair, part) = (index / parts, index % parts)
            try slots.withSlot { packed in
                let range = groups * part / parts..<groups * (part + 1) / parts
                let places = try left.places(pair, range.lowerBound * rows..<range.upperBound * rows)
                for (index, group) in range.enumerated() {
                    try AttentionKernel.packRows(
                        source, fill: fill, places[index * rows..<(index + 1) * rows], depth: inner,
                        panel: matrices.tileRows, into: packed)
                    matrices.multiply(
                        .init(elements: packed.readable, depth: inner),
                        .init(
                            elements: right, start: group * inner * width, rowStride: width,
                            panelStride: matrices.tileColumns), rows: rows, columns: columns, into: output,
                        at: resultStarts[pair] + group * groupStride, resultStride: rowStride)
                }
            }
        }
    }
}
