import ONNXLoader

extension Pass {
    /// Finds `softmax(scale · query · keyᵀ + biases) · value`, as exporters write it in pieces, and computes it tile by tile.
    static let fuseAttention = Pass(name: "fuse attention") { graph, known, keep, _ in
        let finder = PatternFinder(graph, keep: keep)
        for index in graph.elements.indices {
            guard let attention = try AttentionPattern(graph.elements[index], graph, finder, known) else { continue }
            graph.elements[index].operation = attention.operation
            graph.elements[index].node.operatorName = "Attention"
            graph.elements[index].node.inputs = attention.inputs
        }
    }
}

/// The pieces of an attention, found from its last product backwards.
private struct AttentionPattern {
    let operation: TiledAttention
    let inputs: [String]

    /// The product of queries and keys, and what was done to it.
    private struct Scores {
        var query, key: String
        var scale: Double
        /// Values that are added, with the shape under which they are.
        var biases: [(name: String, shape: [Int])]
    }

    /// Pairs of matrices whose places are listed one by one.
    private static let mostPairs = 1 << 16

    /// - Returns: nil when the element is not an attention's last product.
    init?(
        _ last: OperatorGraph.Element, _ graph: OperatorGraph, _ finder: PatternFinder, _ known: Inference
    ) throws {
        func shape(_ name: String) -> [Int]? {
            guard let type = known.types[name] ?? graph.constants[name].map({ ValueType($0) }),
                type.elementType == .float32
            else { return nil }
            return type.shape
        }
        guard let product = last.operation as? MatMul, product.isBare, let result = last.node.outputs.first,
            let type = known.types[result], let probabilities = last.node.inputs.first,
            let softmax = finder.producer(of: probabilities, isInner: true),
            let normalization = softmax.operation as? Softmax, normalization.function == .softmax,
            let full = shape(probabilities), full.count >= 2, normalization.isOverRows(of: full),
            let valueShape = shape(last.node.inputs[1]), valueShape.count == full.count,
            Array(valueShape.dropLast(2)) == Array(full.dropLast(2)),
            let found = Self.scores(softmax.node.inputs[0], full, finder, shape)
        else { return nil }
        let (queries, keys) = (full[full.count - 2], full[full.count - 1])
        let batch = full.dropLast(2).reduce(1, &*)
        var (query, scale) = (found.query, found.scale)
        if let (source, factor) = finder.scaled(query), shape(source) == shape(query) {
            (query, scale) = (source, scale * factor)
        }
        var key = found.key
        var keysAreColumns = true
        for _ in 0..<2 {
            if let (source, factor) = finder.scaled(key), shape(source) == shape(key) {
                (key, scale) = (source, scale * factor)
            } else if keysAreColumns, let transpose = finder.producer(of: key),
                let permutation = (transpose.operation as? Transpose)?.permutation,
                permutation == Array(0..<permutation.count - 2) + [permutation.count - 1, permutation.count - 2]
            {
                (key, keysAreColumns) = (transpose.node.inputs[0], false)
            }
        }
        guard let queryShape = shape(query), queryShape.count == full.count,
            Array(queryShape.dropLast()) == Array(full.dropLast()), (1...Self.mostPairs).contains(batch), queries > 0,
            keys > 0, saturatingProduct([batch, max(queries, keys)]) <= ScatteredRows.mostRows,
            let headSize = queryShape.last, headSize > 0, let valueSize = valueShape.last, valueSize > 0,
            shape(key) == Array(full.dropLast(2)) + (keysAreColumns ? [headSize, keys] : [keys, headSize])
        else { return nil }
        var biases: [TiledAttention.Bias] = []
        for (name, scoresShape) in found.biases {
            guard let own = shape(name),
                let bias = TiledAttention.Bias(
                    own, scoresShape, input: 3 + biases.count, batch: batch, queries: queries, keys: keys)
            else { return nil }
            biases.append(bias)
        }
        operation = TiledAttention(
            batch: batch, queries: queries, keys: keys, headSize: headSize, valueSize: valueSize, scale: Float(scale),
            query: ScatteredRows(input: 0, batch: batch, rows: queries, columns: headSize),
            key: keysAreColumns
                ? ScatteredRows(input: 1, batch: batch, columnsOf: keys, depth: headSize)
                : ScatteredRows(input: 1, batch: batch, rows: keys, columns: headSize),
            value: ScatteredRows(input: 2, batch: batch, rows: keys, columns: valueSize), biases: biases, type: type)
        inputs = [query, key, last.node.inputs[1]] + found.biases.map(\.name)
    }

    /// Follows a value back to the product of queries and keys.
    /// - Parameter full: the shape that Softmax sees.
    private static func scores(
        _ name: String, _ full: [Int], _ finder: PatternFinder, _ shape: (String) -> [Int]?
    ) -> Scores? {
        guard let element = finder.producer(of: name, isInner: true), let own = shape(name),
            saturatingProduct(own) == saturatingProduct(full)
        else { return nil }
        if let product = element.operation as? MatMul {
            guard product.isBare, own == full else { return nil }
            return Scores(query: element.node.inputs[0], key: element.node.inputs[1], scale: 1, biases: [])
        }
        if element.operation.isView { return scores(element.node.inputs[0], full, finder, shape) }
        if let (source, factor) = finder.scaled(name) {
            guard var found = scores(source, full, finder, shape), found.biases.isEmpty else { return nil }
            found.scale *= factor
            return found
        }
        guard let sum = finder.arithmetic(name, .add) else { return nil }
        for (main, other) in [(0, 1), (1, 0)] {
            guard shape(sum.node.inputs[main]) == own,
                var found = scores(sum.node.inputs[main], full, finder, shape), found.biases.count < 4
            else { continue }
            found.biases.append((sum.node.inputs[other], own))
            return found
        }
        return nil
    }
}

extension TiledAttention.Bias {
    /// How a tensor that broadcasts to scores is read; nil when it is none of the ways that the kernel knows.
    /// - Parameters:
    ///   - own: the tensor's shape.
    ///   - scores: the shape of the scores where it is added: batch, queries and keys may each be several dimensions.
    fileprivate init?(_ own: [Int], _ scores: [Int], input: Int, batch: Int, queries: Int, keys: Int) {
        self.input = input
        func end(of count: Int, from start: Int) -> Int? {
            var (axis, product) = (start, 1)
            while product < count, axis < scores.count {
                product = saturatingProduct([product, scores[axis]])
                axis += 1
            }
            return product == count ? axis : nil
        }
        guard own.count <= scores.count, let firstQuery = end(of: batch, from: 0),
            let firstKey = end(of: queries, from: firstQuery), saturatingProduct(scores[firstKey...]) == keys
        else { return nil }
        let own = Array(repeating: 1, count: scores.count - own.count) + own
        guard zip(own, scores).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
        // Among the keys' dimensions those that the tensor has must be neighbours.
        let present = (firstKey..<scores.count).filter { scores[$0] != 1 && own[$0] != 1 }
        if let first = present.first, let last = present.last {
            guard (first...last).allSatisfy({ own[$0] == scores[$0] }) else { return nil }
            divisor = scores[(last + 1)...].reduce(1, *)
            modulus = scores[first...last].reduce(1, *)
        } else {
            (divisor, modulus) = (1, 1)
        }
        let ownQueries = own[firstQuery..<firstKey].reduce(1, *)
        guard ownQueries == queries || ownQueries == 1 else { return nil }
        queryStride = ownQueries == 1 ? 0 : modulus
        let size = ownQueries * modulus
        var starts = [0]
        let strides = broadcastStrides(of: Array(own[..<firstQuery]), to: Array(scores[..<firstQuery]))
        for (count, step) in zip(scores[..<firstQuery], strides) {
            starts = starts.flatMap { start in (0..<count).map { start + $0 * step } }
        }
        self.starts = starts.map { $0 * size }
    }
}
