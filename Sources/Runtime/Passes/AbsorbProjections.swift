import ONNXLoader

extension Pass {
    /// In an attention with few queries, multiplies the weights that make keys and values of an image's positions by the
    /// queries instead; with few keys, the weights that make queries and the result by the keys and values. Products of
    /// matrices are associative: what is formed is then as small as the few.
    static let absorbProjections = Pass(name: "absorb projections") { graph, known, keep, _ in
        let finder = ProjectionFinder(graph, known, keep: keep)
        var replacements: [Int: [OperatorGraph.Element]] = [:]
        for index in graph.elements.indices {
            guard let attention = finder.attention(graph.elements[index]) else { continue }
            if let found = try finder.fewQueries(attention, index) {
                replacements[index] = found.elements
                graph.constants.merge(found.constants) { $1 }
            } else if let found = try finder.fewKeys(attention, index) {
                replacements[found.position] = found.elements
                graph.constants.merge(found.constants) { $1 }
            }
        }
        guard !replacements.isEmpty else { return }
        graph.elements = graph.elements.enumerated().flatMap { replacements[$0.offset] ?? [$0.element] }
    }
}

/// Finds attention over heads of linear layers, `[1, heads, tokens, size]`.
private struct ProjectionFinder {
    private let graph: OperatorGraph
    private let known: Inference
    private let keep: Set<String>
    private let finder: PatternFinder
    private let consumers: [String: [Int]]

    init(_ graph: OperatorGraph, _ known: Inference, keep: Set<String>) {
        (self.graph, self.known, self.keep) = (graph, known, keep)
        finder = PatternFinder(graph, keep: keep)
        consumers = graph.consumers()
    }

    /// `softmax(scale · query · keysᵀ) · value`, with keys as columns.
    struct Attention {
        let query, keys, value, result: String
        let scale: Double
        let heads, queries, keyCount, headSize, valueSize: Int
    }

    /// What takes the place of an element.
    struct Replacement {
        var position: Int
        var elements: [OperatorGraph.Element] = []
        var constants: [String: Tensor] = [:]
        let node: Node

        /// Adds an element that makes a new value, and returns the value's name.
        mutating func add(_ operatorName: String, _ inputs: [String], _ operation: any Operator) -> String {
            var node = node
            node.operatorName = operatorName
            node.inputs = inputs
            node.attributes = [:]
            node.outputs = ["\(node.outputs[0]) (\(elements.count))"]
            elements.append(OperatorGraph.Element(node: node, operation: operation))
            return node.outputs[0]
        }

        mutating func constant(_ values: [Float], _ shape: [Int]) throws -> String {
            let name = "\(node.outputs[0]) (constant \(constants.count))"
            constants[name] = try Tensor(values, shape: shape)
            return name
        }

        /// Lets the last element make the value that the replaced one made.
        mutating func finish() {
            elements[elements.count - 1].node.outputs = node.outputs
        }
    }

    /// Heads of `source · weights + bias`.
    struct Heads {
        let source: String
        let inner: Int
        /// `[inner, heads · size]`.
        let weights: Tensor
        let bias: [Float]?
    }

    private func shape(_ name: String) -> [Int]? {
        guard let type = graph.constants[name].map({ ValueType($0) }) ?? known.types[name],
            type.elementType == .float32
        else { return nil }
        return type.shape
    }

    func attention(_ last: OperatorGraph.Element) -> Attention? {
        guard let product = last.operation as? MatMul, product.isBare, let result = last.node.outputs.first,
            let full = shape(last.node.inputs[0]), full.count == 4, full[0] == 1,
            let softmax = finder.producer(of: last.node.inputs[0], isInner: true),
            let normalization = softmax.operation as? Softmax, normalization.function == .softmax,
            normalization.isOverRows(of: full)
        else { return nil }
        var (scores, scale) = (softmax.node.inputs[0], 1.0)
        if let (source, factor) = finder.scaled(scores), finder.readerCount(of: scores) == 1 {
            (scores, scale) = (source, factor)
        }
        guard let element = finder.producer(of: scores, isInner: true), let first = element.operation as? MatMul,
            first.isBare, shape(scores) == full, let queryShape = shape(element.node.inputs[0]),
            let keyShape = shape(element.node.inputs[1]), let valueShape = shape(last.node.inputs[1]),
            queryShape.count == 4, valueShape.count == 4, queryShape[0] == 1, queryShape[1] == full[1],
            keyShape == [1, full[1], queryShape[3], full[3]], valueShape[..<3] == [1, full[1], full[3]],
            !full.contains(0), queryShape[3] > 0, valueShape[3] > 0
        else { return nil }
        return Attention(
            query: element.node.inputs[0], keys: element.node.inputs[1], value: last.node.inputs[1], result: result,
            scale: scale, heads: full[1], queries: full[2], keyCount: full[3], headSize: queryShape[3],
            valueSize: valueShape[3])
    }

    /// Heads that a value is made of by a linear layer, whose result is needed for nothing else.
    private func heads(_ name: String, _ permutation: [Int], size: Int) -> Heads? {
        guard let transpose = finder.producer(of: name, isInner: true),
            (transpose.operation as? Transpose)?.permutation == permutation,
            let reshape = finder.producer(of: transpose.node.inputs[0], isInner: true), reshape.operation is Reshape,
            let split = shape(transpose.node.inputs[0]), split.count == 4, split[3] == size
        else { return nil }
        return linear(reshape.node.inputs[0], split)
    }

    /// A linear layer whose result has a row for each token.
    private func linear(_ name: String, _ split: [Int]) -> Heads? {
        var (product, bias) = (name, [Float]?.none)
        if let sum = finder.arithmetic(name, .add, isInner: true) {
            guard let constant = sum.node.inputs.lazy.compactMap({ graph.constants[$0] }).first,
                constant.shape == [split[2] * split[3]], let values = try? constant.array(of: Float.self),
                let other = sum.node.inputs.first(where: { graph.constants[$0] == nil })
            else { return nil }
            (product, bias) = (other, values)
        }
        guard let element = finder.producer(of: product, isInner: true), let matrix = element.operation as? MatMul,
            matrix.isBare, let weights = graph.constants[element.node.inputs[1]],
            weights.elementType == .float32, weights.shape.count == 2, weights.shape[1] == split[2] * split[3],
            shape(element.node.inputs[0]) == [1, split[1], weights.shape[0]],
            weights.shape[0] > 0
        else { return nil }
        return Heads(source: element.node.inputs[0], inner: weights.shape[0], weights: weights, bias: bias)
    }

    /// A linear layer's weights with one row a column, times a factor: `[heads, size, inner]`.
    private func transposed(_ heads: Heads, times scale: Double) throws -> [Float] {
        let weights = try heads.weights.array(of: Float.self)
        let columns = weights.count / heads.inner
        var result: [Float] = []
        result.reserveCapacity(weights.count)
        for column in 0..<columns {
            for row in 0..<heads.inner { result.append(weights[row * columns + column] * Float(scale)) }
        }
        return result
    }

    /// A linear layer's weights head by head: `[heads, inner, size]`.
    private func separated(_ heads: Heads, size: Int) throws -> [Float] {
        let weights = try heads.weights.array(of: Float.self)
        let columns = weights.count / heads.inner
        var result: [Float] = []
        result.reserveCapacity(weights.count)
        for column in stride(from: 0, to: columns, by: size) {
            for row in 0..<heads.inner {
                result += weights[row * columns + column..<row * columns + column + size]
            }
        }
        return result
    }

    private func matrixProduct() throws -> MatMul {
        var reader = NodeReader(Node(operatorName: "MatMul", inputs: [], outputs: []), opset: 13)
        return try MatMul(&reader)
    }

    /// Whether the products cost clearly less than those that they replace.
    private func isWorthwhile(_ new: [[Int]], insteadOf old: [[Int]]) -> Bool {
        func cost(_ products: [[Int]]) -> Double {
            var sum = 0.0
            for sizes in products { sum += sizes.reduce(1.0) { $0 * Double($1) } }
            return sum
        }
        return cost(new) < 0.8 * cost(old)
    }

    /// `softmax(query · weightsᵀ · xᵀ) · y · weights + bias`. The keys' bias changes nothing: it adds the same number to all
    /// scores of a query.
    func fewQueries(_ attention: Attention, _ index: Int) throws -> Replacement? {
        let (heads, queries, keys) = (attention.heads, attention.queries, attention.keyCount)
        guard let key = self.heads(attention.keys, [0, 2, 3, 1], size: attention.headSize),
            let value = self.heads(attention.value, [0, 2, 1, 3], size: attention.valueSize),
            isWorthwhile(
                [
                    [heads * queries, keys, key.inner + value.inner],
                    [heads * queries, attention.headSize, key.inner],
                    [heads * queries, attention.valueSize, value.inner],
                ],
                insteadOf: [
                    [keys, key.inner, heads * attention.headSize], [keys, value.inner, heads * attention.valueSize],
                    [heads * queries, keys, attention.headSize + attention.valueSize],
                ]),
            let operation = FewQueriesAttention(
                queries: heads * queries, keys: keys, keySize: key.inner, valueSize: value.inner,
                type: ValueType(.float32, [1, heads, queries, value.inner]))
        else { return nil }
        var new = Replacement(position: index, node: graph.elements[index].node)
        let keyWeights = try new.constant(
            transposed(key, times: attention.scale), [heads, attention.headSize, key.inner])
        let size = attention.valueSize
        let valueWeights = try new.constant(separated(value, size: size), [heads, value.inner, size])
        let query = new.add("MatMul", [attention.query, keyWeights], try matrixProduct())
        let mixed = new.add("Attention", [query, key.source, value.source], operation)
        let result = new.add("MatMul", [mixed, valueWeights], try matrixProduct())
        if let bias = value.bias {
            let constant = try new.constant(bias, [heads, 1, size])
            _ = new.add("Add", [result, constant], Arithmetic(.add))
        }
        new.finish()
        return new
    }

    /// The linear layer that joins the heads of an attention's result: the last element that belongs to it.
    private func join(_ attention: Attention) -> (position: Int, weights: Tensor, bias: String?, residual: String?)? {
        func next(_ name: String) -> Int? { graph.soleConsumer(of: name, consumers, keep: keep) }
        func output(_ index: Int) -> String { graph.elements[index].node.outputs[0] }
        let columns = attention.heads * attention.valueSize
        guard let transpose = next(attention.result),
            (graph.elements[transpose].operation as? Transpose)?.permutation == [0, 2, 1, 3],
            let reshape = next(output(transpose)), graph.elements[reshape].operation is Reshape,
            shape(output(reshape)) == [1, attention.queries, columns], let product = next(output(reshape)),
            let matrix = graph.elements[product].operation as? MatMul, matrix.isBare,
            graph.elements[product].node.inputs[0] == output(reshape),
            let weights = graph.constants[graph.elements[product].node.inputs[1]], weights.shape.count == 2,
            weights.shape[0] == columns, weights.shape[1] > 0
        else { return nil }
        var position = product
        var addends: [String?] = [nil, nil]
        for isResidual in [false, true] {
            guard let sum = next(output(position)),
                let inputs = finder.arithmetic(output(sum), .add)?.node.inputs,
                let other = inputs.first(where: { $0 != output(position) }),
                isResidual
                    ? graph.constants[other] == nil && shape(other) == shape(output(sum))
                    : graph.constants[other]?.shape == [weights.shape[1]]
            else { continue }
            addends[isResidual ? 1 : 0] = other
            position = sum
        }
        return (position, weights, addends[0], addends[1])
    }

    /// `Σ over heads of softmax(x · (weights · keyᵀ) + bias · keyᵀ) · (value · weights) + bias + residual`.
    func fewKeys(_ attention: Attention, _ index: Int) throws -> Replacement? {
        let (heads, queries, keys) = (attention.heads, attention.queries, attention.keyCount)
        guard let query = self.heads(attention.query, [0, 2, 1, 3], size: attention.headSize),
            let join = join(attention), join.weights.elementType == .float32,
            isWorthwhile(
                [
                    [heads * keys, queries, query.inner + join.weights.shape[1]],
                    [heads * keys, attention.headSize, query.inner],
                    [heads * keys, attention.valueSize, join.weights.shape[1]],
                ],
                insteadOf: [
                    [queries, query.inner, heads * attention.headSize],
                    [queries, join.weights.shape[1], heads * attention.valueSize],
                    [heads * queries, keys, attention.headSize + attention.valueSize],
                ])
        else { return nil }
        let columns = join.weights.shape[1]
        let count = 3 + (query.bias == nil ? 0 : 1)
        guard
            let operation = FewKeysAttention(
                .init(rows: queries, inner: query.inner, heads: heads, keys: keys, columns: columns),
                type: ValueType(.float32, [1, queries, columns]), offsets: query.bias == nil ? nil : 3,
                bias: join.bias == nil ? nil : count,
                residual: join.residual == nil ? nil : count + (join.bias == nil ? 0 : 1))
        else { return nil }
        var new = Replacement(position: join.position, node: graph.elements[join.position].node)
        let key = new.add("Transpose", [attention.keys], Transpose(permutation: [0, 1, 3, 2]))
        let weights = try new.constant(
            transposed(query, times: attention.scale), [heads, attention.headSize, query.inner])
        let values = try new.constant(join.weights.array(of: Float.self), [heads, attention.valueSize, columns])
        var inputs = [query.source]
        inputs.append(new.add("MatMul", [key, weights], try matrixProduct()))
        inputs.append(new.add("MatMul", [attention.value, values], try matrixProduct()))
        if let bias = query.bias {
            let scaled = try new.constant(
                bias.map { (number: Float) -> Float in number * Float(attention.scale) },
                [heads, attention.headSize, 1])
            inputs.append(new.add("MatMul", [key, scaled], try matrixProduct()))
        }
        inputs += [join.bias, join.residual].compactMap { $0 }
        _ = new.add("Attention", inputs, operation)
        new.finish()
        return new
    }
}
