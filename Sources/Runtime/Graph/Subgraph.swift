import ONNXLoader
import Synchronization

/// A graph inside a node: planned for the types that it meets.
final class Subgraph: Sendable {
    private let graph: OperatorGraph
    let inputs: [ValueDeclaration]
    let outputs: [String]
    private let plans = Mutex(PlanCache())

    /// What the graph declares its outputs as.
    let outputTypes: [ValueDeclaration.Kind]

    init(_ graph: OperatorGraph, inputs: [ValueDeclaration], outputs: [ValueDeclaration]) {
        self.graph = graph
        self.inputs = inputs
        self.outputs = outputs.map(\.name)
        outputTypes = outputs.map(\.kind)
    }

    /// Runs the graph.
    ///
    /// - Parameters:
    ///   - arguments: values of the graph's inputs, in order.
    ///   - captured: values of the graphs around it, by name; those that the graph does not know are not looked at.
    /// - Returns: the values of `outputs`.
    func run(_ arguments: [Value], captured: [String: Value], context: RunContext) throws -> [Value] {
        guard arguments.count == inputs.count else {
            throw OperatorError("the graph takes \(inputs.count) inputs, not \(arguments.count)")
        }
        var values = captured.filter { graph.constants[$0.key] == nil }
        for (input, argument) in zip(inputs, arguments) { values[input.name] = argument }
        let key = Plan.Key(values, outputs: outputs)
        let known = plans.withLock { $0[key] }
        let plan = try known ?? Plan.compile(graph, key: key, context: context)
        if known == nil { plans.withLock { $0.insert(plan, for: key) } }
        let results = try plan.run(values, context: context)
        return try outputs.map { name in
            guard let value = results[name] else { throw RuntimeError.unknownValue(name) }
            return value
        }
    }
}

extension Plan.Key {
    init(_ inputs: [String: Value], outputs: [String]) {
        self.init(
            inputs: inputs.compactMapValues { $0.tensor.map(ValueType.init) }, outputs: outputs,
            untypedInputs: Set(inputs.filter { $0.value.tensor == nil }.keys))
    }
}
