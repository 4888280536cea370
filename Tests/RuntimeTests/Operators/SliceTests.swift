import ONNXLoader
import Testing

private let largest: Literal = .int64([9_223_372_036_854_775_807])
private let smallest: Literal = .int64([-9_223_372_036_854_775_808])

/// By numpy's slices.
@Test(arguments: [
    Case(
        "Slice", opset: 9, ["starts": .ints([1]), "ends": .ints([100]), "axes": .ints([1])],
        inputs: [[[1, 2, 3], [4, 5, 6]]], outputs: [[[2, 3], [5, 6]]]),
    Case(
        "Slice", opset: 1, ["starts": .ints([0, -2]), "ends": .ints([1, -1])], inputs: [[[1, 2, 3], [4, 5, 6]]],
        outputs: [[[2]]]),
    Case("Slice", opset: 13, inputs: [[1, 2, 3, 4, 5], .int64([1]), .int64([4])], outputs: [[2, 3, 4]]),
    Case(
        "Slice", opset: 13, inputs: [[1, 2, 3, 4, 5], .int64([0]), largest, .int64([0]), .int64([2])],
        outputs: [[1, 3, 5]]),
    Case(
        "Slice", opset: 13, inputs: [.int64([1, 2, 3, 4, 5]), .int64([-1]), smallest, .int64([-1]), .int64([-2])],
        outputs: [.int64([5, 3, 1])]),
    Case(
        "Slice", opset: 13, inputs: [[1, 2, 3], largest, smallest, .int64([0]), .int64([-1])], outputs: [[3, 2, 1]],
        note: "backwards"),
    Case(
        "Slice", opset: 13, inputs: [[1, 2, 3], .int64([2]), smallest, .int64([0]), smallest], outputs: [[3]],
        note: "a step beyond every size"),
    Case("Slice", opset: 13, inputs: [[1, 2, 3], .int64([1]), largest, .int64([0]), largest], outputs: [[2]]),
    Case(
        "Slice", opset: 13, inputs: [[1, 2, 3], .int64([2]), .int64([1])], outputs: [.flat([], [0])], note: "nothing"),
    Case(
        "Slice", opset: 13, inputs: [.flat([], [0, 2]), .int64([0]), .int64([5]), .int64([0]), .int64([-1])],
        outputs: [.flat([], [0, 2])]),
    Case(
        "Slice", opset: 13,
        inputs: [
            .bool([[1, 0], [0, 1]]), .typed(.int32, [1, 1]), .typed(.int32, [-3, -3]), .typed(.int32, [1, 0]),
            .typed(.int32, [-1, -1]),
        ], outputs: [.bool([[1, 0], [0, 1]])]),
    Case(
        "Slice", opset: 13, inputs: [.strings(["a", "b", "c"], [3]), .int64([0]), .int64([3]), nil, .int64([2])],
        outputs: [.strings(["a", "c"], [2])]),
    Case(
        "ReverseSequence", opset: 10,
        inputs: [[[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]], .int64([4, 0, 2])],
        outputs: [[[3, 4, 9], [2, 5, 8], [1, 6, 10], [0, 7, 11]]]),
    Case(
        "ReverseSequence", opset: 10, ["time_axis": .int(1), "batch_axis": .int(0)],
        inputs: [.int64([[[0, 1], [2, 3]], [[4, 5], [6, 7]]]), .int64([2, 1])],
        outputs: [.int64([[[2, 3], [0, 1]], [[4, 5], [6, 7]]])]),
])
func slice(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Slice", opset: 13, inputs: [[1, 2], .int64([0]), .int64([1]), .int64([0]), .int64([0])], "step of 0"),
    Failure("Slice", opset: 13, inputs: [[1, 2], .int64([0]), .int64([1]), .int64([1])], "outside"),
    Failure(
        "Slice", opset: 13, inputs: [[[1, 2]], .int64([0, 0]), .int64([1, 1]), .int64([0, -2])], "named twice"),
    Failure("Slice", opset: 13, inputs: [[1, 2], .int64([0]), .int64([1, 2])], "differ in length"),
    Failure("ReverseSequence", opset: 10, inputs: [[[1, 2]], .int64([2, 0])], "not inside"),
    Failure("ReverseSequence", opset: 10, inputs: [[[1, 2]], .int64([1])], "do not fit"),
])
func sliceFailure(_ failure: Failure) { failure.check() }
