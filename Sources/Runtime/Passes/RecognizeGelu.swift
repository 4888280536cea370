import ONNXLoader

extension Pass {
    /// Finds `x · (1 + erf(x / √2)) / 2`, in the order of factors in which exporters write it, and makes it one activation.
    static let recognizeGelu = Pass(name: "recognize Gelu") { graph, known, keep, _ in
        let finder = PatternFinder(graph, keep: keep)
        for index in graph.elements.indices {
            guard let output = graph.elements[index].node.outputs.first,
                known.types[output]?.elementType == .float32, let input = finder.gelu(output)
            else { continue }
            graph.elements[index].operation = Activation(.gelu(approximate: false))
            graph.elements[index].node.operatorName = "Gelu"
            graph.elements[index].node.inputs = [input]
        }
    }
}

extension PatternFinder {
    /// The input, when a value is its Gelu: a product of ½, the input, and 1 + erf(input / √2).
    fileprivate func gelu(_ output: String) -> String? {
        var factors: [String] = []
        var scale = 1.0
        // Factors of products that nothing else needs.
        var open = [output]
        while let name = open.popLast() {
            if let number = scalar(name) {
                scale *= number
            } else if let product = arithmetic(name, .multiply, isInner: name != output) {
                open += product.node.inputs
            } else {
                factors.append(name)
            }
        }
        guard abs(scale - 0.5) < 1e-6, factors.count == 2 else { return nil }
        for (input, bracket) in [(factors[0], factors[1]), (factors[1], factors[0])] {
            guard let sum = arithmetic(bracket, .add, isInner: true),
                let error = sum.node.inputs.first(where: { scalar($0) == nil }),
                sum.node.inputs.contains(where: { scalar($0) == 1 }),
                let function = producer(of: error, isInner: true), function.node.operatorName == "Erf",
                let argument = function.node.inputs.first, let (source, factor) = scaled(argument), source == input,
                abs(factor - 0.5.squareRoot()) < 1e-6
            else { continue }
            return input
        }
        return nil
    }
}
