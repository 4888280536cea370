import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Planes in binary32, both dimensions at once, against the dimensions one after another in binary64.
@Test(arguments: 0..<48 as Range<UInt64>)
func resizedPlanes(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let mode = ["linear", "cubic"].randomElement(using: &random) ?? "linear"
    let sampling = ResizeSampling.allCases.randomElement(using: &random) ?? .halfPixel
    let antialias = Int.random(in: 0...1, using: &random)
    let most = [9, 40, 170].randomElement(using: &random) ?? 9
    func size() -> Int { Int.random(in: 1...most, using: &random) }
    let shape = [Int.random(in: 1...2, using: &random), Int.random(in: 1...3, using: &random), size(), size()]
    let output = [shape[0], shape[1], size(), size()]
    let node = Node(
        operatorName: "Resize", inputs: ["x", "region", "", "sizes"], outputs: ["y"],
        attributes: [
            "mode": .string(Array(mode.utf8)), "antialias": .int(Int64(antialias)),
            "coordinate_transformation_mode": .string(Array(sampling.rawValue.utf8)), "extrapolation_value": .float(7),
            "exclude_outside": .int(Int64.random(in: 0...1, using: &random)),
        ])
    let input = try random.tensor(shape)
    // From before the plane's begin to its middle, and from its end backwards.
    let region = try Tensor([0, 0, -0.25, 1, 1, 1, 0.6, 0.2] as [Float], shape: [8])
    let sizes = try Tensor(output.map(Int64.init), shape: [4])
    func run(_ elementType: ElementType, threads: Int) throws -> Tensor {
        var reader = NodeReader(node, opset: 19)
        let context = RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil))
        var step = Step(
            name: "", operatorName: "Resize",
            inputs: [.tensor(try input.converted(to: elementType)), .tensor(region), nil, .tensor(sizes)],
            outputs: [.tensor(try context.budget.allocate(ValueType(elementType, output)))], arity: 1,
            context: context, workspace: nil)
        try Resize(&reader).run(&step)
        return try step.output(0)
    }
    let expected = try run(.float64, threads: 1)
    let result = try run(.float32, threads: 2)
    let description: Comment = "\(mode) \(sampling) antialias \(antialias), \(shape) to \(output)"
    #expect(difference(result, expected) <= 1e-5, description)
    #expect(try result.array(of: Float.self) == run(.float32, threads: 1).array(of: Float.self), description)
}
