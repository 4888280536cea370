import ONNXLoader

extension Plan {
    /// Bytes up to which a value is computed at planning and kept, rather than computed in every run.
    private static let largestFoldedConstant = 64 << 20

    /// Compiles the part of a graph that the requested values need.
    static func compile(_ graph: OperatorGraph, key: Key, context: RunContext) throws -> Plan {
        var graph = graph
        for name in key.inputs.keys { graph.constants[name] = nil }
        try graph.expandGradientOperators(key.inputs, largestConstant: largestFoldedConstant, context: context)
        let outputs = try addGradients(to: &graph, key: key, context: context)
        graph.prune(keeping: outputs)
        let keep = Set(outputs)
        var inference = try Inference(
            folding: &graph, inputTypes: key.inputs, largestConstant: largestFoldedConstant, context: context)
        graph.prune(keeping: keep)
        for pass in Pass.portable + Pass.lowering {
            try pass.apply(&graph, inference, keep, context)
            graph.prune(keeping: keep)
            inference = try Inference(
                folding: &graph, inputTypes: key.inputs, largestConstant: largestFoldedConstant, context: context)
            graph.prune(keeping: keep)
        }
        var builder = PlanBuilder(
            graph, types: inference.types, inputs: key.inputs, untypedInputs: key.untypedInputs, outputs: outputs,
            context: context)
        return try builder.build()
    }

    /// Adds what the key wants to be differentiated.
    /// - Returns: the names of all values that the plan gives.
    private static func addGradients(
        to graph: inout OperatorGraph, key: Key, context: RunContext
    ) throws -> [String] {
        guard let request = key.gradient else { return key.outputs }
        graph.prune(keeping: key.outputs + [request.output] + request.targets)
        let inference = try Inference(
            folding: &graph, inputTypes: key.inputs, largestConstant: largestFoldedConstant, context: context)
        try graph.addGradients(request, types: inference.types)
        return key.outputs + request.targets.map(GradientRequest.name)
    }
}
