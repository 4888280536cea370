import ONNXLoader
import Testing

@testable import Runtime

/// What RNN, LSTM and GRU refuse, and sequences with the batch first, by exchanging axes.
@Suite struct RecurrentTests {
    private static let sequence: Literal = [[[1, 2]], [[3, 4]]]
    private static let weights: Literal = [[[0.1, 0.2]]]
    private static let recurrent: Literal = [[[0.5]]]

    @Test(arguments: [
        Failure("RNN", opset: 14, inputs: [sequence, [[[0.1]]], recurrent], "input 1"),
        Failure("RNN", opset: 14, inputs: [[1, 2], weights, recurrent], "three dimensions"),
        Failure("RNN", opset: 14, ["hidden_size": .int(2)], inputs: [sequence, weights, recurrent], "hidden_size"),
        Failure(
            "RNN", opset: 14, ["activations": .strings([Array("Step".utf8)])], inputs: [sequence, weights, recurrent],
            "“Step”"),
        Failure(
            "RNN", opset: 14, ["direction": .text("bidirectional"), "activations": .strings([Array("Tanh".utf8)])],
            inputs: [sequence, weights, recurrent], "1 activations"),
        Failure("RNN", opset: 14, inputs: [sequence, weights, recurrent, nil, .int32([3])], "do not fit 2 positions"),
        Failure("RNN", opset: 14, inputs: [sequence, weights, recurrent, nil, nil, [[1]]], "input 5"),
        Failure("LSTM", opset: 14, inputs: [sequence, weights, recurrent], "input 1"),
        Failure("GRU", opset: 14, ["direction": .text("up")], inputs: [sequence, weights, recurrent], "direction"),
    ])
    func refused(_ failure: Failure) { failure.check() }

    private static let activated: [String: Attribute] = ["activations": .strings([Array("Affine".utf8)])]

    /// Expected values by hand: h = 0.1 · x₀ + 0.2 · x₁ + 0.5 · h.
    @Test(arguments: [
        Case(
            "RNN", opset: 14, activated, inputs: [sequence, weights, recurrent],
            outputs: [[[[[0.5]]], [[[1.35]]]], [[[1.35]]]]
        ),
        Case(
            "RNN", opset: 14, activated.merging(["layout": .int(1)]) { $1 },
            inputs: [[[[1, 2], [3, 4]]], weights, recurrent], outputs: [[[[[0.5]], [[1.35]]]], [[[1.35]]]]),
        Case(
            "RNN", opset: 14, activated.merging(["direction": .text("reverse")]) { $1 },
            inputs: [sequence, weights, recurrent, nil, .int32([1]), [[[2]]]],
            outputs: [[[[[1.5]]], [[[0]]]], [[[1.5]]]]),
        Case(
            "RNN", opset: 14, activated, inputs: [.flat([], [0, 1, 2]), weights, recurrent, nil, nil, [[[2]]]],
            outputs: [.flat([], [0, 1, 1, 1]), [[[2]]]]),
    ])
    func linear(_ example: Case) throws { try example.check() }
}
