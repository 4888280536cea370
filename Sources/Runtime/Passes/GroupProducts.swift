import ONNXLoader

extension Pass {
    /// Computes Einsum with a constant, such as `bhwc,hkc->bhwk`, as matrix products that read their rows where they lie.
    static let groupProducts = Pass(name: "grouped products") { graph, known, keep, context in
        let finder = PatternFinder(graph, keep: keep)
        for index in graph.elements.indices {
            let element = graph.elements[index]
            guard let einsum = element.operation as? Einsum, element.node.inputs.count == 2,
                let matrices = graph.constants[element.node.inputs[1]], matrices.elementType == .float32,
                let shape = known.types[element.node.inputs[0]]?.shape, let output = element.node.outputs.first,
                let type = known.types[output],
                type.elementType == .float32, !shape.contains(0), matrices.count > 0,
                saturatingProduct(shape.dropLast()) <= ScatteredRows.mostRows,
                let form = try GroupedForm(einsum.equation.labels(for: [shape, matrices.shape])),
                form.takes(matrices.shape)
            else { continue }
            var (source, view) = finder.source(of: element.node.inputs[0]) { known.types[$0]?.shape }
            if !form.reads(view, shape) { (source, view) = (element.node.inputs[0], StridedView(shape)) }
            guard form.reads(view, shape) else { continue }
            let found = finder.found(source, form.rows(of: view), columns: form.inner)
            graph.elements[index].operation = try form.operation(
                graph.elements[index].read(found, input: 0), matrices.elements(of: Float.self), type, context)
        }
    }
}

/// An equation of two terms, seen as matrix products: every label of the first term but the last is a pair's, the group's or
/// the row's.
private struct GroupedForm {
    private let labels: EinsumEquation.Labels
    private let group, row, column, depth: Int
    private let others: [Int]

    /// - Returns: nil when the equation is of another form.
    init?(_ labels: EinsumEquation.Labels) {
        let (first, second, result) = (labels.operands[0], labels.operands[1], labels.result)
        guard [first, second, result].allSatisfy({ Set($0).count == $0.count }), second.count == 3,
            let depth = first.last, second.contains(depth), !result.contains(depth),
            let column = result.last, second.contains(column), !first.contains(column),
            let group = second.first(where: { $0 != depth && $0 != column }), first.contains(group),
            Set(result) == Set(first + [column]).subtracting([depth]),
            let row = result.dropLast().last(where: { $0 != group })
        else { return nil }
        self.labels = labels
        (self.group, self.row, self.column, self.depth) = (group, row, column, depth)
        others = result.dropLast().filter { $0 != group && $0 != row }
    }

    private func size(_ label: Int) -> Int { labels.sizes[label] ?? 1 }

    var inner: Int { size(depth) }

    /// Whether the first term's tensor can be read as such a view.
    func reads(_ view: StridedView, _ shape: [Int]) -> Bool {
        view.shape == shape && labels.operands[0].map(size) == shape && view.stride(shape.count - 1) == 1
    }

    /// Whether a constant of such a shape repeats nothing.
    func takes(_ shape: [Int]) -> Bool { labels.operands[1].map(size) == shape }

    /// All sums of one offset of each list.
    private func sums(_ lists: [[Int]]) -> [Int] {
        lists.reduce([0]) { sums, list in sums.flatMap { sum in list.map { sum + $0 } } }
    }

    func rows(of view: StridedView) -> ScatteredRows {
        func offsets(_ label: Int) -> [Int] { labels.operands[0].firstIndex(of: label).map(view.offsets) ?? [0] }
        return ScatteredRows(
            input: 0, starts: sums(others.map(offsets)).map { $0 + view.start },
            offsets: sums([offsets(group), offsets(row)]))
    }

    func operation(
        _ left: ScatteredRows, _ matrices: Elements<Float>, _ type: ValueType, _ context: RunContext
    ) throws -> GroupedProducts {
        let second = Dictionary(
            uniqueKeysWithValues: zip(labels.operands[1], strides(of: labels.operands[1].map(size))))
        let result = Dictionary(uniqueKeysWithValues: zip(labels.result, strides(of: type.shape)))
        let (groupStep, innerStep, columnStep) = (second[group] ?? 0, second[depth] ?? 0, second[column] ?? 0)
        return try GroupedProducts(
            pairs: others.map(size).reduce(1, *), groups: size(group), rows: size(row), columns: size(column),
            inner: inner, left: left,
            resultStarts: sums(others.map { label in (0..<size(label)).map { $0 * (result[label] ?? 0) } }),
            groupStride: result[group] ?? 0, rowStride: result[row] ?? 0, type: type, budget: context.budget
        ) { matrices[$0 * groupStep + $1 * innerStep + $2 * columnStep] }
    }
}
