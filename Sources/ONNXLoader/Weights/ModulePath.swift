/// What a node says about the PyTorch module that it was exported from.
enum ModulePath {
    /// The parameter that an operator takes as its n-th input, as PyTorch's modules name it.
    static func parameter(of node: Node, at input: Int) -> String? {
        guard node.domain.isEmpty else { return nil }
        let names: [String]
        switch node.operatorName {
        case "Conv", "ConvTranspose", "Gemm", "LayerNormalization", "InstanceNormalization", "GroupNormalization":
            names = ["weight", "bias"]
        case "BatchNormalization": names = ["weight", "bias", "running_mean", "running_var"]
        case "PRelu": names = ["weight"]
        default: return nil
        }
        return (1...names.count).contains(input) ? names[input - 1] : nil
    }

    /// The path of the module, such as `layer1.0.conv1`; nil when the node does not tell.
    static func of(_ node: Node) -> String? {
        if let scopes = node.metadata["pkg.torch.onnx.name_scopes"] {
            // A Python list of the scopes, outermost first; the last is the operation in its module.
            let names = scopes.split(separator: "'", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            return names.count > 1 ? names[names.count - 2] : nil
        }
        guard node.name.hasPrefix("/") else { return nil }
        let parts = node.name.split(separator: "/")
        guard let operation = parts.last, operation.hasPrefix(node.operatorName) else { return nil }
        var path: [Substring] = []
        for part in parts.dropLast() {
            // A container's child repeats the container's name: `/layer1/layer1.0` is the module `layer1.0`.
            if let container = path.last, part.hasPrefix(container + ".") { path.removeLast() }
            path.append(part)
        }
        return path.joined(separator: ".")
    }

    /// Whether an exporter or an optimiser made the name up, mostly by numbering.
    static func isNumbered(_ name: String) -> Bool {
        name.hasPrefix("onnx::") || name.hasPrefix("val_") || name.hasPrefix("/") || name.allSatisfy(\.isNumber)
            || name.hasSuffix(".folded_weight") || name.hasSuffix(".folded_bias")
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: ".").map { String(path[..<$0]) } ?? ""
    }

    static func child(_ name: String, of path: String) -> String { path.isEmpty ? name : path + "." + name }
}

/// A BatchNormalization that an exporter merged into the node before it, as the node's metadata record it.
struct FoldRecord {
    /// The path of the BatchNorm module.
    let path: String
    /// nil when it cannot be read.
    let epsilon: Double?

    init?(_ node: Node) {
        guard let rules = node.metadata["pkg.onnxscript.rewriter.rule_name"], rules.contains("FuseBatchNorm"),
            let path = ModulePath.of(node)
        else { return nil }
        self.path = path
        epsilon = Self.epsilon(node.metadata["pkg.torch.onnx.fx_node"] ?? "")
    }

    /// Whether the node's exporter records what it merges, so that nothing was merged into the node if it does not say so.
    static func isKept(by node: Node) -> Bool { node.metadata["pkg.torch.onnx.name_scopes"] != nil }

    /// The epsilon among the arguments of PyTorch's operation.
    private static func epsilon(_ call: String) -> Double? {
        guard let start = call.firstRange(of: "(args = (")?.upperBound,
            let end = call[start...].firstIndex(of: ")")
        else { return nil }
        let arguments = call[start..<end].split(separator: ",").map { $0.drop(while: \.isWhitespace) }
        if call.contains("aten._native_batch_norm_legit_no_training.default"), arguments.count == 7 {
            return Double(arguments[6])
        }
        if call.contains("aten.batch_norm.default"), arguments.count == 9 { return Double(arguments[7]) }
        return nil
    }
}
