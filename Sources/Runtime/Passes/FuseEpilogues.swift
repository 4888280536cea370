import ONNXLoader

extension Pass {
    /// Lets a convolution add a residual and apply an activation to each block right after it is computed.
    static let fuseConvolutions = Pass(name: "fuse Conv + Add + activation") { graph, known, keep, _ in
        graph.fuseFollowers(keep: keep, known) { graph, index, next, result in
            guard var convolution = graph.elements[index].operation as? Convolution, convolution.activation == .none
            else { return nil }
            let follower = graph.elements[next]
            if let activation = activation(of: follower, graph.constants) {
                convolution.activation = activation
                return (convolution, graph.elements[index].node.inputs)
            }
            guard follower.node.operatorName == "Add", follower.node.domain.isEmpty, !convolution.addsResidual,
                let other = follower.node.inputs.first(where: { $0 != result }),
                known.types[result] != nil, known.types[other] == known.types[result]
            else { return nil }
            convolution.addsResidual = true
            var inputs = graph.elements[index].node.inputs
            while inputs.count < 3 { inputs.append("") }
            return (convolution, inputs + [other])
        }
    }

    /// Lets a matrix product add a bias and apply an activation to each block right after it is computed.
    static let fuseMatrixProducts = Pass(name: "fuse MatMul + Add + activation") { graph, known, keep, _ in
        graph.fuseFollowers(keep: keep, known) { graph, index, next, result in
            let element = graph.elements[index]
            let follower = graph.elements[next]
            if var product = element.operation as? Gemm, product.activation == .none,
                let activation = activation(of: follower, graph.constants)
            {
                product.activation = activation
                return (product, element.node.inputs)
            }
            guard var product = element.operation as? MatMul, product.activation == .none,
                known.types[result]?.elementType == .float32
            else { return nil }
            if let activation = activation(of: follower, graph.constants) {
                product.activation = activation
                return (product, element.node.inputs)
            }
            guard follower.node.operatorName == "Add", follower.node.domain.isEmpty, !product.addsResidual,
                let other = follower.node.inputs.first(where: { $0 != result })
            else { return nil }
            if graph.constants[element.node.inputs[1]] != nil, graph.constants[other] == nil,
                known.types[other] == known.types[result]
            {
                product.addsResidual = true
                return (product, element.node.inputs + [other])
            }
            guard !product.addsBias, let bias = graph.constants[other], let columns = known.types[result]?.shape.last,
                known.types[result]!.shape.count >= 2,
                bias.shape == [columns],
                known.types[element.node.inputs[1]]?.shape.count ?? graph.constants[element.node.inputs[1]]?.shape.count
                    ?? 0 >= 2
            else { return nil }
            product.addsBias = true
            return (product, element.node.inputs + [other])
        }
    }

    /// Lets other operators apply an activation to each block right after it is computed.
    static let fuseActivations = Pass(name: "fuse activations") { graph, known, keep, _ in
        graph.fuseFollowers(keep: keep, known) { graph, index, next, _ in
            guard var operation = graph.elements[index].operation as? any ActivatedOperator,
                operation.activation == .none,
                let activation = activation(of: graph.elements[next], graph.constants)
            else { return nil }
            operation.activation = activation
            return (operation, graph.elements[index].node.inputs)
        }
    }
}

/// The activation that a node applies to its input with constant parameters.
private func activation(of element: OperatorGraph.Element, _ constants: [String: Tensor]) -> ActivationKernel? {
    (element.operation as? any ActivationOperator)?.activation(
        parameters: element.node.inputs.dropFirst().map { constants[$0] })
}

/// An operator that may become a producer's activation.
protocol ActivationOperator: Operator {
    /// - Parameter parameters: the inputs after the first, nil where absent or not constant.
    /// - Returns: nil when the parameters are not known or the function has no kernel.
    func activation(parameters: [Tensor?]) -> ActivationKernel?
}

/// An operator that may apply an activation to what it has computed.
protocol ActivatedOperator: Operator {
    /// Set by lowering.
    var activation: ActivationKernel { get set }
}

extension OperatorGraph {
    /// Merges elements with their only consumer as long as `fuse` agrees. Activations run in binary32: values that are
    /// wider, or whose type is not known, are left alone.
    ///
    /// - Parameter fuse: given the element, its consumer, and the value between; returns the operator that does both, with
    ///   its inputs, or nil.
    fileprivate mutating func fuseFollowers(
        keep: Set<String>, _ known: Inference,
        _ fuse: (OperatorGraph, _ index: Int, _ next: Int, _ result: String) -> (any Operator, [String])?
    ) {
        let consumers = consumers()
        var moved: [Int: Int] = [:]
        for start in elements.indices {
            var index = start
            while moved[index] == nil, let result = elements[index].node.outputs.first,
                let type = known.types[result]?.elementType, type != .float64,
                let next = soleConsumer(of: result, consumers, keep: keep), moved[next] == nil,
                let (operation, inputs) = fuse(self, index, next, result)
            {
                var node = elements[index].node
                node.inputs = inputs
                node.outputs = [elements[next].node.outputs[0]]
                node.operatorName += "+" + elements[next].node.operatorName
                // The fused element stands where its consumer stood, after everything that the consumer reads.
                elements[next] = Element(node: node, operation: operation)
                moved[index] = next
                index = next
            }
        }
        guard !moved.isEmpty else { return }
        elements = elements.enumerated().filter { moved[$0.offset] == nil }.map(\.element)
    }
}
