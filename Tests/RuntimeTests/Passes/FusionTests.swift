import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// What is fused gives what its parts give when somebody asks for each of them, in every precision.
@Suite struct FusionTests {
    @Test(arguments: [ElementType.float32, .float64, .float16], ["HardSwish", "Relu", "Sigmoid", "Gelu"])
    func aFusedActivationIsApplied(_ type: ElementType, _ activation: String) throws {
        var random = SplitMix64(state: 3)
        func constant(_ shape: [Int]) throws -> Tensor {
            let values: [Double] = (0..<shape.reduce(1, *)).map { _ in Double.random(in: -1...1, using: &random) }
            return try Tensor(values, shape: shape).converted(to: type)
        }
        var graph = Graph()
        graph.nodes = [
            Node(operatorName: "Conv", inputs: ["x", "kernel", "bias"], outputs: ["convolved"]),
            Node(operatorName: "Add", inputs: ["convolved", "x"], outputs: ["sum"]),
            Node(operatorName: activation, inputs: ["sum"], outputs: ["active"]),
            Node(operatorName: "Flatten", inputs: ["active"], outputs: ["flat"]),
            Node(
                operatorName: "Gemm", inputs: ["flat", "matrix", "row"], outputs: ["dense"],
                attributes: ["transB": .int(1)]),
            Node(operatorName: activation, inputs: ["dense"], outputs: ["hidden"]),
            Node(operatorName: "MatMul", inputs: ["hidden", "last"], outputs: ["product"]),
            Node(operatorName: "Add", inputs: ["product", "offset"], outputs: ["shifted"]),
            Node(operatorName: activation, inputs: ["shifted"], outputs: ["y"]),
        ]
        graph.inputs = [
            ValueDeclaration(name: "x", kind: .tensor(type, shape: [1, 2, 4, 4].map { .fixed($0) }))
        ]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        for (name, shape) in [
            ("kernel", [2, 2, 1, 1]), ("bias", [2]), ("matrix", [5, 32]), ("row", [5]), ("last", [5, 3]),
            ("offset", [3]),
        ] {
            graph.initializers[name] = try ConstantTensor(constant(shape))
        }
        let session = try Session(Model(opsets: ["": 20], graph: graph))
        let input = ["x": try constant([1, 2, 4, 4])]
        let fused = try #require(try session.run(input)["y"])
        let parts = try session.run(input, outputs: graph.nodes.map { $0.outputs[0] })
        let tolerance = type == .float64 ? 1e-12 : type == .float32 ? 1e-6 : 2e-3
        #expect(difference(fused, try #require(parts["y"])) <= tolerance)
    }
}
