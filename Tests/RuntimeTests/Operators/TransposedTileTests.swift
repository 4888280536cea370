import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Transposed convolutions whose windows lie side by side, planned with constant weights, against the definition in
/// binary64.
@Test(arguments: 0..<16 as Range<UInt64>)
func transposedTiles(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let rank = Int.random(in: 1...3, using: &random)
    func sizes(_ range: ClosedRange<Int>) -> [Int] { (0..<rank).map { _ in Int.random(in: range, using: &random) } }
    let groups = Int.random(in: 1...3, using: &random)
    let (inputs, outputs) = (Int.random(in: 1...20, using: &random), Int.random(in: 1...9, using: &random))
    let kernel = seed % 2 == 0 ? Array(repeating: 2, count: rank) : sizes(1...4)
    let spatial = sizes(1...(rank == 1 ? 600 : rank == 2 ? 30 : 8))
    let node = Node(
        operatorName: "ConvTranspose", inputs: ["x", "w", "b"], outputs: ["y"],
        attributes: ["group": .int(Int64(groups)), "strides": .ints(kernel.map(Int64.init))])
    let operands = [
        try random.tensor([Int.random(in: 1...2, using: &random), groups * inputs] + spatial),
        try random.tensor([groups * inputs, outputs] + kernel), try random.tensor([groups * outputs]),
    ]
    func run(_ elementType: ElementType, threads: Int, isPlanned: Bool) throws -> Tensor {
        var reader = NodeReader(node, opset: 11)
        var operation: any Runtime.Operator = try TransposedConvolution(&reader)
        let operands = try operands.map { try $0.converted(to: elementType) }
        let infos: [ValueInfo?] = operands.map { ValueInfo($0) }
        let context = RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil))
        let types = try operation.types(of: infos, arity: 1)
        if isPlanned {
            operation = try operation.specialized(for: infos, outputs: types, context: context)
            #expect(operation is PlannedTransposedConvolution)
        }
        let bytes = try operation.workspaceByteCount(inputs: infos, outputs: types, threads: threads)
        var step = Step(
            name: "", operatorName: "ConvTranspose", inputs: operands.map(Value.tensor),
            outputs: [.tensor(try context.budget.allocate(types[0]))], arity: 1, context: context,
            workspace: try context.budget.allocate(byteCount: bytes))
        try operation.run(&step)
        return try step.output(0)
    }
    let expected = try run(.float64, threads: 1, isPlanned: false)
    let result = try run(.float32, threads: 2, isPlanned: true)
    #expect(difference(result, expected) <= 1e-5, "kernel \(kernel), input \(operands[0].shape)")
    #expect(
        try result.array(of: Float.self) == run(.float32, threads: 1, isPlanned: true).array(of: Float.self),
        "threads change the result")
}
