extension Pass {
    /// Reads past nodes that hand on their input unchanged.
    static let removeIdentities = Pass(name: "remove identities") { graph, _, keep, _ in
        var replacements: [String: String] = [:]
        graph.elements.removeAll { element in
            guard element.operation is Identity, let input = element.node.inputs.first, !input.isEmpty,
                let output = element.node.outputs.first, !keep.contains(output)
            else { return false }
            replacements[output] = input
            return true
        }
        graph.replaceUses(replacements)
    }
}
