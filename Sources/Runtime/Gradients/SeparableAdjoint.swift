import ONNXLoader

/// A linear map along one axis, in which every output element is a weighted sum of input elements, turned around: which
/// output elements each input element went to, with which weights.
struct AxisAdjoint: Sendable {
    let inputSize, outputSize: Int
    /// Where the entries of each input element start, and in the end their number.
    private(set) var starts: [Int]
    private(set) var outputs: [Int32]
    private(set) var weights: [Double]

    /// - Parameter forEachEntry: calls its argument with every triple of output index, input index and weight.
    init(inputSize: Int, outputSize: Int, _ forEachEntry: ((Int, Int, Double) -> Void) throws -> Void) rethrows {
        self.inputSize = inputSize
        self.outputSize = outputSize
        var entries: [(output: Int32, input: Int, weight: Double)] = []
        starts = [Int](repeating: 0, count: inputSize + 1)
        try forEachEntry { output, input, weight in
            entries.append((Int32(output), input, weight))
        }
        for entry in entries { starts[entry.input + 1] += 1 }
        for index in 0..<inputSize { starts[index + 1] += starts[index] }
        outputs = [Int32](repeating: 0, count: entries.count)
        weights = [Double](repeating: 0, count: entries.count)
        var next = starts
        for entry in entries {
            outputs[next[entry.input]] = entry.output
            weights[next[entry.input]] = entry.weight
            next[entry.input] += 1
        }
    }

    /// Of a map that copies: the input coordinate of every output coordinate, negative for none.
    init(inputSize: Int, coordinates: [Int]) {
        self.init(inputSize: inputSize, outputSize: coordinates.count) { add in
            for (output, input) in coordinates.enumerated() where input >= 0 { add(output, input, 1) }
        }
    }
}

/// The gradient of a map that works along one axis after another, as padding, resizing and averaging do: every input
/// element's sum of the gradients of the outputs that it went to, times its weights there.
struct SeparableAdjoint: LoweredOperator, FloatingOperator {
    /// For each axis; nil where the map leaves it as it is.
    let axes: [AxisAdjoint?]

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let gradient = try inputs.required(0).type
        guard gradient.shape.count == axes.count,
            zip(gradient.shape, axes).allSatisfy({ size, axis in axis.map { $0.outputSize == size } ?? true })
        else { throw OperatorError("\(gradient) is not the gradient of the map's output") }
        return [ValueType(gradient.elementType, zip(gradient.shape, axes).map { $1?.inputSize ?? $0 })]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let order = axes.indices.compactMap { axis in axes[axis].map { (axis: axis, adjoint: $0) } }
            .sorted { $0.adjoint.inputSize * $1.adjoint.outputSize < $1.adjoint.inputSize * $0.adjoint.outputSize }
        var current = try step.input(0)
        guard !order.isEmpty else { return try step.copy(current, 0..<current.count, to: 0, at: 0) }
        for (number, (axis, adjoint)) in order.enumerated() {
            var shape = current.shape
            shape[axis] = adjoint.inputSize
            let target =
                number == order.count - 1
                ? try step.output(0) : try step.context.budget.allocate(ValueType(Element.elementType, shape))
            try apply(step, adjoint, current, axis: axis, into: target, type)
            current = target
        }
    }

    private func apply<Element: FloatingElement>(
        _ step: Step, _ adjoint: AxisAdjoint, _ gradient: Tensor, axis: Int, into target: Tensor, _ type: Element.Type
    ) throws {
        let source = try gradient.elements(of: type)
        let result = try target.uncheckedMutableElements(of: type)
        let inner = gradient.shape[(axis + 1)...].reduce(1, *)
        let lines = gradient.shape[..<axis].reduce(1, *)
        let weights = adjoint.weights.map { Element($0) }
        guard result.count > 0 else { return }
        guard inner > 1 else {
            return try step.parallel(lines, grain: max(1, (1 << 14) / max(1, adjoint.outputs.count))) { range in
                for line in range {
                    for position in 0..<adjoint.inputSize {
                        var sum: Element = 0
                        for entry in adjoint.starts[position]..<adjoint.starts[position + 1] {
                            sum += weights[entry] * source[line * adjoint.outputSize + Int(adjoint.outputs[entry])]
                        }
                        result[line * adjoint.inputSize + position] = sum
                    }
                }
            }
        }
        try step.parallel(lines * adjoint.inputSize, grain: max(1, (1 << 14) / inner)) { range in
            for row in range {
                let start = row * inner
                var isFirst = true
                for entry in adjoint.starts[row % adjoint.inputSize]..<adjoint.starts[row % adjoint.inputSize + 1] {
                    let weight = weights[entry]
                    let from = (row / adjoint.inputSize * adjoint.outputSize + Int(adjoint.outputs[entry])) * inner
                    if isFirst {
                        result.assign(start..<start + inner, from: source, at: from) { $0 * weight }
                    } else {
                        result.assign(
                            start..<start + inner, from: result.readable, at: start, step: 1, and: source, at: from,
                            step: 1
                        ) { $0 + $1 * weight }
                    }
                    isFirst = false
                }
                if isFirst { result.fill(start..<start + inner, with: 0) }
            }
        }
    }
}
