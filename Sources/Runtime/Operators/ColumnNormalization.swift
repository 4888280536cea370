import CKernels

/// LayerNormalization in binary32 over axes that others follow, such as the channels of an image:
/// `activation((x − mean) / √(variance + ε) · scale + bias)` with the statistics over those axes. Inputs are x and, where
/// they are, a scale and a bias for each element of the axes. Lowering makes it of the operators that it is written out in.
struct ColumnNormalization: LoweredOperator, ActivatedOperator {
    private let layout: AxisLayout
    private let epsilon: Float
    private let scale, bias: Int?
    private let type: ValueType
    var activation = ActivationKernel.none

    /// Elements that stay in a second-level cache, with room for what comes and goes.
    private static let cachedElements = 1 << 15
    private static let mostColumns = 2048

    /// - Parameters:
    ///   - scale: the number of the input that holds the scale.
    ///   - bias: likewise.
    init(_ type: ValueType, axes: Range<Int>, epsilon: Double, scale: Int?, bias: Int?) {
        self.type = type
        layout = AxisLayout(type.shape, axes: axes)
        self.epsilon = Float(epsilon)
        (self.scale, self.bias) = (scale, bias)
    }

    var kernelName: String { "columns" }
    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    /// Columns that are normalised at a time.
    private var blockColumns: Int {
        min(layout.inner, Self.mostColumns, max(16, Self.cachedElements / max(1, layout.size) / 16 * 16))
    }

    private var slotCount: Int {
        get throws { try layout.size.adding(3).multiplied(by: blockColumns).adding(15) & ~15 }
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try slotCount.multiplied(by: threads).multiplied(by: MemoryLayout<Float>.stride)
    }

    func run(_ step: inout Step) throws { try normalize(step) }

    private func normalize(_ step: Step) throws {
        let input = try step.elements(0, of: Float.self)
        let scale = try scale.map { try step.elements($0, of: Float.self) }
        let bias = try bias.map { try step.elements($0, of: Float.self) }
        let output = try step.mutableElements(0, of: Float.self)
        let (size, inner) = (layout.size, layout.inner)
        guard input.count == layout.outer * size * inner, output.count == input.count, scale?.count ?? size == size,
            bias?.count ?? size == size
        else { throw OperatorError("the operands are not of the planned shape") }
        guard input.count > 0 else { return }
        let count = try slotCount
        let slots = ScratchSlots(
            try step.scratch(of: Float.self, count: count * step.context.pool.threads), slotCount: count)
        let columns = blockColumns
        let blocks = (inner + columns - 1) / columns
        try step.parallel(layout.outer * blocks, grain: max(1, Step.elementGrain / (size * columns))) { range in
            try slots.withSlot { scratch in
                for index in range {
                    let first = index % blocks * columns
                    let used = min(columns, inner - first)
                    let start = index / blocks * size * inner + first
                    input.normalizeColumns(
                        to: output, at: start, stride: inner, rows: size, columns: used, epsilon: epsilon,
                        scale: scale, bias: bias, scratch: scratch)
                    guard activation != .none else { continue }
                    for row in 0..<size {
                        activation.apply(to: output, start + row * inner..<start + row * inner + used)
                    }
                }
            }
        }
    }
}
