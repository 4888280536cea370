import ONNXLoader

/// MultiHeadAttention of `com.microsoft`: scaled dot-product attention of several heads over queries, keys and values that
/// are projected already, perhaps but for a bias.
///
/// Each is `[batch, positions, heads · size]`; all three may be one `[batch, positions, heads, 3, size]`, keys and values
/// one `[batch, positions, heads, 2, size]`, or each of these `[batch, heads, positions, size]`.
struct MultiHeadAttention: FloatingOperator {
    private let heads: Int
    private let scale: Float?
    private let hidden: Float
    private let isCausal: Bool

    init(_ node: inout NodeReader) throws {
        heads = try node.int("num_heads")
        scale = try node.optionalFloat("scale")
        hidden = try node.float("mask_filter_value", or: -10000)
        isCausal = try node.flag("unidirectional")
        guard heads > 0, !node.hasInput(8), !node.hasInput(9), !node.hasOutput(3) else {
            throw OperatorError("shared buffers, beams, scores as an output and \(heads) heads are not supported")
        }
    }

    var kernelName: String { "gemm" }

    /// Where an input's rows lie.
    private struct Part {
        let input, batch, rows, size: Int
        let layout: HeadLayout
        /// Whether a bias can be added to it.
        let isProjection: Bool
    }

    /// One of the tensors that an input holds.
    private func part(_ inputs: [ValueInfo?], _ input: Int, _ number: Int = 0, of count: Int = 1) throws -> Part {
        let shape = try inputs.required(input).shape
        switch (shape.count, count) {
        case (3, 1) where shape[2] % heads == 0:
            let size = shape[2] / heads
            return Part(
                input: input, batch: shape[0], rows: shape[1], size: size,
                layout: .packed(heads: heads, rows: shape[1], size: size), isProjection: true)
        case (4, 1) where shape[1] == heads:
            return Part(
                input: input, batch: shape[0], rows: shape[2], size: shape[3],
                layout: .separate(heads: heads, rows: shape[2], size: shape[3]), isProjection: false)
        case (5, _) where shape[2] == heads && shape[3] == count:
            let headStride = count &* shape[4]
            return Part(
                input: input, batch: shape[0], rows: shape[1], size: shape[4],
                layout: HeadLayout(
                    batchStride: shape[1] &* heads &* headStride, headStride: headStride,
                    rowStride: heads &* headStride, offset: number &* shape[4]), isProjection: true)
        default: throw OperatorError("input \(input) of shape \(shape) does not hold \(count) × \(heads) heads")
        }
    }

    private func parts(_ inputs: [ValueInfo?]) throws -> (query: Part, key: Part, value: Part) {
        guard inputs.optional(1) != nil else {
            return (try part(inputs, 0, 0, of: 3), try part(inputs, 0, 1, of: 3), try part(inputs, 0, 2, of: 3))
        }
        let query = try part(inputs, 0)
        guard inputs.optional(2) != nil else {
            return (query, try part(inputs, 1, 0, of: 2), try part(inputs, 1, 1, of: 2))
        }
        return (query, try part(inputs, 1), try part(inputs, 2))
    }

    private func sizes(_ inputs: [ValueInfo?]) throws -> AttentionSizes {
        let (query, key, value) = try parts(inputs)
        let elementType = try inputs.required(0).elementType
        guard query.batch == key.batch, key.batch == value.batch, key.rows == value.rows, query.size == key.size,
            query.layout.headStride >= 0
        else { throw OperatorError("queries, keys and values do not fit") }
        for index in [1, 2, 3, 5, 6, 7] {
            guard let info = inputs.optional(index), info.elementType != elementType else { continue }
            throw OperatorError("input \(index) is \(info.type), the queries are \(elementType.name)")
        }
        if let bias = inputs.optional(3) {
            let count = try (try (2 &* query.size).adding(value.size)).multiplied(by: heads)
            guard bias.shape == [count], key.isProjection, value.isProjection else {
                throw OperatorError("a bias \(bias.type) does not fit queries, keys and values")
            }
        }
        let past = inputs.optional(6)
        guard (past == nil) == (inputs.optional(7) == nil) else {
            throw OperatorError("past keys and values come together only")
        }
        if let past {
            guard past.shape.count == 4, past.shape == [key.batch, heads, past.shape[2], key.size],
                inputs.optional(7)?.shape == [key.batch, heads, past.shape[2], value.size]
            else { throw OperatorError("past keys \(past.type) do not fit") }
        }
        return AttentionSizes(
            batch: query.batch, heads: heads, keyHeads: heads, queries: query.rows,
            keys: try key.rows.adding(past?.shape[2] ?? 0), headSize: query.size, valueSize: value.size)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        let elementType = try inputs.required(0).elementType
        return Array(
            [
                ValueType(elementType, [sizes.batch, sizes.queries, try heads.multiplied(by: sizes.valueSize)]),
                ValueType(elementType, [sizes.batch, heads, sizes.keys, sizes.headSize]),
                ValueType(elementType, [sizes.batch, heads, sizes.keys, sizes.valueSize]),
            ].prefix(arity))
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try inputs.required(0).elementType == .float64
            ? sizes(inputs).workspaceByteCount(of: Double.self, threads: threads)
            : sizes(inputs).workspaceByteCount(of: Float.self, threads: threads)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { (try? sizes(inputs))?.multiplyAdds ?? 0 }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let infos = step.infos
        let sizes = try sizes(infos)
        let parts = try parts(infos)
        let pastRows = step.optional(6)?.shape[2] ?? 0
        let keySize = heads * sizes.headSize
        func joined(_ part: Part, biasStart: Int, past: Int, output: Int) throws -> HeadRows<Element> {
            let cache = KeyCache(
                batch: sizes.batch, heads: heads, rowSize: part.size, pastRows: pastRows, newRows: part.rows)
            return try cache.joined(
                step, past: step.optional(past), new: rows(part, biasStart: biasStart, step, type), output: output)
        }
        var attention = DotProductAttention(
            sizes: sizes, query: try rows(parts.query, biasStart: 0, step, type),
            key: try joined(parts.key, biasStart: keySize, past: 6, output: 1),
            value: try joined(parts.value, biasStart: 2 * keySize, past: 7, output: 2),
            result: (
                try step.mutableElements(0, of: type),
                .packed(heads: heads, rows: sizes.queries, size: sizes.valueSize)
            ),
            scale: scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot())
        attention.visibility = AttentionVisibility(isCausal: isCausal, offsets: [pastRows])
        if let mask = step.optional(4) {
            attention.biases.append(try step.paddingBias(mask, sizes, hidden: hidden, type))
        }
        if let bias = step.optional(5) { attention.biases.append(try AttentionBias(bias, sizes)) }
        try attention.run(step)
    }

    /// A part with its share of the bias.
    private func rows<Element: FloatingElement>(
        _ part: Part, biasStart: Int, _ step: Step, _ type: Element.Type
    ) throws -> HeadRows<Element> {
        let own = HeadRows(elements: try step.elements(part.input, of: type), layout: part.layout)
        guard let bias = try step.optional(3)?.elements(of: type) else { return own }
        let memory = try step.context.budget.allocate(
            ValueType(Element.elementType, [part.batch, part.rows, heads, part.size]))
        let sum = try memory.uncheckedMutableElements(of: type)
        let layout = HeadLayout.packed(heads: heads, rows: part.rows, size: part.size)
        for index in 0..<(sum.count == 0 ? 0 : part.batch * part.rows * heads) {
            let (batch, row, head) = (index / heads / part.rows, index / heads % part.rows, index % heads)
            let start = layout.start(batch: batch, head: head, row: row)
            sum.assign(
                start..<start + part.size, from: own.elements, at: own.layout.start(batch: batch, head: head, row: row),
                step: 1, and: bias, at: biasStart + head * part.size, step: 1, +)
        }
        return HeadRows(elements: try memory.elements(of: type), layout: layout)
    }
}
