import ONNXLoader
import Testing

@testable import Runtime

/// Operators of two inputs before opset 7: values by hand, under the definitions of opsets 1 to 6.
@Suite struct LegacyBroadcastTests {
    @Test(arguments: [
        Case(
            "Add", opset: 6, ["broadcast": .int(1), "axis": .int(0)], inputs: [[[1, 2, 3], [4, 5, 6]], [10, 20]],
            outputs: [[[11, 12, 13], [24, 25, 26]]], note: "rows"),
        Case(
            "Sub", opset: 6, ["broadcast": .int(1), "axis": .int(1)], inputs: [[[[1, 2], [3, 4]]], [1, 2]],
            outputs: [[[[0, 1], [1, 2]]]], note: "channels"),
        Case(
            "Mul", opset: 6, ["broadcast": .int(1)], inputs: [[[1, 2], [3, 4]], [10, 100]],
            outputs: [[[10, 200], [30, 400]]], note: "the last dimensions"),
        Case("Div", opset: 1, ["consumed_inputs": .ints([0, 0])], inputs: [[4, 9], [2, 3]], outputs: [[2, 3]]),
        Case(
            "Pow", opset: 1, ["broadcast": .int(1), "axis": .int(0)], inputs: [[[2, 3], [2, 3]], [1, 2]],
            outputs: [[[2, 3], [4, 9]]]),
        Case(
            "Greater", opset: 1, ["broadcast": .int(1), "axis": .int(-2)], inputs: [[[1, 2], [3, 4]], [1.5, 3.5]],
            outputs: [.bool([[0, 1], [0, 1]])]),
        Case(
            "PRelu", opset: 6, inputs: [[[[-1, 1], [-1, 1]]], [0.5, 0.25]], outputs: [[[[-0.5, 1], [-0.25, 1]]]]),
        Case(
            "Gemm", opset: 6, ["broadcast": .int(1)], inputs: [[[1, 2]], [[1, 0], [0, 1]], [10, 20]],
            outputs: [[[11, 22]]]),
    ])
    func broadcasts(_ example: Case) throws { try example.check() }

    @Test func whatDoesNotFitIsRefused() {
        #expect(throws: OperatorError.self) {
            var reader = NodeReader(
                Node(operatorName: "Add", attributes: ["broadcast": .int(1), "axis": .int(2)]), opset: 6)
            let legacy = try LegacyBroadcast(&reader)
            _ = try legacy?.aligned([2, 2], to: [3, 2, 2])
        }
    }
}
