import ONNXLoader

extension Pass {
    /// Finds `(x − mean) / √(variance + ε) · scale + bias` written out in operators, and makes it one: LayerNormalization
    /// over the last axes, as in transformers, ColumnNormalization over others, as over the channels of images.
    static let recognizeLayerNormalization = Pass(name: "recognize LayerNormalization") { graph, known, keep, _ in
        let finder = PatternFinder(graph, keep: keep)
        let consumers = graph.consumers()
        for index in graph.elements.indices {
            guard let core = StandardizationPattern(graph.elements[index], graph, finder, known) else { continue }
            // What follows with one number for each element of the axes.
            func follower(_ name: String, _ function: Arithmetic.Function) -> (index: Int, parameter: String)? {
                guard let next = graph.soleConsumer(of: name, consumers, keep: keep),
                    let output = graph.elements[next].node.outputs.first,
                    let inputs = finder.arithmetic(output, function)?.node.inputs,
                    let parameter = inputs.first(where: { $0 != name }), core.isParameter(parameter, graph, known)
                else { return nil }
                return (next, parameter)
            }
            var last = index
            var parameters = ["", ""]
            if let scaling = follower(graph.elements[last].node.outputs[0], .multiply) {
                (last, parameters[0]) = scaling
            }
            if let shift = follower(graph.elements[last].node.outputs[0], .add) { (last, parameters[1]) = shift }
            graph.elements[last].node.operatorName = "LayerNormalization"
            if core.axes.upperBound == core.type.shape.count {
                if parameters[0].isEmpty {
                    // A scale is no option of the operator.
                    parameters[0] = core.source + " (ones)"
                    let shape = Array(core.type.shape[core.axes])
                    graph.constants[parameters[0]] = try Tensor(
                        [Float](repeating: 1, count: elementCount(of: shape)), shape: shape)
                }
                graph.elements[last].operation = LayerNormalization(axis: core.axes.lowerBound, epsilon: core.epsilon)
            } else {
                graph.elements[last].operation = ColumnNormalization(
                    core.type, axes: core.axes, epsilon: core.epsilon, scale: parameters[0].isEmpty ? nil : 1,
                    bias: parameters[1].isEmpty ? nil : 2)
            }
            graph.elements[last].node.inputs = [core.source] + parameters
        }
    }
}

/// `(x − mean of x) / √(mean of (x − mean)² + ε)`, found from the quotient backwards.
private struct StandardizationPattern {
    let source: String
    let type: ValueType
    let axes: Range<Int>
    let epsilon: Double

    /// - Returns: nil when the element is not such a quotient.
    init?(_ last: OperatorGraph.Element, _ graph: OperatorGraph, _ finder: PatternFinder, _ known: Inference) {
        func mean(_ name: String) -> (source: String, axes: [Int])? {
            guard let element = finder.producer(of: name, isInner: true),
                let reduction = element.operation as? Reduction, reduction.function == .mean,
                let infos = known.infos(of: element.node.inputs, constants: graph.constants),
                let axes = try? reduction.axes(of: infos), known.types[name]?.shape.count == infos[0]?.shape.count
            else { return nil }
            return (element.node.inputs[0], axes)
        }
        guard let output = last.node.outputs.first, let quotient = finder.quotient(output),
            let sum = finder.arithmetic(quotient.radicand, .add, isInner: true),
            let variance = sum.node.inputs.first(where: { finder.scalar($0) == nil }),
            let epsilon = sum.node.inputs.lazy.compactMap(finder.scalar).first,
            let (squares, axes) = mean(variance),
            let (base, readers) = finder.square(squares), base == quotient.dividend,
            finder.readerCount(of: base) == readers + 1,
            let difference = finder.arithmetic(base, .subtract),
            let (source, others) = mean(difference.node.inputs[1]), source == difference.node.inputs[0],
            axes == others, let first = axes.first, let end = axes.last, axes == Array(first...end),
            let type = known.types[source], type.elementType == .float32, known.types[output] == type
        else { return nil }
        (self.source, self.type, self.axes, self.epsilon) = (source, type, first..<end + 1, epsilon)
    }

    /// Whether a value has one number for each element of the axes.
    func isParameter(_ name: String, _ graph: OperatorGraph, _ known: Inference) -> Bool {
        guard let parameter = graph.constants[name].map({ ValueType($0) }) ?? known.types[name],
            parameter.elementType == .float32, parameter.shape.count <= type.shape.count
        else { return false }
        let missing = type.shape.count - parameter.shape.count
        return type.shape.indices.allSatisfy { axis in
            let size = axis < missing ? 1 : parameter.shape[axis - missing]
            return size == (axes.contains(axis) ? type.shape[axis] : 1)
        }
    }
}

extension PatternFinder {
    /// A value that is another one divided by a square root: both.
    fileprivate func quotient(_ value: String) -> (dividend: String, radicand: String)? {
        if let element = arithmetic(value, .divide) {
            return root(element.node.inputs[1], 0.5).map { (element.node.inputs[0], $0) }
        }
        guard let inputs = arithmetic(value, .multiply)?.node.inputs else { return nil }
        for (dividend, factor) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
            if let radicand = root(factor, -0.5) { return (dividend, radicand) }
            let inverse = producer(of: factor, isInner: true)
            if inverse?.node.operatorName == "Reciprocal", let radicand = root(inverse?.node.inputs.first ?? "", 0.5) {
                return (dividend, radicand)
            }
            if let inverse = arithmetic(factor, .divide, isInner: true), scalar(inverse.node.inputs[0]) == 1,
                let radicand = root(inverse.node.inputs[1], 0.5)
            {
                return (dividend, radicand)
            }
        }
        return nil
    }

    /// What the value is the square root of, or its inverse, when the exponent is negative.
    private func root(_ value: String, _ exponent: Double) -> String? {
        guard let element = producer(of: value, isInner: true), let source = element.node.inputs.first else {
            return nil
        }
        if exponent == 0.5, element.node.operatorName == "Sqrt", element.node.domain.isEmpty { return source }
        return element.operation is Power && scalar(element.node.inputs[1]) == exponent ? source : nil
    }

    /// What the value is the square of, and how often it is read for it.
    fileprivate func square(_ value: String) -> (base: String, readers: Int)? {
        guard let element = producer(of: value, isInner: true), element.node.inputs.count == 2 else { return nil }
        let inputs = element.node.inputs
        if element.operation is Power { return scalar(inputs[1]) == 2 ? (inputs[0], 1) : nil }
        return arithmetic(value, .multiply) != nil && inputs[0] == inputs[1] ? (inputs[0], 2) : nil
    }
}
