import ONNXLoader

/// The operators of the runtime, by domain and name.
enum Registry {
    struct Entry: Sendable {
        /// The first opset whose definition is understood.
        let since: Int
        let type: any Operator.Type
    }

    /// The newest opset of the default domain whose definitions are known.
    static let newestOpset = 26

    /// - Throws: `OperatorError` that says what is unknown: the operator, its opset, an attribute.
    ///
    /// - Parameters:
    ///   - subgraphs: the node's graphs, by the attribute's name.
    ///   - captured: what they capture.
    static func makeOperator(
        _ node: Node, opsets: [String: Int], subgraphs: [String: Subgraph] = [:], captured: [String] = []
    ) throws -> any Operator {
        guard let entry = operators[node.domain]?[node.operatorName] else {
            throw OperatorError("the operator is not known")
        }
        let opset = opsets[node.domain] ?? 1
        guard opset >= entry.since else {
            throw OperatorError("opset \(opset) is older than the oldest supported one, \(entry.since)")
        }
        var reader = NodeReader(node, opset: opset, subgraphs: subgraphs, captured: captured)
        let made = try entry.type.init(&reader)
        try reader.finish()
        return made
    }

    static let operators: [String: [String: Entry]] = [
        "": standard,
        "ai.onnx.ml": machineLearning,
        "ai.onnx.preview": preview,
        "ai.onnx.preview.training": training,
        "com.microsoft": microsoft.merging(quantized) { $1 },
    ]
}

extension Registry.Entry {
    /// Attributes only: the definition since an opset is what the operator's initialiser reads.
    init(_ type: any Operator.Type, since: Int = 1) {
        self.init(since: since, type: type)
    }
}
