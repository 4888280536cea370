import ONNXLoader

/// EmbedLayerNormalization of `com.microsoft`: the normalised sum of the embeddings of a word, its position and its
/// segment.
///
/// Words, segments, the mask and positions are `[batch, length]`, embeddings `[count, size]`; outputs are
/// `[batch, length, size]`, how many positions of each of the batch the mask keeps, and the sum before the normalisation.
struct EmbedLayerNormalization: Operator {
    private let epsilon: Double
    private let countsMask: Bool

    init(_ node: inout NodeReader) throws {
        epsilon = Double(try node.float("epsilon", or: 1e-12))
        countsMask = try node.int("mask_index_type", or: 1) != 0
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (words, table) = (try inputs.required(0), try inputs.required(2))
        guard words.shape.count == 2, table.shape.count == 2 else {
            throw OperatorError("words \(words.type) and their embeddings \(table.type) are not matrices")
        }
        let size = table.shape[1]
        for index in [1, 7, 8] {
            guard let info = inputs.optional(index) else { continue }
            let isShared = index == 8 && info.shape == [1, words.shape[1]]
            guard info.shape == words.shape || isShared else {
                throw OperatorError("input \(index) is \(info.type), not of the words' shape \(words.shape)")
            }
        }
        for index in [3, 4] {
            guard let info = index == 3 ? try inputs.required(3) : inputs.optional(4) else { continue }
            guard info.shape.count == 2, info.shape[1] == size, info.elementType == table.elementType else {
                throw OperatorError("embeddings \(info.type) do not fit \(table.type)")
            }
        }
        for index in [5, 6] where try inputs.required(index).type != ValueType(table.elementType, [size]) {
            throw OperatorError("input \(index) is \(try inputs.required(index).type), not \(size) numbers")
        }
        let output = ValueType(table.elementType, words.shape + [size])
        return Array([output, ValueType(.int32, [words.shape[0]]), output].prefix(arity))
    }

    func run(_ step: inout Step) throws {
        switch try step.input(2).elementType {
        case .float64: try run(step, Double.self)
        case .float32, .float16, .bfloat16: try run(step, Float.self)
        case let other: throw OperatorError("\(other.name) is not supported")
        }
    }

    /// Embeddings, and which one each position takes.
    private struct Table<Element: FloatingElement>: Sendable {
        let elements: Elements<Element>
        let rows: [Int]
    }

    private func run<Element: FloatingElement>(_ step: Step, _ type: Element.Type) throws {
        let words = try step.input(0)
        let length = words.shape[1]
        let positions = try step.optional(8)?.indices(below: step.input(3).shape[0])
        guard try positions != nil || length <= step.input(3).shape[0] || words.count == 0 else {
            throw OperatorError("there are \(length) positions, but \(try step.input(3).shape[0]) embeddings of them")
        }
        func position(_ index: Int) -> Int {
            guard let positions else { return index % length }
            return positions[positions.count == length ? index % length : index]
        }
        var tables = [
            Table(
                elements: try step.widened(step.input(2), type),
                rows: try words.indices(below: step.input(2).shape[0])),
            Table(elements: try step.widened(step.input(3), type), rows: (0..<words.count).map(position)),
        ]
        if let segments = step.optional(1), let embeddings = step.optional(4) {
            tables.append(
                Table(
                    elements: try step.widened(embeddings, type),
                    rows: try segments.indices(below: embeddings.shape[0])))
        }
        let scale = try step.widened(step.input(5), type)
        let bias = try step.widened(step.input(6), type)
        let shape = try step.output(0).shape
        let budget = step.context.budget
        let sums = try budget.allocate(ValueType(Element.elementType, shape))
        let results = try budget.allocate(ValueType(Element.elementType, shape))
        let sum = try sums.uncheckedMutableElements(of: type)
        let output = try results.uncheckedMutableElements(of: type)
        let (all, epsilon) = (tables, epsilon)
        try step.forEachLine(of: AxisLayout(shape, axis: 2)) { row, start in
            let range = start..<start + shape[2]
            sum.copy(all[0].elements, all[0].rows[row] * shape[2]..<(all[0].rows[row] + 1) * shape[2], to: start)
            for table in all.dropFirst() {
                sum.accumulate(range, from: table.elements, at: table.rows[row] * shape[2], times: 1)
            }
            sum.readable.normalize(to: output, range, isCentred: true, epsilon: epsilon, scale: scale, bias: bias)
        }
        try results.convert(into: step.output(0))
        if step.wants(2) { try sums.convert(into: step.output(2)) }
        if step.wants(1) { try countMask(step, length) }
    }

    private func countMask(_ step: Step, _ length: Int) throws {
        let counts = try step.mutableElements(1, of: Int32.self)
        let mask = countsMask ? try step.optional(7)?.integers() : nil
        for index in 0..<counts.count {
            let kept = mask?[index * length..<(index + 1) * length].count { $0 == 1 } ?? 0
            counts[index] = Int32(truncatingIfNeeded: kept)
        }
    }
}
