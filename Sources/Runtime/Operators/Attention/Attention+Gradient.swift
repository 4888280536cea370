import ONNXLoader

extension Attention: DifferentiableOperator {
    /// Differentiates the definition: products, what is added to the scores, softmax. Heads of queries that share a head of
    /// keys are a dimension of their own, along which keys and values are broadcast.
    func gradient(_ node: GradientNode) throws {
        guard node.optionalInput(6) == nil, node.outputGradient(3) == nil else {
            throw OperatorError("the gradient with nonpad_kv_seqlen, or of scores that are handed out, is not known")
        }
        let sizes = try known { try self.sizes(node.infos) }
        let groups = [sizes.batch, sizes.keyHeads, sizes.heads / sizes.keyHeads]
        try node.differentiate {
            let (key, value) = (try rows(node, past: 4, new: 1, sizes), try rows(node, past: 5, new: 2, sizes))
            let query = try separated(node.input(0), sizes.heads).reshaped(
                to: groups + [sizes.queries, sizes.headSize])
            let factor = scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot()
            var scores = try node.tape.apply("MatMul", [query * factor, key.unsqueezed(2).matrixTransposed()])
            if softcap > 0 { scores = try (scores / Double(softcap)).apply("Tanh") * Double(softcap) }
            scores = try scores.reshaped(to: [sizes.batch, sizes.heads, sizes.queries, sizes.keys])
            let seen = try visible(node, sizes)
            if let mask = node.optionalInput(3), mask.type?.elementType != .bool { scores = try scores + mask }
            // What is hidden stays finite, so that a query that sees nothing gives zeros rather than NaN.
            for mask in seen { scores = try mask.choose(scores, else: scores.number(-1e30)) }
            let weights = try seen.reduce(scores.apply("Softmax", ["axis": .int(-1)])) { try $1.keep($0) }
                .reshaped(to: groups + [sizes.queries, sizes.keys])
            let output = try node.tape.apply("MatMul", [weights, value.unsqueezed(2)]).reshaped(
                to: [sizes.batch, sizes.heads, sizes.queries, sizes.valueSize])
            guard try node.input(0).shape().count == 3 else { return [output, key, value] }
            let packed = try output.transposed([0, 2, 1, 3]).reshaped(
                to: [sizes.batch, sizes.queries, sizes.heads * sizes.valueSize])
            return [packed, key, value]
        }
    }

    /// `[batch, heads, positions, size]`.
    private func separated(_ value: GradientValue, _ heads: Int) throws -> GradientValue {
        let shape = try value.shape()
        guard shape.count == 3 else { return value }
        return try value.reshaped(to: [shape[0], shape[1], heads, shape[2] / heads]).transposed([0, 2, 1, 3])
    }

    /// Keys or values, those of earlier runs first.
    private func rows(_ node: GradientNode, past: Int, new: Int, _ sizes: AttentionSizes) throws -> GradientValue {
        let rows = try separated(node.input(new), sizes.keyHeads)
        guard let before = node.optionalInput(past) else { return rows }
        return try node.tape.apply("Concat", [before, rows], ["axis": .int(2)])
    }

    /// Truth values, for scores, of whether a query may see a key: all must be true.
    private func visible(_ node: GradientNode, _ sizes: AttentionSizes) throws -> [GradientValue] {
        var masks: [GradientValue] = []
        if let mask = node.optionalInput(3) {
            guard try mask.shape().last == sizes.keys else {
                throw OperatorError("the gradient with a mask of fewer columns than keys is not known")
            }
            if mask.type?.elementType == .bool { masks.append(mask) }
        }
        guard isCausal || left != nil || right != nil else { return masks }
        var visibility = AttentionVisibility(isCausal: isCausal, left: left, right: right)
        if let past = node.optionalInput(4) { visibility.offsets = [try past.shape()[2]] }
        var seen = [Bool](repeating: false, count: try sizes.queries.multiplied(by: sizes.keys))
        for row in 0..<sizes.queries {
            for column in visibility.range(batch: 0, row: row, keys: sizes.keys) {
                seen[row * sizes.keys + column] = true
            }
        }
        return masks + [node.tape.constant(try Tensor(seen, shape: [sizes.queries, sizes.keys]))]
    }
}
