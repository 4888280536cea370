import ONNXLoader

/// FlexAttention of `ai.onnx.preview` (opset 1): `softmax(scale · query · keyᵀ) · value` for every head, with graphs of the
/// node between: `score_mod` before the softmax, `prob_mod` after it.
///
/// All inputs are `[batch, heads, positions, size]`; heads of queries share heads of keys in groups.
struct FlexAttention: ControlFlowOperator {
    let captured: [String]
    private let scoreGraph, probabilityGraph: Subgraph?
    private let scale: Float?
    private let precision: ElementType?

    init(_ node: inout NodeReader) throws {
        captured = node.captured
        scoreGraph = try node.optionalSubgraph("score_mod")
        probabilityGraph = try node.optionalSubgraph("prob_mod")
        scale = try node.optionalFloat("scale")
        precision = try node.elementType("softmax_precision")
        guard precision?.isFloatingPoint ?? true else {
            throw OperatorError("softmax_precision is no floating-point type")
        }
        for graph in [scoreGraph, probabilityGraph] {
            guard graph.map({ $0.inputs.count == 1 && $0.outputs.count == 1 }) ?? true else {
                throw OperatorError("a graph for scores takes one tensor and gives one")
            }
        }
    }

    var kernelName: String { "gemm" }

    private func sizes(_ query: ValueType, _ key: ValueType, _ value: ValueType) throws -> AttentionSizes {
        guard query.shape.count == 4, key.shape.count == 4, value.shape.count == 4,
            query.elementType == key.elementType, key.elementType == value.elementType,
            query.shape[0] == key.shape[0], query.shape[3] == key.shape[3],
            Array(key.shape[..<3]) == Array(value.shape[..<3]), key.shape[1] > 0, query.shape[1] % key.shape[1] == 0
        else { throw OperatorError("queries \(query), keys \(key) and values \(value) do not fit") }
        return AttentionSizes(
            batch: query.shape[0], heads: query.shape[1], keyHeads: key.shape[1], queries: query.shape[2],
            keys: key.shape[2], headSize: query.shape[3], valueSize: value.shape[3])
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let query = try inputs.required(0).type
        let sizes = try sizes(query, inputs.required(1).type, inputs.required(2).type)
        return [ValueType(query.elementType, [sizes.batch, sizes.heads, sizes.queries, sizes.valueSize])]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let query = inputs.optional(0), let key = inputs.optional(1), let value = inputs.optional(2) else {
            return 0
        }
        return (try? sizes(query.type, key.type, value.type))?.multiplyAdds ?? 0
    }

    func run(_ step: inout Step) throws {
        if try step.input(0).elementType == .float64 || precision == .float64 {
            try run(step, Double.self)
        } else {
            try run(step, Float.self)
        }
    }

    private func run<Element: FloatingElement>(_ step: Step, _ type: Element.Type) throws {
        let sizes = try sizes(ValueType(step.input(0)), ValueType(step.input(1)), ValueType(step.input(2)))
        guard try step.output(0).count > 0 else { return }
        let budget = step.context.budget
        let shape = [sizes.batch, sizes.heads, sizes.queries, sizes.keys]
        let scores = try budget.allocate(ValueType(Element.elementType, shape))
        try products(
            step, sizes, step.widened(step.input(0), type), step.widened(step.input(1), type), transposed: true,
            columns: sizes.keys, inner: sizes.headSize,
            alpha: Element(scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot()),
            into: scores.uncheckedMutableElements(of: type))
        let changed = try apply(scoreGraph, to: scores, step)
        let probabilities = try budget.allocate(ValueType(Element.elementType, shape))
        try step.softmax(
            changed.elements(of: type), to: probabilities.uncheckedMutableElements(of: type),
            AxisLayout(shape, axis: 3), logarithm: false)
        let target = try step.output(0)
        let result =
            target.elementType == Element.elementType
            ? target : try budget.allocate(ValueType(Element.elementType, target.shape))
        try products(
            step, sizes, apply(probabilityGraph, to: probabilities, step).elements(of: type),
            step.widened(step.input(2), type), transposed: false, columns: sizes.valueSize, inner: sizes.keys, alpha: 1,
            into: result.uncheckedMutableElements(of: type))
        if target.elementType != Element.elementType { try result.convert(into: target) }
    }

    /// Each head's product with the keys or values that it shares.
    private func products<Element: FloatingElement>(
        _ step: Step, _ sizes: AttentionSizes, _ left: Elements<Element>, _ right: Elements<Element>, transposed: Bool,
        columns: Int, inner: Int, alpha: Element, into result: MutableElements<Element>
    ) throws {
        let rows = sizes.queries
        let tiles = GEMMTiles(rows: rows, columns: columns, inner: inner)
        let rightStride = transposed ? inner : columns
        try step.parallel(blocks: sizes.batch * sizes.heads, tiles) { head, rowRange, columnRange in
            let shared =
                head / sizes.heads * sizes.keyHeads + head % sizes.heads / (sizes.heads / sizes.keyHeads)
            BLAS.multiply(
                BLAS.Matrix(elements: left, start: (head * rows + rowRange.lowerBound) * inner, rowStride: inner),
                BLAS.Matrix(
                    elements: right,
                    start: shared * columns * inner + columnRange.lowerBound * (transposed ? rightStride : 1),
                    rowStride: rightStride, isTransposed: transposed),
                rows: rowRange.count, columns: columnRange.count, inner: inner, alpha: alpha, into: result,
                at: (head * rows + rowRange.lowerBound) * columns + columnRange.lowerBound, resultStride: columns)
        }
    }

    /// What a graph makes of scores, which it takes in the softmax's precision.
    private func apply(_ graph: Subgraph?, to scores: Tensor, _ step: Step) throws -> Tensor {
        guard let graph else { return scores }
        let budget = step.context.budget
        let wanted = try precision ?? (step.input(0).elementType == .float64 ? .float64 : .float32)
        let argument =
            scores.elementType == wanted ? scores : try scores.converted(to: wanted, budget: budget)
        let results = try graph.run([.tensor(argument)], captured: scope(step), context: step.context)
        guard let result = results.first?.tensor, ValueType(result) == ValueType(argument) else {
            throw OperatorError("a graph turns \(ValueType(argument)) into something else")
        }
        return result.elementType == scores.elementType
            ? result : try result.converted(to: scores.elementType, budget: budget)
    }
}
