import ONNXLoader

extension Attention: DifferentiableOperator {
    /// Of `Y`, without a cache, padding or a window, and where its mask is for all keys.
    func gradient(_ node: GradientNode) throws {
        guard [4, 5, 6].allSatisfy({ node.optionalInput($0) == nil }), !hasWindow,
            !(1..<4).contains(where: { node.outputGradient($0) != nil })
        else { throw OperatorError("the gradient of attention with a cache, padding or a window is not known") }
        let inputs = try (0..<3).map { try node.input($0) }
        let shapes = try inputs.map { try $0.shape() }
        let sizes = try sizes(node.infos)
        try node.differentiate {
            let query = try separated(inputs[0], shapes[0], sizes.heads, sizes.headSize)
            let key = try shared(separated(inputs[1], shapes[1], sizes.keyHeads, sizes.headSize), sizes)
            let value = try shared(separated(inputs[2], shapes[2], sizes.keyHeads, sizes.valueSize), sizes)
            let factor = scale.map { Double($0) } ?? 1 / Double(sizes.headSize).squareRoot()
            var scores = try node.tape.apply("MatMul", [query, key.matrixTransposed()]) * factor
            if softcap > 0 { scores = try (scores / Double(softcap)).apply("Tanh") * Double(softcap) }
            let mask = try node.optionalInput(3).map { try checked($0, sizes) }
            var hiding: [GradientValue] = []
            if let mask {
                if mask.type?.elementType == .bool { hiding.append(mask) } else { scores = try scores + mask }
            }
            if isCausal {
                let seen = (0..<sizes.queries * sizes.keys).map { $0 % sizes.keys <= $0 / sizes.keys }
                hiding.append(node.tape.constant(try Tensor(seen, shape: [sizes.queries, sizes.keys])))
            }
            // Hidden scores stay finite, so that a query that sees nothing gives zeros rather than NaN.
            for seen in hiding { scores = try seen.choose(scores, else: scores.number(-1e30)) }
            let probabilities = try hiding.reduce(scores.apply("Softmax")) { try $1.keep($0) }
            let result = try node.tape.apply("MatMul", [probabilities, value])
            guard shapes[0].count == 3 else { return [result] }
            return [
                try result.transposed([0, 2, 1, 3]).reshaped(
                    to: [sizes.batch, sizes.queries, sizes.heads * sizes.valueSize])
            ]
        }
    }

    /// `[batch, heads, positions, size]`.
    private func separated(
        _ value: GradientValue, _ shape: [Int], _ heads: Int, _ size: Int
    ) throws -> GradientValue {
        guard shape.count == 3 else { return value }
        return try value.reshaped(to: [shape[0], shape[1], heads, size]).transposed([0, 2, 1, 3])
    }

    /// Each head as often as queries share it.
    private func shared(_ value: GradientValue, _ sizes: AttentionSizes) throws -> GradientValue {
        guard sizes.heads != sizes.keyHeads else { return value }
        let shape = try value.shape()
        let group = sizes.heads / sizes.keyHeads
        return try value.reshaped(to: [shape[0], shape[1], 1] + shape[2...])
            .expanded(to: [shape[0], shape[1], group] + shape[2...])
            .reshaped(to: [shape[0], sizes.heads] + shape[2...])
    }

    private func checked(_ mask: GradientValue, _ sizes: AttentionSizes) throws -> GradientValue {
        guard let type = mask.type, type.shape.last == sizes.keys else {
            throw OperatorError("the gradient of attention with a mask for some keys only is not known")
        }
        return mask
    }
}
