import ONNXLoader

/// Attention (opsets 23–25): scaled dot-product attention of several heads, with masks and a cache of keys and values.
///
/// Queries are `[batch, heads, queries, size]`, or `[batch, queries, heads · size]` with the number of heads as an
/// attribute; keys and values likewise. Heads of queries share heads of keys in groups.
struct Attention: FloatingOperator {
    private let heads, keyHeads: Int?
    let scale: Float?
    let softcap: Float
    let isCausal: Bool
    let left, right: Int?
    private let stage: Int

    init(_ node: inout NodeReader) throws {
        heads = try node.optionalInt("q_num_heads")
        keyHeads = try node.optionalInt("kv_num_heads")
        scale = try node.optionalFloat("scale")
        softcap = try node.float("softcap", or: 0)
        isCausal = try node.flag("is_causal")
        stage = try node.int("qk_matmul_output_mode", or: 0)
        left = try node.windowSize("left_window_size")
        right = try node.windowSize("right_window_size")
        guard (0...3).contains(stage) else { throw OperatorError("qk_matmul_output_mode is \(stage), not 0 to 3") }
        // The softmax is never less precise than binary32.
        guard try node.elementType("softmax_precision")?.isFloatingPoint ?? true else {
            throw OperatorError("softmax_precision is no floating-point type")
        }
    }

    var kernelName: String { "gemm" }

    /// - Parameter shapes: of the queries, the keys, the values, and the keys before them.
    private func sizes(_ query: [Int], _ key: [Int], _ value: [Int], past: [Int]?) throws -> AttentionSizes {
        guard query.count == key.count, key.count == value.count, query.count == 3 || query.count == 4 else {
            throw OperatorError("queries \(query), keys \(key) and values \(value) have not all 3 or all 4 dimensions")
        }
        func split(_ shape: [Int], _ heads: Int?) throws -> (heads: Int, rows: Int, size: Int) {
            guard shape.count == 3 else { return (shape[1], shape[2], shape[3]) }
            guard let heads, heads > 0, shape[2] % heads == 0 else {
                throw OperatorError("\(shape) cannot be split into \(heads.map(String.init) ?? "unnamed") heads")
            }
            return (heads, shape[1], shape[2] / heads)
        }
        let (queries, keys, values) = (try split(query, heads), try split(key, keyHeads), try split(value, keyHeads))
        guard query[0] == key[0], key[0] == value[0], queries.size == keys.size, keys.rows == values.rows,
            keys.heads == values.heads, keys.heads > 0, queries.heads % keys.heads == 0
        else { throw OperatorError("queries \(query), keys \(key) and values \(value) do not fit") }
        if let past {
            guard past.count == 4, [past[0], past[1], past[3]] == [key[0], keys.heads, keys.size] else {
                throw OperatorError("past keys \(past) do not fit keys \(key)")
            }
        }
        return AttentionSizes(
            batch: query[0], heads: queries.heads, keyHeads: keys.heads, queries: queries.rows,
            keys: try keys.rows.adding(past?[2] ?? 0), headSize: queries.size, valueSize: values.size)
    }

    func sizes(_ inputs: [ValueInfo?]) throws -> AttentionSizes {
        let (key, value) = (inputs.optional(4), inputs.optional(5))
        guard (key == nil) == (value == nil) else { throw OperatorError("past keys and values come together only") }
        if let key, let value {
            let present = try inputs.required(2)
            guard value.elementType == present.elementType, value.shape.count == 4,
                Array(value.shape[..<3]) == Array(key.shape.prefix(3)),
                value.shape[3]
                    == (present.shape.count == 3 ? present.shape[2] / max(1, keyHeads ?? 1) : present.shape.last)
            else { throw OperatorError("past keys \(key.type) and values \(value.type) do not fit") }
        }
        return try sizes(
            inputs.required(0).shape, inputs.required(1).shape, inputs.required(2).shape, past: key?.shape)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        let (query, value) = (try inputs.required(0), try inputs.required(2))
        for index in [1, 4] where inputs.optional(index).map({ $0.elementType != query.elementType }) ?? false {
            throw OperatorError("input \(index) is \(inputs[index]!.type), the queries are \(query.type)")
        }
        if let lengths = inputs.optional(6), lengths.shape != [sizes.batch] || inputs.optional(4) != nil {
            throw OperatorError("nonpad_kv_seqlen \(lengths.type) wants one length for each of the batch, and no past")
        }
        let output =
            query.shape.count == 4
            ? [sizes.batch, sizes.heads, sizes.queries, sizes.valueSize]
            : [sizes.batch, sizes.queries, try sizes.heads.multiplied(by: sizes.valueSize)]
        return Array(
            [
                ValueType(query.elementType, output),
                ValueType(query.elementType, [sizes.batch, sizes.keyHeads, sizes.keys, sizes.headSize]),
                ValueType(value.elementType, [sizes.batch, sizes.keyHeads, sizes.keys, sizes.valueSize]),
                ValueType(query.elementType, [sizes.batch, sizes.heads, sizes.queries, sizes.keys]),
            ].prefix(arity))
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        try inputs.required(0).elementType == .float64
            ? sizes(inputs).workspaceByteCount(of: Double.self, threads: threads)
            : sizes(inputs).workspaceByteCount(of: Float.self, threads: threads)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        (try? sizes(inputs))?.multiplyAdds ?? 0
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.infos)
        let isPacked = try step.input(0).shape.count == 3
        func layout(_ heads: Int, _ rows: Int, _ size: Int) -> HeadLayout {
            isPacked
                ? .packed(heads: heads, rows: rows, size: size) : .separate(heads: heads, rows: rows, size: size)
        }
        let pastRows = step.optional(4)?.shape[2] ?? 0
        func rows(_ index: Int, past: Int, size: Int) throws -> HeadRows<Element> {
            let cache = KeyCache(
                batch: sizes.batch, heads: sizes.keyHeads, rowSize: size, pastRows: pastRows,
                newRows: sizes.keys - pastRows)
            let new = HeadRows(
                elements: try step.widened(step.input(index), type), layout: layout(cache.heads, cache.newRows, size))
            return try cache.joined(step, past: step.optional(past), new: new, output: index)
        }
        var attention = DotProductAttention(
            sizes: sizes,
            query: HeadRows(
                elements: try step.elements(0, of: type), layout: layout(sizes.heads, sizes.queries, sizes.headSize)),
            key: try rows(1, past: 4, size: sizes.headSize), value: try rows(2, past: 5, size: sizes.valueSize),
            result: (try step.mutableElements(0, of: type), layout(sizes.heads, sizes.queries, sizes.valueSize)),
            scale: scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot())
        attention.softcap = softcap > 0 ? Double(softcap) : nil
        attention.visibility = try visibility(step, sizes)
        if let mask = step.optional(3) { attention.biases = [try AttentionBias(step.additive(mask, type), sizes)] }
        if step.wants(3), let stage = DotProductAttention<Element>.Stage(rawValue: stage) {
            attention.scores = (stage, try step.mutableElements(3, of: type))
        }
        try attention.run(step)
    }

    private func visibility(_ step: Step, _ sizes: AttentionSizes) throws -> AttentionVisibility {
        var visibility = AttentionVisibility(isCausal: isCausal, left: left, right: right)
        if let past = step.optional(4) { visibility.offsets = [past.shape[2]] }
        guard let lengths = try step.optional(6)?.integers() else { return visibility }
        guard lengths.allSatisfy({ (0...sizes.keys).contains($0) }) else {
            throw OperatorError("nonpad_kv_seqlen is \(lengths.prefix(8)) of \(sizes.keys) keys")
        }
        visibility.lengths = lengths
        visibility.offsets = lengths.map { $0 - sizes.queries }
        return visibility
    }
}

extension NodeReader {
    /// A number of positions, or −1 for all: then nil.
    fileprivate mutating func windowSize(_ name: String) throws -> Int? {
        let size = try int(name, or: -1)
        guard size >= -1 else { throw OperatorError("\(name) is \(size)") }
        return size == -1 ? nil : size
    }
}

extension Step {
    /// A mask as numbers to add: where it is Boolean, 0 for true and −∞ for false.
    func additive<Element: FloatingElement>(_ mask: Tensor, _ type: Element.Type) throws -> Tensor {
        guard mask.elementType == .bool else {
            return mask.elementType == Element.elementType
                ? mask : try mask.converted(to: Element.elementType, budget: context.budget)
        }
        let result = try context.budget.allocate(ValueType(Element.elementType, mask.shape))
        try map(mask.elements(of: Bool.self), to: result.uncheckedMutableElements(of: type)) { $0 ? 0 : -.infinity }
        return result
    }
}
