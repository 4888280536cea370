/// The sizes of an attention: heads of queries share heads of keys and values in groups.
struct AttentionSizes: Sendable {
    var batch, heads, keyHeads: Int
    /// Positions of the queries, and of the keys and values.
    var queries, keys: Int
    /// Numbers of a query or key, and of a value.
    var headSize, valueSize: Int

    /// Queries of one head that are worked on at once, so that their scores stay in a second-level cache.
    var blockRows: Int { max(1, min(queries, 256, max(8, (1 << 17) / max(1, keys)))) }
    var blocks: Int { queries == 0 ? 0 : (queries - 1) / blockRows + 1 }

    /// Scores that one thread needs room for.
    var slotCount: Int { get throws { max(16, try blockRows.multiplied(by: keys)) } }

    func workspaceByteCount<Element>(of type: Element.Type, threads: Int) throws -> Int {
        try slotCount.multiplied(by: threads).multiplied(by: MemoryLayout<Element>.stride)
    }

    /// Multiplications of both products.
    var multiplyAdds: Int { saturatingProduct([batch, heads, queries, keys, headSize &+ valueSize]) }
}

/// Where the rows of every head of every batch lie in an array.
struct HeadLayout: Sendable {
    let batchStride, headStride, rowStride: Int
    /// Where the first row lies.
    var offset = 0

    /// Heads one after the other: `[batch, heads, rows, size]`.
    static func separate(heads: Int, rows: Int, size: Int) -> HeadLayout {
        HeadLayout(batchStride: heads &* rows &* size, headStride: rows &* size, rowStride: size)
    }

    /// Heads side by side in every row: `[batch, rows, heads · size]`.
    static func packed(heads: Int, rows: Int, size: Int) -> HeadLayout {
        HeadLayout(batchStride: rows &* heads &* size, headStride: size, rowStride: heads &* size)
    }

    func start(batch: Int, head: Int, row: Int = 0) -> Int {
        offset + batch * batchStride + head * headStride + row * rowStride
    }
}

/// The rows of every head of every batch.
struct HeadRows<Element: FloatingElement>: Sendable {
    let elements: Elements<Element>
    var layout: HeadLayout
}

/// Which keys a query may attend to, apart from masks: those up to a frontier, within a window, among the valid ones.
struct AttentionVisibility: Sendable {
    var isCausal = false
    /// Keys before the first query's own position, for each of the batch; one for all, or none.
    var offsets: [Int] = [0]
    /// Keys left and right of the own position; nil for all.
    var left: Int?
    var right: Int?
    /// How many keys are valid, for each of the batch.
    var lengths: [Int]?

    func range(batch: Int, row: Int, keys: Int) -> Range<Int> {
        let position = row + offsets[offsets.count == 1 ? 0 : batch]
        var upper = min(keys, lengths?[batch] ?? keys)
        if isCausal { upper = min(upper, position + 1) }
        if let right { upper = min(upper, position + min(right, keys) + 1) }
        let lower = left.map { max(0, position - min($0, keys + max(0, position))) } ?? 0
        return lower < upper ? lower..<upper : 0..<0
    }
}

/// Numbers that are added to the scores: −∞ hides a key.
struct AttentionBias<Element: FloatingElement>: Sendable {
    let elements: Elements<Element>
    let batchStride, headStride, rowStride: Int
    /// Keys beyond it are hidden.
    let width: Int

    /// A tensor that broadcasts to `[batch, heads, queries, keys]` but for its last dimension, which may be shorter.
    init(_ tensor: Tensor, _ sizes: AttentionSizes) throws {
        let shape = tensor.shape
        width = shape.last ?? 1
        let full = [sizes.batch, sizes.heads, sizes.queries, width]
        guard shape.count <= 4, width <= sizes.keys, try broadcast(shape, full) == full else {
            throw OperatorError(
                "a mask of shape \(shape) does not broadcast to "
                    + "\([sizes.batch, sizes.heads, sizes.queries, sizes.keys])")
        }
        elements = try tensor.elements(of: Element.self)
        let strides = broadcastStrides(of: shape, to: full)
        (batchStride, headStride, rowStride) = (strides[0], strides[1], strides[2])
    }

    func start(batch: Int, head: Int, row: Int) -> Int {
        batch * batchStride + head * headStride + row * rowStride
    }
}

/// `softmax(scale · query · keyᵀ + bias) · value` for every head (Vaswani et al., 2017), a block of queries at a time. A
/// query that may attend to nothing gives zeros.
struct DotProductAttention<Element: FloatingElement>: Sendable {
    /// What is handed out of the scores on their way.
    enum Stage: Int {
        case product, capped, biased, probabilities
    }

    let sizes: AttentionSizes
    let query, key, value: HeadRows<Element>
    var result: (elements: MutableElements<Element>, layout: HeadLayout)
    var scale: Double
    /// The scores are bent to stay between minus this and this, by tanh; nil for as they are.
    var softcap: Double?
    var biases: [AttentionBias<Element>] = []
    var visibility = AttentionVisibility()
    /// `[batch, heads, queries, keys]`.
    var scores: (stage: Stage, elements: MutableElements<Element>)?

    func run(_ step: Step) throws {
        guard result.elements.count > 0 || scores.map({ $0.elements.count > 0 }) ?? false else { return }
        let slotCount = try sizes.slotCount
        let slots = ScratchSlots(
            try step.scratch(of: Element.self, count: slotCount * step.context.pool.threads), slotCount: slotCount)
        let blocks = sizes.blocks
        try step.parallel(sizes.batch * sizes.heads * blocks, grain: 1) { range in
            for index in range {
                try step.checkpoint()
                let block = Block(
                    batch: index / blocks / sizes.heads, head: index / blocks % sizes.heads,
                    rows: index % blocks
                        * sizes.blockRows..<min(
                            sizes.queries, (index % blocks + 1) * sizes.blockRows))
                try slots.withSlot { run(block, $0) }
            }
        }
    }

    private struct Block {
        let batch, head: Int
        let rows: Range<Int>
    }

    private func run(_ block: Block, _ memory: MutableElements<Element>) {
        let keyHead = block.head / (sizes.heads / sizes.keyHeads)
        let ranges = block.rows.map { visible($0, block) }
        let seen = ranges.filter { !$0.isEmpty }
        // Nothing is computed of keys that no query of the block may see, unless the scores are asked for.
        let columns =
            scores != nil
            ? 0..<sizes.keys : (seen.map(\.lowerBound).min() ?? 0)..<(seen.map(\.upperBound).max() ?? 0)
        BLAS.multiply(
            BLAS.Matrix(
                elements: query.elements,
                start: query.layout.start(batch: block.batch, head: block.head, row: block.rows.lowerBound),
                rowStride: query.layout.rowStride),
            BLAS.Matrix(
                elements: key.elements,
                start: key.layout.start(batch: block.batch, head: keyHead, row: columns.lowerBound),
                rowStride: key.layout.rowStride, isTransposed: true),
            rows: block.rows.count, columns: columns.count, inner: sizes.headSize, alpha: Element(scale),
            into: memory, resultStride: columns.count)
        for (index, row) in block.rows.enumerated() {
            normalize(
                Row(number: row, columns: columns, visible: ranges[index], start: index * columns.count), block,
                memory)
        }
        BLAS.multiply(
            BLAS.Matrix(elements: memory.readable, rowStride: columns.count),
            BLAS.Matrix(
                elements: value.elements,
                start: value.layout.start(batch: block.batch, head: keyHead, row: columns.lowerBound),
                rowStride: value.layout.rowStride),
            rows: block.rows.count, columns: sizes.valueSize, inner: columns.count, into: result.elements,
            at: result.layout.start(batch: block.batch, head: block.head, row: block.rows.lowerBound),
            resultStride: result.layout.rowStride)
    }

    /// The keys that a query may attend to; none when the biases hide them all.
    private func visible(_ row: Int, _ block: Block) -> Range<Int> {
        var range = visibility.range(batch: block.batch, row: row, keys: sizes.keys)
        for bias in biases {
            range = range.clamped(to: 0..<bias.width)
            let start = bias.start(batch: block.batch, head: block.head, row: row)
            if range.allSatisfy({ bias.elements[start + $0] == -.infinity }) { return 0..<0 }
        }
        return range
    }

    /// A query's scores in the block's memory.
    private struct Row {
        let number: Int
        /// The keys that there are scores for; the first one's lies at `start`.
        let columns: Range<Int>
        let visible: Range<Int>
        let start: Int

        /// Where the scores of the visible keys lie.
        var places: Range<Int> {
            guard !visible.isEmpty else { return start..<start }
            let first = start + visible.lowerBound - columns.lowerBound
            return first..<first + visible.count
        }
        var allPlaces: Range<Int> { start..<start + columns.count }
    }

    /// Turns a row of scores into probabilities.
    private func normalize(_ row: Row, _ block: Block, _ memory: MutableElements<Element>) {
        func handOut(_ stage: Stage) {
            guard let scores, scores.stage == stage else { return }
            let target = ((block.batch * sizes.heads + block.head) * sizes.queries + row.number) * sizes.keys
            scores.elements.copy(memory.readable, row.allPlaces, to: target)
        }
        handOut(.product)
        if let softcap { cap(memory, row.allPlaces, softcap) }
        handOut(.capped)
        let places = row.places
        let hidden: Element = scores?.stage == .biased ? -.infinity : 0
        memory.fill(row.start..<places.lowerBound, with: hidden)
        memory.fill(places.upperBound..<row.allPlaces.upperBound, with: hidden)
        for bias in biases {
            let start = bias.start(batch: block.batch, head: block.head, row: row.number) + row.visible.lowerBound
            memory.assign(
                places, from: memory.readable, at: places.lowerBound, step: 1, and: bias.elements, at: start, step: 1
            ) { $1 == -.infinity ? $1 : $0 + $1 }
        }
        handOut(.biased)
        if scores?.stage == .biased {
            memory.fill(row.start..<places.lowerBound, with: 0)
            memory.fill(places.upperBound..<row.allPlaces.upperBound, with: 0)
        }
        memory.softmax(places)
        handOut(.probabilities)
    }

    private func cap(_ memory: MutableElements<Element>, _ range: Range<Int>, _ limit: Double) {
        let inverse = Element(1 / limit)
        memory.assign(range, from: memory.readable, at: range.lowerBound) { $0 * inverse }
        memory.apply(.tanh, range)
        let factor = Element(limit)
        memory.assign(range, from: memory.readable, at: range.lowerBound) { $0 * factor }
    }
}
