import ONNXLoader
import Runtime

/// A graph read backwards: which node makes a value.
struct GraphTrace {
    /// Operators that change nothing but the shape, or nothing at all, when a network is only run.
    static let reshaping: Set<String> = ["Flatten", "Squeeze", "Unsqueeze", "Reshape", "Identity", "Dropout"]

    private let graph: Graph
    private var producers: [String: Int] = [:]

    init(_ graph: Graph) {
        self.graph = graph
        for (index, node) in graph.nodes.enumerated() {
            for output in node.outputs where !output.isEmpty { producers[output] = index }
        }
    }

    func exists(_ value: String) -> Bool {
        producers[value] != nil || graph.initializers[value] != nil || graph.inputs.contains { $0.name == value }
    }

    func producer(of value: String) -> Node? {
        producers[value].map { graph.nodes[$0] }.flatMap { $0.domain.isEmpty ? $0 : nil }
    }

    /// The value that this one is another name of.
    func source(of value: String) -> String {
        var value = value
        // A graph with a cycle is no graph, but nothing here has checked that.
        for _ in graph.nodes {
            guard let node = producer(of: value), ["Identity", "Dropout"].contains(node.operatorName),
                node.outputs.first == value, let input = node.inputs.first
            else { break }
            value = input
        }
        return value
    }

    /// The logits that a probability is made from; the value itself when it is none.
    func logits(before value: String) -> String {
        var candidate = value
        for _ in 0..<16 {
            guard let node = producer(of: candidate), let input = node.inputs.first else { return value }
            if ["Sigmoid", "Softmax", "LogSoftmax"].contains(node.operatorName) { return input }
            guard Self.reshaping.contains(node.operatorName) else { return value }
            candidate = input
        }
        return value
    }

    /// What a node pools when it averages over height and width.
    func averagePooling(_ node: Node) -> (features: String, channelsLast: Bool)? {
        guard let features = node.inputs.first else { return nil }
        switch node.operatorName {
        case "GlobalAveragePool": return (features, false)
        case "ReduceMean":
            let axes = axes(of: node).map { Set($0.map { $0 < 0 ? $0 + 4 : $0 }) }
            if axes == [2, 3] { return (features, false) }
            return axes == [1, 2] ? (features, true) : nil
        default: return nil
        }
    }

    /// What the graph's last global average pooling pools.
    var lastPooling: (features: String, channelsLast: Bool)? {
        for node in graph.nodes.reversed() where node.domain.isEmpty {
            if let pooled = averagePooling(node) { return pooled }
        }
        return nil
    }

    /// A constant matrix or vector: an initializer or a Constant, perhaps converted or transposed.
    func constant(_ value: String) -> (shape: [Int], values: [Float])? {
        constant(value, depth: 0)
    }

    private func constant(_ value: String, depth: Int) -> (shape: [Int], values: [Float])? {
        if let initializer = graph.initializers[value] { return Self.numbers(initializer) }
        guard depth < 8, let node = producer(of: value) else { return nil }
        switch node.operatorName {
        case "Constant":
            guard case .tensor(let tensor) = node.attributes["value"] else { return nil }
            return Self.numbers(tensor)
        case "Cast", "Identity":
            return node.inputs.first.flatMap { constant($0, depth: depth + 1) }
        case "Transpose":
            guard let (shape, values) = node.inputs.first.flatMap({ constant($0, depth: depth + 1) }), shape.count == 2
            else { return nil }
            if case .ints(let order) = node.attributes["perm"], order == [0, 1] { return (shape, values) }
            let transposed = (0..<shape[1]).flatMap { column in
                (0..<shape[0]).map { row in values[row * shape[1] + column] }
            }
            return ([shape[1], shape[0]], transposed)
        default:
            return nil
        }
    }

    private static func numbers(_ constant: ConstantTensor) -> (shape: [Int], values: [Float])? {
        (try? Tensor(constant).floats(named: "")).map { (constant.shape, $0) }
    }

    /// The axes of a reduction: an attribute, or from opset 18 on a constant input.
    func axes(of node: Node) -> [Int]? {
        if case .ints(let axes) = node.attributes["axes"] { return axes.map(Int.init) }
        guard node.inputs.count > 1 else { return nil }
        var value = node.inputs[1]
        if let constant = graph.initializers[value] { return try? Tensor(constant).integers(named: value) }
        value = source(of: value)
        guard let node = producer(of: value), node.operatorName == "Constant" else { return nil }
        switch node.attributes["value"] ?? node.attributes["value_ints"] {
        case .tensor(let tensor): return try? Tensor(tensor).integers(named: value)
        case .ints(let axes): return axes.map(Int.init)
        default: return nil
        }
    }
}
