import ONNXLoader

extension Pass {
    /// Moves a normalisation with constant statistics into the weights of the convolution before it, in binary64.
    static let foldBatchNormalization = Pass(name: "fold BatchNormalization into Conv") { graph, _, keep, _ in
        let consumers = graph.consumers()
        var removed = Set<Int>()
        for index in graph.elements.indices {
            let producer = graph.elements[index]
            let convolution = producer.operation as? Convolution
            guard convolution.map(\.isBare) ?? (producer.operation is TransposedConvolution),
                let result = producer.node.outputs.first,
                let next = graph.soleConsumer(of: result, consumers, keep: keep),
                let normalization = graph.elements[next].operation as? BatchNormalization, !normalization.isTraining,
                graph.elements[next].node.inputs.first == result,
                let folded = try graph.folded(index, next, normalization)
            else { continue }
            graph.constants[folded.weightsName] = folded.weights
            graph.constants[folded.biasName] = folded.bias
            graph.elements[index].node.inputs = [producer.node.inputs[0], folded.weightsName, folded.biasName]
            removed.insert(next)
            // The normalised value keeps its name: the convolution now computes it.
            graph.elements[index].node.outputs[0] = graph.elements[next].node.outputs[0]
        }
        guard !removed.isEmpty else { return }
        graph.elements = graph.elements.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
    }
}

extension OperatorGraph {
    fileprivate struct FoldedWeights {
        var weightsName, biasName: String
        var weights, bias: Tensor
    }

    /// Weights and bias with the normalisation's factors and offsets; nil when something is not a binary32 constant.
    fileprivate func folded(
        _ convolution: Int, _ next: Int, _ normalization: BatchNormalization
    ) throws -> FoldedWeights? {
        let inputs = elements[convolution].node.inputs
        let statistics = elements[next].node.inputs.dropFirst().compactMap { constants[$0] }
        guard inputs.count > 1, let weights = constants[inputs[1]], weights.elementType == .float32,
            statistics.count == 4, weights.shape.count > 2
        else { return nil }
        let bias = inputs.count > 2 && !inputs[2].isEmpty ? constants[inputs[2]] : nil
        if inputs.count > 2, !inputs[2].isEmpty, bias == nil { return nil }
        let affine = try AffineChannels(
            scale: statistics[0].doubles(), bias: statistics[1].doubles(), mean: statistics[2].doubles(),
            variance: statistics[3].doubles(), epsilon: Double(normalization.epsilon))
        let channels = affine.factors.count
        guard affine.factors.allSatisfy(\.isFinite), affine.offsets.allSatisfy(\.isFinite) else { return nil }

        let source = try weights.elements(of: Float.self)
        var scaled = try Tensor([Float](repeating: 0, count: weights.count), shape: weights.shape)
        let kernel = weights.shape[2...].reduce(1, *)
        if let transposed = elements[convolution].operation as? TransposedConvolution {
            // Weights [input channels, output channels per group, kernel].
            let perGroup = weights.shape[1]
            guard perGroup * transposed.groups == channels else { return nil }
            let inputsPerGroup = weights.shape[0] / transposed.groups
            try scaled.withMutableElements(of: Float.self) { target in
                for index in 0..<weights.count {
                    let channel = index / (perGroup * kernel) / inputsPerGroup * perGroup + index / kernel % perGroup
                    target[index] = Float(Double(source[index]) * affine.factors[channel])
                }
            }
        } else {
            guard weights.shape[0] == channels else { return nil }
            let perChannel = weights.count / max(1, channels)
            try scaled.withMutableElements(of: Float.self) { target in
                for channel in 0..<channels {
                    let range = channel * perChannel..<(channel + 1) * perChannel
                    let factor = affine.factors[channel]
                    target.assign(range, from: source, at: range.lowerBound) { Float(Double($0) * factor) }
                }
            }
        }
        let old = try bias?.doubles() ?? [Double](repeating: 0, count: channels)
        guard old.count == channels else { return nil }
        let offsets = (0..<channels).map { Float(old[$0] * affine.factors[$0] + affine.offsets[$0]) }
        let stem = elements[next].node.outputs[0]
        return FoldedWeights(
            weightsName: "\(stem).folded_weight", biasName: "\(stem).folded_bias", weights: scaled,
            bias: try Tensor(offsets, shape: [channels]))
    }
}
