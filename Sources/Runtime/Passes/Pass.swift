/// Turns a graph into a better one that computes the same values of `keep`.
struct Pass: Sendable {
    let name: String
    /// - Parameters: the graph, what is known of its values, names of values that must stay, and the means to compute.
    let apply:
        @Sendable (inout OperatorGraph, _ known: Inference, _ keep: Set<String>, _ context: RunContext) throws -> Void

    /// From ONNX to ONNX: what `convert` writes.
    static let portable: [Pass] = [.removeIdentities, .foldBatchNormalization]

    /// To operators of our own: inside plans only.
    static let lowering: [Pass] = [
        .recognizeGelu, .recognizeLayerNormalization, .absorbProjections, .moveRows, .fuseAttention, .attendInPlace,
        .groupProducts, .fuseConvolutions, .fuseMatrixProducts, .fuseActivations, .pairPointwiseConvolutions,
    ]
}

extension OperatorGraph {
    /// The position of the only element that reads `value`; nil when there are several readers, or it must stay.
    func soleConsumer(
        of value: String, _ consumers: [String: [Int]], keep: Set<String>
    ) -> Int? {
        guard !keep.contains(value), let readers = consumers[value], readers.count == 1 else { return nil }
        return readers[0]
    }

    /// Replaces reads of one value by reads of another.
    mutating func replaceUses(_ replacements: [String: String]) {
        guard !replacements.isEmpty else { return }
        func final(_ name: String) -> String {
            var name = name
            while let next = replacements[name] { name = next }
            return name
        }
        for index in elements.indices { elements[index].node.inputs = elements[index].node.inputs.map(final) }
    }
}
