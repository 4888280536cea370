import ONNXLoader
import Testing

@testable import Runtime

/// Expected values from the `onnx` package's reference evaluator; gradients by differences.
@Suite struct LossTests {
    @Test(arguments: [
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, [:],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]),
            ], outputs: [-0.033333342522382736], note: ""),
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, [:],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]), [0.5, 1, 2, 0.25],
            ], outputs: [-0.08571428805589676], note: ""),
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, ["reduction": .text("sum")],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]), [0.5, 1, 2, 0.25],
            ], outputs: [-0.15000000596046448], note: ""),
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, ["reduction": .text("none")],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]),
            ], outputs: [[[0.6, -0.1], [-0.6, -0.9]]], note: ""),
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, ["ignore_index": .int(1)],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]), nil,
            ], outputs: [0.25], note: ""),
        Case(
            "NegativeLogLikelihoodLoss", opset: 13, ["ignore_index": .int(0)],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]), [0.5, 1, 2],
            ], outputs: [-0.42500001192092896], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, [:],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]),
            ], outputs: [1.1187760829925537], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, [:],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]), [0.5, 1, 2, 0.25],
            ], outputs: [1.0409396886825562], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, ["reduction": .text("sum")],
            inputs: [
                [[-0.2, 0.4, -1, -0.4], [-0.7, -0.8, -0.6, -0.3], [-0.2, 0.1, -0.2, 0.4]],
                .int64([1, 0, 3]), [0.5, 1, 2, 0.25],
            ], outputs: [1.8216445446014404], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, ["reduction": .text("none")],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]),
            ], outputs: [[[1.1733001, 1.4434202], [0.4949469, 0.6041306]]], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, ["ignore_index": .int(1)],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]), nil,
            ], outputs: [1.3083600997924805], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, ["ignore_index": .int(0)],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]), [0.5, 1, 2],
            ], outputs: [0.9964795112609863], note: ""),
        Case(
            "SoftmaxCrossEntropyLoss", opset: 13, [:],
            inputs: [
                [[[-0.6, 0.8], [-0.9, 0.3], [-0.2, 0.1]], [[-0.7, -0.6], [0.6, 0.9], [-0.4, 0.4]]],
                .int64([[0, 2], [1, 1]]),
            ],
            outputs: [
                0.9289494752883911,
                [
                    [[-1.1733001, -0.74342006], [-1.4733001, -1.24342], [-0.77330005, -1.4434202]],
                    [[-1.7949469, -2.1041307], [-0.4949469, -0.6041306], [-1.494947, -1.1041305]],
                ],
            ], note: ""),
    ])
    func loss(_ example: Case) throws {
        try example.check()
        try Case(
            example.name, opset: example.opset, example.attributes,
            inputs: example.inputs.map { $0?.converted(to: .float64) },
            outputs: example.outputs.map { $0?.converted(to: .float64) }
        ).check(gradient: false)
    }

    @Test(arguments: [
        Failure(
            "NegativeLogLikelihoodLoss", opset: 13, inputs: [[[1, 2]], .int64([2])], "class 2 is outside"),
        Failure(
            "NegativeLogLikelihoodLoss", opset: 13, inputs: [[[1, 2]], .int64([0, 1])], "do not fit"),
        Failure(
            "SoftmaxCrossEntropyLoss", opset: 13, inputs: [[[1, 2]], .int64([0]), [1]], "weights"),
        Failure(
            "SoftmaxCrossEntropyLoss", opset: 13, ["reduction": .text("most")],
            inputs: [[[1, 2]], .int64([0])],
            "reduction"),
    ])
    func refused(_ failure: Failure) { failure.check() }
}
