import ONNXLoader

extension Plan {
    /// Bytes up to which a value is computed at planning and kept, rather than computed in every run.
    private static let largestFoldedConstant = 64 << 20

    /// Compiles the part of a graph that the requested values need.
    static func compile(_ graph: OperatorGraph, key: Key, context: RunContext) throws -> Plan {
        var graph = graph
        for name in key.inputs.keys { graph.constants[name] = nil }
        graph.prune(keeping: key.outputs)
        let keep = Set(key.outputs)
        var inference = try Inference(
            folding: &graph, inputTypes: key.inputs, largestConstant: largestFoldedConstant, context: context)
        graph.prune(keeping: keep)
        for pass in Pass.portable + Pass.lowering {
            try pass.apply(&graph, inference, keep, context)
        }
        graph.prune(keeping: keep)
        inference = try Inference(
            folding: &graph, inputTypes: key.inputs, largestConstant: largestFoldedConstant, context: context)
        graph.prune(keeping: keep)
        var builder = PlanBuilder(
            graph, types: inference.types, inputs: key.inputs, outputs: key.outputs, context: context)
        return try builder.build()
    }
}
