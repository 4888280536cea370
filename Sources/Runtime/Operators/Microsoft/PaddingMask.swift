import ONNXLoader

extension Step {
    /// A mask of `com.microsoft` as numbers to add: 0 for keys that count, `hidden` for others.
    ///
    /// The mask is `[batch, keys]` or `[batch, queries, keys]`, positive where a key counts; or it is the end of each of the
    /// batch, perhaps followed by the start of each.
    func paddingBias<Element: FloatingElement>(
        _ mask: Tensor, _ sizes: AttentionSizes, hidden: Float, _ type: Element.Type
    ) throws -> AttentionBias<Element> {
        let values = try mask.integers()
        let (batch, keys) = (sizes.batch, sizes.keys)
        let rows: Int
        let counts: (_ row: Int, _ key: Int) -> Bool
        switch mask.shape {
        case [batch, keys]: (rows, counts) = (1, { values[$0 * keys + $1] > 0 })
        case [batch, sizes.queries, keys]: (rows, counts) = (sizes.queries, { values[$0 * keys + $1] > 0 })
        case [batch]: (rows, counts) = (1, { $1 < values[$0] })
        case [2 * batch]: (rows, counts) = (1, { $1 < values[$0] && $1 >= values[batch + $0] })
        default: throw OperatorError("a mask of shape \(mask.shape) is not supported")
        }
        let bias = try context.budget.allocate(ValueType(Element.elementType, [batch, 1, rows, keys]))
        let elements = try bias.uncheckedMutableElements(of: type)
        for index in 0..<elements.count {
            elements[index] = counts(index / keys, index % keys) ? 0 : Element(hidden)
        }
        return try AttentionBias(bias, sizes)
    }

    /// `input · weights + bias` for all rows of the input.
    func projected<Element: FloatingElement>(
        _ input: Tensor, _ weights: Tensor, bias: Tensor?, _ type: Element.Type
    ) throws -> Elements<Element> {
        let width = weights.shape[1]
        let flat = try input.reshaped(to: [input.shape.dropLast().reduce(1, &*), weights.shape[0]])
        let product = try MatrixProduct(left: flat.shape, right: weights.shape)
        let memory = try context.budget.allocate(ValueType(Element.elementType, [flat.shape[0], width]))
        let output = try memory.uncheckedMutableElements(of: type)
        if let output = output as? MutableElements<Float> {
            try product.run(self, left: flat, right: weights, addend: bias, into: output)
            return try memory.elements(of: type)
        }
        try product.run(self, left: flat.elements(of: type), right: weights.elements(of: type), into: output)
        if let bias {
            try map(
                output.readable, bias.elements(of: type), Broadcasting([memory.shape, bias.shape], to: memory.shape),
                to: output
            ) { $0 + $1 }
        }
        return try memory.elements(of: type)
    }
}
