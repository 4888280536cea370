@testable import Runtime

extension Runtime.Operator {
    /// The first output of an operator that runs by itself.
    func execute(_ operands: [Tensor], _ type: ValueType, _ context: RunContext) throws -> Tensor {
        let bytes = try workspaceByteCount(
            inputs: operands.map { ValueInfo($0) }, outputs: [type], threads: context.pool.threads)
        var step = Step(
            name: "", operatorName: "", inputs: operands.map(Value.tensor),
            outputs: [.tensor(try context.budget.allocate(type))], arity: 1, context: context,
            workspace: try context.budget.allocate(byteCount: bytes))
        try run(&step)
        return try step.output(0)
    }
}
