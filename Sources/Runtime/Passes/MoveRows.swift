import ONNXLoader

extension Pass {
    /// A product with a constant matrix treats each row by itself: it is computed before rows are padded or repeated, and
    /// after some are left out. A row of padding becomes the bias.
    static let moveRows = Pass(name: "products of fewer rows") { graph, known, keep, context in
        while let change = try graph.movedProduct(known, keep, context) {
            var elements: [OperatorGraph.Element] = []
            for (index, element) in graph.elements.enumerated() where !change.removed.contains(index) {
                elements += change.replaced[index] ?? [element]
            }
            graph.elements = elements
        }
    }
}

/// Elements of a graph that others take the place of.
private struct GraphChange {
    var replaced: [Int: [OperatorGraph.Element]]
    var removed: Set<Int> = []
}

/// A product with a constant matrix, and the row that is added to it.
private struct RowwiseProduct {
    let position: Int
    let element: OperatorGraph.Element
    /// Columns of the product.
    let columns: Int
    /// The addition's place, and what it adds.
    var addition: (position: Int, bias: String)?
    /// What they compute.
    var result: String

    init?(
        _ position: Int, _ graph: OperatorGraph, _ consumers: [String: [Int]], _ known: Inference, _ keep: Set<String>
    ) {
        element = graph.elements[position]
        self.position = position
        guard let product = element.operation as? MatMul, product.isBare,
            let weights = graph.constants[element.node.inputs[1]], weights.elementType == .float32,
            weights.shape.count == 2, let result = element.node.outputs.first,
            let shape = known.types[result]?.shape, shape.count > 1
        else { return nil }
        columns = weights.shape[1]
        self.result = result
        guard let next = graph.soleConsumer(of: result, consumers, keep: keep),
            (graph.elements[next].operation as? Arithmetic)?.function == .add,
            let bias = graph.elements[next].node.inputs.first(where: { $0 != result }),
            graph.constants[bias]?.shape == [columns], graph.constants[bias]?.elementType == .float32
        else { return }
        addition = (next, bias)
        self.result = graph.elements[next].node.outputs[0]
    }

    /// The same product of other rows.
    /// - Returns: what replaces the product and the addition, whose result is called `output`.
    func replacement(
        of input: String, named output: String, in graph: OperatorGraph
    ) -> (product: OperatorGraph.Element, addition: OperatorGraph.Element?) {
        var product = element
        product.node.inputs[0] = input
        guard let addition else {
            product.node.outputs[0] = output
            return (product, nil)
        }
        var sum = graph.elements[addition.position]
        let between = "\(output).product"
        sum.node.inputs = sum.node.inputs.map { $0 == element.node.outputs[0] ? between : $0 }
        sum.node.outputs[0] = output
        product.node.outputs[0] = between
        return (product, sum)
    }
}

extension OperatorGraph {
    fileprivate func movedProduct(
        _ known: Inference, _ keep: Set<String>, _ context: RunContext
    ) throws -> GraphChange? {
        let consumers = consumers()
        let finder = PatternFinder(self, keep: keep)
        for position in elements.indices {
            guard let product = RowwiseProduct(position, self, consumers, known, keep) else { continue }
            if let change = try before(product, finder, known, context) { return change }
            if let change = try after(product, consumers, keep, known, context) { return change }
        }
        return nil
    }

    /// The product is computed for the rows from which its own are made, when those are fewer.
    private func before(
        _ product: RowwiseProduct, _ finder: PatternFinder, _ known: Inference, _ context: RunContext
    ) throws -> GraphChange? {
        var chain: [Element] = []
        var source = product.element.node.inputs[0]
        while let element = finder.producer(of: source), element.movesRows(constants, known),
            let input = element.node.inputs.first
        {
            chain.append(element)
            source = input
        }
        guard let table = try RowTable(of: chain.reversed(), from: source, constants, known, context),
            table.rowCount < table.sources.count, let type = known.types[product.result]
        else { return nil }
        let name = "\(product.result).rows"
        let (moved, sum) = product.replacement(of: source, named: name, in: self)
        let gather = Element(
            node: Node(
                operatorName: "GatherRows", inputs: [name] + [product.addition?.bias].compactMap(\.self),
                outputs: [product.result]),
            operation: GatheredRows(sources: table.sources, width: product.columns, type: type))
        guard let sum, let addition = product.addition else {
            return GraphChange(replaced: [product.position: [moved, gather]])
        }
        return GraphChange(replaced: [product.position: [moved], addition.position: [sum, gather]])
    }

    /// The product is computed for the rows alone that are left of its own.
    private func after(
        _ product: RowwiseProduct, _ consumers: [String: [Int]], _ keep: Set<String>, _ known: Inference,
        _ context: RunContext
    ) throws -> GraphChange? {
        var chain: [Int] = []
        var last = product.result
        while let next = soleConsumer(of: last, consumers, keep: keep), elements[next].node.inputs.first == last,
            elements[next].movesRows(constants, known), let output = elements[next].node.outputs.first
        {
            chain.append(next)
            last = output
        }
        let input = product.element.node.inputs[0]
        guard let table = try RowTable(of: chain.map { elements[$0] }, from: product.result, constants, known, context),
            table.sources.count < table.rowCount, table.sources.allSatisfy({ $0 >= 0 }),
            let width = known.types[input]?.shape.last, let shape = known.types[last]?.shape
        else { return nil }
        let name = "\(last).rows"
        let gather = Element(
            node: Node(operatorName: "GatherRows", inputs: [input], outputs: [name]),
            operation: GatheredRows(
                sources: table.sources, width: width, type: ValueType(.float32, shape.dropLast() + [width])))
        let (moved, sum) = product.replacement(of: name, named: last, in: self)
        var change = GraphChange(replaced: [product.position: [gather, moved]], removed: Set(chain))
        if let sum, let addition = product.addition { change.replaced[addition.position] = [sum] }
        return change
    }
}

extension OperatorGraph.Element {
    /// Whether it may move whole rows of its first input: the others are constant, and what it adds is 0.
    fileprivate func movesRows(_ constants: [String: Tensor], _ known: Inference) -> Bool {
        guard let output = node.outputs.first, node.outputs.count == 1, known.types[output]?.elementType == .float32,
            node.inputs.dropFirst().allSatisfy({ $0.isEmpty || constants[$0] != nil })
        else { return false }
        if operation.isView || operation is Transpose || operation is Slice { return true }
        guard let pad = operation as? Pad, pad.mode == .constant, pad.value ?? 0 == 0 else { return false }
        guard node.inputs.count > 2, !node.inputs[2].isEmpty else { return true }
        return (try? constants[node.inputs[2]]?.doubles()) == [0]
    }
}

/// From which rows of a tensor the rows of another one are taken.
private struct RowTable {
    /// Rows of the source.
    let rowCount: Int
    /// For each row its source's number, -1 for none.
    let sources: [Int32]

    private static let mostRows = 1 << 22

    /// - Parameter chain: what is done to the source.
    /// - Returns: nil when it does not move whole rows.
    init?(
        of chain: [OperatorGraph.Element], from source: String, _ constants: [String: Tensor], _ known: Inference,
        _ context: RunContext
    ) throws {
        guard !chain.isEmpty, let shape = known.types[source]?.shape, shape.count > 1, let width = shape.last, width > 0
        else { return nil }
        let count = saturatingProduct(shape.dropLast())
        guard (1...Self.mostRows).contains(count) else { return nil }
        // Rows of two numbers take the tensor's place: the row's, from 1 on, and the same below 0.
        let markers = (1...Int32(count)).flatMap { [$0, -$0] }
        var table = try Tensor(markers, shape: shape.dropLast() + [2])
        for element in chain {
            guard let target = known.types[element.node.outputs[0]]?.shape, target.count > 1, target.last == width,
                saturatingProduct(target) / width <= Self.mostRows
            else { return nil }
            let type = ValueType(.int32, target.dropLast() + [2])
            if element.operation.isView {
                table = try table.reshaped(to: type.shape)
                continue
            }
            let inputs = [table] + element.node.inputs.dropFirst().map { constants[$0] }
            // A padding's number is 0, whatever its type.
            let operands = inputs.enumerated().map { element.operation is Pad && $0.offset == 2 ? nil : $0.element }
            guard
                (try? element.operation.types(of: operands.map { $0.map { ValueInfo($0) } }, arity: 1)) == [type],
                let moved = try element.run(inputs: operands, types: [type], context: context).first
            else { return nil }
            table = moved
        }
        let numbers = try table.array(of: Int32.self)
        for row in 0..<numbers.count / 2 where numbers[2 * row] < 0 || numbers[2 * row] != -numbers[2 * row + 1] {
            return nil
        }
        rowCount = count
        sources = (0..<numbers.count / 2).map { numbers[2 * $0] - 1 }
    }
}
