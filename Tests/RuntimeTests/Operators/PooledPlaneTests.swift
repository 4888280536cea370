import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Pooled planes in binary32 against the definition in binary64, on random sizes, strides, dilations and paddings.
@Test(arguments: ["MaxPool", "AveragePool"], 0..<40 as Range<UInt64>)
func pooledPlanes(_ operatorName: String, seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let rank = Int.random(in: 1...3, using: &random)
    func sizes(_ range: ClosedRange<Int>) -> [Int] { (0..<rank).map { _ in Int.random(in: range, using: &random) } }
    func ints(_ values: [Int]) -> Attribute { .ints(values.map(Int64.init)) }
    let kernel = sizes(1...(rank == 3 ? 3 : 7))
    let (strides, dilations) = (sizes(1...4), sizes(1...3))
    let pads = sizes(0...2) + sizes(0...2)
    // Rows of several vectors, of more than are computed at a time, and of windows that are wider than that.
    let extra = [3, 50, rank == 1 ? 6000 : 90].randomElement(using: &random) ?? 3
    let spatial = (0..<rank).map { axis in
        (kernel[axis] - 1) * dilations[axis] + 1 + Int.random(in: 0...(axis == rank - 1 ? extra : 6), using: &random)
    }
    let isWide = rank == 1 && spatial[0] > 5000
    let node = Node(
        operatorName: operatorName, inputs: ["x"], outputs: ["y"],
        attributes: [
            "kernel_shape": ints(isWide ? [4500] : kernel), "strides": ints(strides),
            "dilations": ints(isWide ? [1] : dilations), "pads": ints(pads), "ceil_mode": .int(Int64(seed % 2)),
        ].merging(operatorName == "AveragePool" ? ["count_include_pad": .int(Int64(seed / 2 % 2))] : [:]) { $1 })
    let shape = [2, 3] + spatial
    var elements = try random.tensor(shape).array(of: Float.self)
    if seed % 5 == 0 { elements[elements.count / 2] = .nan }
    let input = try Tensor(elements, shape: shape)
    func run(_ elementType: ElementType, threads: Int) throws -> Tensor {
        var reader = NodeReader(node, opset: 19)
        let operation: any Runtime.Operator =
            operatorName == "MaxPool" ? try MaxPool(&reader) : try AveragePool(&reader)
        let operand = try input.converted(to: elementType)
        let context = RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil))
        let type = try operation.types(of: [ValueInfo(operand)], arity: 1)[0]
        var step = Step(
            name: "", operatorName: operatorName, inputs: [.tensor(operand)],
            outputs: [.tensor(try context.budget.allocate(type))], arity: 1, context: context)
        try operation.run(&step)
        return try step.output(0)
    }
    let description: Comment = "\(node.attributes), input \(shape)"
    #expect(try difference(run(.float32, threads: 2), run(.float64, threads: 1)) <= 1e-5, description)
}
