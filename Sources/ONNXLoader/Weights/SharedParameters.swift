extension Graph {
    /// Gives parameters of their own to layers whose exporter merged equal ones, where `source` tells them apart.
    ///
    /// PyTorch's exporters store equal tensors once: the older one lets an Identity give the second its name, the newer
    /// one lets both layers take the first. After weights are replaced they need not be equal any more.
    mutating func separateSharedParameters(named source: [String: ConstantTensor]) {
        let outputNames = Set(outputs.map(\.name))
        var kept: [Node] = []
        for node in nodes {
            if node.operatorName == "Identity", node.domain.isEmpty, node.inputs.count == 1, node.outputs.count == 1,
                let tensor = initializers[node.inputs[0]], source[node.outputs[0]] != nil,
                !outputNames.contains(node.outputs[0])
            {
                initializers[node.outputs[0]] = tensor
            } else {
                kept.append(node)
            }
        }
        nodes = kept

        let uses = GraphUses(self)
        var separated: Set<String> = []
        for index in nodes.indices {
            let node = nodes[index]
            guard let path = ModulePath.of(node), !path.isEmpty, FoldRecord(node) == nil,
                node.operatorName == "BatchNormalization" || source[path + ".running_mean"] == nil
            else { continue }
            for (input, name) in node.inputs.enumerated() {
                guard let parameter = ModulePath.parameter(of: node, at: input), let tensor = initializers[name] else {
                    continue
                }
                let own = path + "." + parameter
                guard own != name, !uses.isOnly(GraphUses.Use(node: index, input: input), of: name),
                    let wanted = source[own], wanted.shape == tensor.shape,
                    separated.contains(own) || initializers[own] == nil && uses.uses[own] == nil
                else { continue }
                initializers[own] = tensor
                separated.insert(own)
                nodes[index].inputs[input] = own
            }
        }
    }

    /// Gives biases back to layers from which the exporter removed them for being zero, as their metadata record, where
    /// `source` has one.
    mutating func restoreRemovedBiases(named source: [String: ConstantTensor]) {
        for index in nodes.indices {
            let node = nodes[index]
            guard node.metadata["pkg.onnxscript.rewriter.rule_name"]?.contains("RemoveOptionalBias") == true,
                FoldRecord(node) == nil, node.inputs.count == 2 || node.inputs.count == 3 && node.inputs[2].isEmpty,
                node.inputs[1].hasSuffix(".weight"), let weight = initializers[node.inputs[1]],
                let layout = ChannelLayout(node, shape: weight.shape)
            else { continue }
            let name = ModulePath.parent(of: node.inputs[1]) + ".bias"
            guard source[name]?.shape == [layout.channels], initializers[name] == nil,
                let bytes = weight.elementType.byteCount(of: layout.channels),
                let zeroes = try? ConstantTensor(
                    elementType: weight.elementType, shape: [layout.channels],
                    payload: .bytes(ByteRegion(count: bytes) { _ in }))
            else { continue }
            initializers[name] = zeroes
            nodes[index].inputs = Array(node.inputs.prefix(2)) + [name]
        }
    }

    /// Removes the initializers that a node of `earlier` took and that nothing takes any more.
    mutating func removeInitializers(unusedSince earlier: Graph, except kept: Set<String>) {
        let before = GraphUses(earlier)
        let now = GraphUses(self)
        let unused = Set(
            initializers.keys.filter { name in
                before.uses[name] != nil && now.uses[name] == nil && !now.otherUses.contains(name)
                    && !kept.contains(name)
            })
        for name in unused { initializers[name] = nil }
        inputs.removeAll { unused.contains($0.name) }
    }
}
