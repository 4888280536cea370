import ONNXLoader
import Testing

@testable import Runtime

/// Expected values from PyTorch 2 in binary64, with the same parameters (which ONNX has in binary32); Clip, Shrink, PRelu and ThresholdedRelu by hand.
@Suite struct ActivationTests {
    private static let x: Literal = [-3, -1, -0.5, 0, 0.5, 2]

    @Test(arguments: [
        Case(
            "Sigmoid", opset: 13, inputs: [x],
            outputs: [[0.0474258732, 0.268941421, 0.377540669, 0.5, 0.622459331, 0.880797078]]),
        Case("HardSigmoid", opset: 6, inputs: [x], outputs: [[0, 0.3, 0.4, 0.5, 0.6, 0.9]]),
        Case(
            "HardSigmoid", opset: 22, ["alpha": .float(0.5), "beta": .float(0.25)], inputs: [x],
            outputs: [[0, 0, 0, 0.25, 0.5, 1]]),
        Case(
            "HardSwish", opset: 14, inputs: [x], outputs: [[0, -0.333333333, -0.208333333, 0, 0.291666667, 1.66666667]]),
        Case(
            "Tanh", opset: 13, inputs: [x],
            outputs: [[-0.995054754, -0.761594156, -0.462117157, 0, 0.462117157, 0.96402758]]),
        Case(
            "Gelu", opset: 20, inputs: [x],
            outputs: [[-0.00404969409, -0.158655254, -0.154268769, 0, 0.345731231, 1.95449974]]),
        Case(
            "Gelu", opset: 20, ["approximate": .string(Array("tanh".utf8))], inputs: [x],
            outputs: [[-0.00363739208, -0.158808009, -0.15428599, 0, 0.34571401, 1.95459769]]),
        Case(
            "Swish", opset: 24, inputs: [x],
            outputs: [[-0.14227762, -0.268941421, -0.188770334, 0, 0.311229666, 1.76159416]]),
        Case(
            "Swish", opset: 24, ["alpha": .float(2)], inputs: [x],
            outputs: [[-0.00741786947, -0.119202922, -0.134470711, 0, 0.365529289, 1.96402758]]),
        Case(
            "Mish", opset: 18, inputs: [x],
            outputs: [[-0.145647461, -0.303401461, -0.220743775, 0, 0.375245211, 1.94395896]]),
        Case(
            "Elu", opset: 6, ["alpha": .float(1.5)], inputs: [x],
            outputs: [[-1.4253194, -0.948180838, -0.59020401, 0, 0.5, 2]]),
        Case(
            "Selu", opset: 6, inputs: [x],
            outputs: [[-1.67056873, -1.11133074, -0.691758188, 0, 0.525350494, 2.10140197]]),
        Case(
            "Celu", opset: 12, ["alpha": .float(2)], inputs: [x],
            outputs: [[-1.55373968, -0.786938681, -0.442398434, 0, 0.5, 2]]),
        Case("LeakyRelu", opset: 16, ["alpha": .float(0.1)], inputs: [x], outputs: [[-0.3, -0.1, -0.05, 0, 0.5, 2]]),
        Case(
            "Softplus", opset: 1, inputs: [x],
            outputs: [[0.0485873516, 0.313261688, 0.474076984, 0.693147181, 0.974076984, 2.12692801]]),
        Case("Softsign", opset: 1, inputs: [x], outputs: [[-0.75, -0.5, -0.333333333, 0, 0.333333333, 0.666666667]]),
    ])
    func activation(_ example: Case) throws {
        try example.check()
        try Case(
            example.name, opset: example.opset, example.attributes, inputs: [.double(Self.x)],
            outputs: [example.outputs[0]?.converted(to: .float64)], tolerance: 1e-7
        ).check()
        try Case(
            example.name, opset: example.opset, example.attributes, inputs: [.half(Self.x)],
            outputs: [example.outputs[0]?.converted(to: .float16)], tolerance: 1e-3
        ).check()
    }

    @Test(arguments: [
        Case(
            "Clip", opset: 6, ["min": .float(-1), "max": .float(1)], inputs: [x], outputs: [[-1, -1, -0.5, 0, 0.5, 1]]),
        Case("Clip", opset: 6, ["max": .float(0)], inputs: [x], outputs: [[-3, -1, -0.5, 0, 0, 0]]),
        Case("Clip", opset: 13, inputs: [x, -1, 1], outputs: [[-1, -1, -0.5, 0, 0.5, 1]]),
        Case("Clip", opset: 13, inputs: [x, nil, 0], outputs: [[-3, -1, -0.5, 0, 0, 0]]),
        Case("Clip", opset: 13, inputs: [x], outputs: [x]),
        Case("Clip", opset: 12, inputs: [.int8([-128, 0, 127]), .int8(-5), nil], outputs: [.int8([-5, 0, 127])]),
        Case("Clip", opset: 12, inputs: [.int64([-9, 9]), .int64(0), .int64(5)], outputs: [.int64([0, 5])]),
        Case("Clip", opset: 13, inputs: [[0, 5], 3, 1], outputs: [[1, 1]], note: "bounds that cross"),
        Case("Clip", opset: 13, inputs: [.flat([.nan, 5], [2]), 0, 1], outputs: [.flat([.nan, 1], [2])]),
        Case("Clip", opset: 13, inputs: [.half([-2, 2]), .half(0), .half(1)], outputs: [.half([0, 1])]),
        Case(
            "PRelu", opset: 16, inputs: [[[-1, 2], [-3, -4]], [[0.5], [0.25]]], outputs: [[[-0.5, 2], [-0.75, -1]]]),
        Case("PRelu", opset: 9, inputs: [.int32([-2, 3]), .int32([5, 5])], outputs: [.int32([-10, 3])]),
        Case("ThresholdedRelu", opset: 10, inputs: [x], outputs: [[0, 0, 0, 0, 0, 2]]),
        Case("ThresholdedRelu", opset: 22, ["alpha": .float(0.25)], inputs: [x], outputs: [[0, 0, 0, 0, 0.5, 2]]),
        Case("Shrink", opset: 9, ["lambd": .float(0.75)], inputs: [x], outputs: [[-3, -1, 0, 0, 0, 2]]),
        Case("Shrink", opset: 9, ["bias": .float(1)], inputs: [x], outputs: [[-2, 0, 0, 0, 0, 1]]),
        Case(
            "Shrink", opset: 9, ["lambd": .float(1.5), "bias": .float(1)], inputs: [.int32([-2, 1, 3])],
            outputs: [.int32([-1, 0, 2])]),
    ])
    func rectifier(_ example: Case) throws { try example.check() }

    @Test func boundsAreScalars() {
        let example = Case("Clip", opset: 13, inputs: [[1, 2], [0, 1]], outputs: [[1, 2]])
        #expect(throws: RuntimeError.self) { try example.check() }
    }

    @Test func slopeDoesNotWiden() {
        let example = Case("PRelu", opset: 16, inputs: [[1], [1, 2]], outputs: [[1, 2]])
        #expect(throws: RuntimeError.self) { try example.check() }
    }
}
