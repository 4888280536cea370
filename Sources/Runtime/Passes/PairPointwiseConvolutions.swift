import ONNXLoader

extension Pass {
    /// Lets a pointwise convolution be computed in one pass with one that reads its result.
    static let pairPointwiseConvolutions = Pass(name: "pairs of pointwise convolutions") {
        graph, known, keep, context in
        let readers = graph.consumers()
        var removed: Set<Int> = []
        for index in graph.elements.indices where !removed.contains(index) {
            let first = graph.elements[index]
            guard let result = first.node.outputs.first, let shape = known.pointwiseShape(first, graph.constants) else {
                continue
            }
            for next in readers[result] ?? [] where next > index && !removed.contains(next) {
                let second = graph.elements[next]
                guard second.node.inputs.first == result, let output = second.node.outputs.first,
                    let secondShape = known.pointwiseShape(second, graph.constants),
                    second.node.inputs.dropFirst().allSatisfy({ $0.isEmpty || graph.constants[$0] != nil }),
                    PointwisePair.pays(shape, secondShape),
                    let pair = try PointwisePair(
                        (first, shape), (second, secondShape), graph.constants, context: context)
                else { continue }
                var node = first.node
                node.operatorName += ", " + second.node.operatorName
                while node.inputs.count < PointwisePair.firstInputCount { node.inputs.append("") }
                node.inputs += second.node.inputs.dropFirst()
                node.outputs = [result, output]
                graph.elements[index] = .init(node: node, operation: pair)
                removed.insert(next)
                break
            }
        }
        graph.elements = graph.elements.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }
}

extension Inference {
    /// The shape of a binary32 pointwise convolution with constant weights; nil for anything else.
    fileprivate func pointwiseShape(
        _ element: OperatorGraph.Element, _ constants: [String: Tensor]
    ) -> ConvolutionShape? {
        guard let convolution = element.operation as? Convolution, element.node.inputs.count >= 2,
            let weights = constants[element.node.inputs[1]], weights.elementType == .float32,
            let input = types[element.node.inputs[0]],
            let shape = try? convolution.shape(input, weights: ValueType(weights))
        else { return nil }
        return PlannedConvolution.supports(.pointwise, shape) ? shape : nil
    }
}
