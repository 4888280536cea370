import ONNXLoader

/// Attention of `com.microsoft`: queries, keys and values by one projection of the input, then scaled dot-product attention
/// of several heads.
///
/// The input is `[batch, positions, size]`, the weights `[size, queries + keys + values]`, the state of earlier runs
/// `[2, batch, heads, positions, head size]`.
struct ProjectedAttention: FloatingOperator {
    private let heads: Int
    private let hiddenSizes: [Int]?
    private let scale: Float?
    private let hidden: Float
    private let isCausal: Bool

    init(_ node: inout NodeReader) throws {
        heads = try node.int("num_heads")
        hiddenSizes = try node.optionalInts("qkv_hidden_sizes")
        scale = try node.optionalFloat("scale")
        hidden = try node.float("mask_filter_value", or: -10000)
        isCausal = try node.flag("unidirectional")
        node.ignore("rotary_embedding_dim")
        guard heads > 0, try !node.flag("do_rotary"), try !node.flag("past_present_share_buffer"),
            hiddenSizes.map({ $0.count == 3 && $0.allSatisfy { $0 >= 0 } }) ?? true
        else { throw OperatorError("rotary positions, shared buffers and \(heads) heads are not supported") }
    }

    var kernelName: String { "gemm" }

    private func sizes(_ inputs: [ValueInfo?]) throws -> AttentionSizes {
        let (input, weights) = (try inputs.required(0), try inputs.required(1))
        guard input.shape.count == 3, weights.shape.count == 2, weights.shape[0] == input.shape[2],
            weights.elementType == input.elementType
        else { throw OperatorError("weights \(weights.type) do not fit \(input.type)") }
        let own = hiddenSizes ?? Array(repeating: weights.shape[1] / 3, count: 3)
        guard own[0] == own[1], own.allSatisfy({ $0 % heads == 0 }),
            try own[0].adding(own[1]).adding(own[2]) == weights.shape[1]
        else { throw OperatorError("weights \(weights.type) are not those of \(heads) heads, \(own)") }
        if let bias = inputs.optional(2), bias.type != ValueType(input.elementType, [weights.shape[1]]) {
            throw OperatorError("a bias \(bias.type) does not fit weights \(weights.type)")
        }
        let past = inputs.optional(4)
        let size = own[0] / heads
        if let past {
            guard past.shape.count == 5, past.elementType == input.elementType, own[2] == own[0],
                Array(past.shape[..<3]) == [2, input.shape[0], heads], past.shape[4] == size
            else { throw OperatorError("a state \(past.type) does not fit \(input.type)") }
        }
        if let bias = inputs.optional(5), bias.elementType != input.elementType {
            throw OperatorError("a bias \(bias.type) does not fit \(input.type)")
        }
        return AttentionSizes(
            batch: input.shape[0], heads: heads, keyHeads: heads, queries: input.shape[1],
            keys: try input.shape[1].adding(past?.shape[3] ?? 0), headSize: size, valueSize: own[2] / heads)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        let elementType = try inputs.required(0).elementType
        guard arity < 2 || sizes.headSize == sizes.valueSize else {
            throw OperatorError("keys and values of different sizes make no common state")
        }
        return Array(
            [
                ValueType(elementType, [sizes.batch, sizes.queries, heads * sizes.valueSize]),
                ValueType(elementType, [2, sizes.batch, heads, sizes.keys, sizes.headSize]),
            ].prefix(arity))
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try inputs.required(0).elementType == .float64
            ? sizes(inputs).workspaceByteCount(of: Double.self, threads: threads)
            : sizes(inputs).workspaceByteCount(of: Float.self, threads: threads)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let sizes = try? sizes(inputs), let input = inputs.optional(0), let weights = inputs.optional(1) else {
            return 0
        }
        return sizes.multiplyAdds &+ saturatingProduct(input.shape + [weights.shape[1]])
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.infos)
        let width = try step.input(1).shape[1]
        let projections = try step.projected(step.input(0), step.input(1), bias: step.optional(2), type)
        func rows(_ offset: Int, _ size: Int) -> HeadRows<Element> {
            HeadRows(
                elements: projections,
                layout: HeadLayout(
                    batchStride: sizes.queries * width, headStride: size, rowStride: width, offset: offset))
        }
        var key = rows(heads * sizes.headSize, sizes.headSize)
        var value = rows(2 * heads * sizes.headSize, sizes.valueSize)
        let past = step.optional(4)
        if past != nil || step.wants(1) {
            let shape = [2, sizes.batch, heads, sizes.keys, sizes.headSize]
            let memory =
                step.wants(1)
                ? try step.output(1) : try step.context.budget.allocate(ValueType(Element.elementType, shape))
            let present = try memory.uncheckedMutableElements(of: type)
            let cache = KeyCache(
                batch: sizes.batch, heads: heads, rowSize: sizes.headSize, pastRows: sizes.keys - sizes.queries,
                newRows: sizes.queries)
            let earlier = try past?.elements(of: type)
            for (index, new) in [key, value].enumerated() {
                let before = earlier.map { (elements: $0, start: index * $0.count / 2) }
                cache.join(past: before, new: new, into: present, at: index * present.count / 2)
            }
            var layout = HeadLayout.separate(heads: heads, rows: sizes.keys, size: sizes.headSize)
            key = HeadRows(elements: try memory.elements(of: type), layout: layout)
            layout.offset = present.count / 2
            value = HeadRows(elements: key.elements, layout: layout)
        }
        var attention = DotProductAttention(
            sizes: sizes, query: rows(0, sizes.headSize), key: key, value: value,
            result: (
                try step.mutableElements(0, of: type),
                .packed(heads: heads, rows: sizes.queries, size: sizes.valueSize)
            ),
            scale: scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot())
        attention.visibility = AttentionVisibility(isCausal: isCausal, offsets: [sizes.keys - sizes.queries])
        if let mask = step.optional(3) {
            attention.biases.append(try step.paddingBias(mask, sizes, hidden: hidden, type))
        }
        if let bias = step.optional(5) { attention.biases.append(try AttentionBias(bias, sizes)) }
        try attention.run(step)
    }
}
