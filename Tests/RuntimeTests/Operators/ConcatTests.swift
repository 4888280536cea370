import ONNXLoader
import Testing

/// By hand.
@Test(arguments: [
    Case(
        "Concat", opset: 13, ["axis": .int(0)], inputs: [[[1, 2]], [[3, 4], [5, 6]]],
        outputs: [[[1, 2], [3, 4], [5, 6]]]),
    Case(
        "Concat", opset: 13, ["axis": .int(-1)], inputs: [.int64([[1], [2]]), .int64([[3, 4], [5, 6]])],
        outputs: [.int64([[1, 3, 4], [2, 5, 6]])]),
    Case(
        "Concat", opset: 13, ["axis": .int(0)], inputs: [.bool([1]), .flat([], [0], .bool), .bool([0])],
        outputs: [.bool([1, 0])]),
    Case(
        "Concat", opset: 13, ["axis": .int(1)],
        inputs: [.strings(["a", "b"], [2, 1]), .strings(["c", "d"], [2, 1])],
        outputs: [.strings(["a", "c", "b", "d"], [2, 2])]),
    Case("Split", opset: 2, ["split": .ints([1, 2])], inputs: [[1, 2, 3]], outputs: [[1], [2, 3]]),
    Case("Split", opset: 11, ["axis": .int(1)], inputs: [[[1, 2], [3, 4]]], outputs: [[[1], [3]], [[2], [4]]]),
    Case(
        "Split", opset: 13, inputs: [.half([1, 2, 3]), .int64([3, 0])],
        outputs: [.half([1, 2, 3]), .flat([], [0], .float16)]),
    Case(
        "Split", opset: 18, ["num_outputs": .int(2)], inputs: [[1, 2, 3]], outputs: [[1, 2], [3]],
        note: "a smaller last part"),
    Case(
        "Split", opset: 18, ["num_outputs": .int(4)], inputs: [[1, 2]],
        outputs: [[1], [2], .flat([], [0]), .flat([], [0])]),
    Case(
        "Split", opset: 18, ["axis": .int(-2)], inputs: [.strings(["a", "b"], [2, 1]), .int64([1, 1])],
        outputs: [.strings(["a"], [1, 1]), .strings(["b"], [1, 1])]),
])
func joining(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Concat", opset: 13, ["axis": .int(0)], inputs: [[[1, 2]], [[3], [4]]], "cannot be joined"),
    Failure("Concat", opset: 13, ["axis": .int(0)], inputs: [[1], .int64([3])], "cannot be joined"),
    Failure("Concat", opset: 13, inputs: [[1], [2]], "axis is missing"),
    Failure("Split", opset: 13, inputs: [[1, 2, 3], .int64([1])], "do not make"),
    Failure("Split", opset: 13, inputs: [[1, 2, 3], .int64([4, -1])], "do not make"),
    Failure("Split", opset: 18, ["num_outputs": .int(2)], inputs: [[1, 2, 3]], "is not split"),
])
func joiningFailure(_ failure: Failure) { failure.check() }
