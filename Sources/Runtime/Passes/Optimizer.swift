import ONNXLoader

/// Turns a model into an equivalent one that is smaller and faster, still in standard ONNX.
public enum Optimizer {
    public struct Report: Sendable {
        public var nodesBefore: Int
        public var nodesAfter: Int
        /// What each pass did: its name and the number of nodes that it removed.
        public var passes: [(name: String, removedNodes: Int)]
    }

    /// Bytes up to which a value that follows from constants is stored instead of the nodes that compute it.
    private static let largestFoldedConstant = 1 << 20

    /// Inlines the file's own functions, folds constants and shapes that are known, removes what no output needs, and
    /// applies the portable passes.
    ///
    /// - Parameter inputTypes: types of inputs whose declared sizes are symbolic, to fold more; the result is then for
    ///   these types only.
    /// - Throws: `RuntimeError` when the model would not run.
    public static func optimize(_ model: Model, inputTypes: [String: ValueType] = [:]) throws -> (Model, Report) {
        var graph = try OperatorGraph(model, believesDeclarations: true)
        let keep = Set(model.graph.outputs.map(\.name))
        let context = RunContext(pool: ThreadPool(threads: 1), budget: MemoryBudget(limit: nil))
        var types = inputTypes
        for input in model.graph.inputs where types[input.name] == nil {
            if let type = input.kind.fixedType { types[input.name] = type }
        }
        // An input with an initializer may be replaced in a run: it is no constant.
        let replaceable = Set(model.graph.inputs.map(\.name)).intersection(graph.constants.keys)
        let defaults = graph.constants.filter { replaceable.contains($0.key) && model.irVersion >= 4 }
        for name in defaults.keys { graph.constants[name] = nil }

        var report = Report(nodesBefore: model.graph.nodes.count, nodesAfter: 0, passes: [])
        func record(_ name: String, _ change: (inout OperatorGraph) throws -> Void) rethrows {
            let before = graph.elements.count
            try change(&graph)
            report.passes.append((name, before - graph.elements.count))
        }
        report.passes.append(("constants and functions", model.graph.nodes.count - graph.elements.count))
        record("dead code") { $0.prune(keeping: keep) }
        var known: Inference?
        try record("constant and shape folding") { graph in
            known = try Inference(
                folding: &graph, inputTypes: types, largestConstant: largestFoldedConstant, context: context)
        }
        if let known { try graph.checkElementTypes(known) }
        for pass in Pass.portable {
            try record(pass.name) { graph in
                if let known { try pass.apply(&graph, known, keep, context) }
            }
        }
        record("dead code") { $0.prune(keeping: keep) }
        report.nodesAfter = graph.elements.count

        var optimized = model
        optimized.functions = []
        optimized.opsets = graph.opsets
        optimized.graph.nodes = graph.elements.map(\.portableNode)
        graph.constants.merge(defaults) { first, _ in first }
        optimized.graph.initializers = try graph.constants.reduce(into: [:]) { result, entry in
            result[entry.key] = try model.graph.initializers[entry.key] ?? ConstantTensor(entry.value)
        }
        let remaining = Set(graph.elements.flatMap(\.outputs))
        optimized.graph.valueTypes = model.graph.valueTypes.filter { remaining.contains($0.key) }
        return (optimized, report)
    }
}

extension ValueDeclaration.Kind {
    /// The type, when every size is declared.
    var fixedType: ValueType? {
        guard case .tensor(let elementType, let shape?) = self else { return nil }
        var sizes: [Int] = []
        for dimension in shape {
            guard case .fixed(let size) = dimension, size >= 0 else { return nil }
            sizes.append(size)
        }
        return ValueType(elementType, sizes)
    }
}
