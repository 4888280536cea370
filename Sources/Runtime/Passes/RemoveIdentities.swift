import ONNXLoader

extension Pass {
    /// Reads past nodes that hand on their input unchanged.
    static let removeIdentities = Pass(name: "remove identities") { graph, known, keep, _ in
        var replacements: [String: String] = [:]
        let constants = graph.constants
        graph.elements.removeAll { element in
            guard let input = element.node.inputs.first, !input.isEmpty, let output = element.node.outputs.first,
                !keep.contains(output), element.isIdentity(known, constants)
            else { return false }
            replacements[output] = input
            return true
        }
        graph.replaceUses(replacements)
    }
}

extension OperatorGraph.Element {
    /// Whether the output is the first input: for its operator, or for the sizes that are known.
    fileprivate func isIdentity(_ known: Inference, _ constants: [String: Tensor]) -> Bool {
        if operation is Identity { return true }
        guard let output = known.types[node.outputs[0]], known.types[node.inputs[0]] == output else { return false }
        switch operation {
        // Of a tensor without elements any number of copies is the tensor.
        case is Tile, is Expand: return true
        case let slice as Slice:
            return known.infos(of: node.inputs, constants: constants).map(slice.isIdentity) ?? false
        default: return false
        }
    }
}
