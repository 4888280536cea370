import ONNXLoader
import Testing

/// By hand.
@Test(arguments: [
    Case(
        "Reshape", opset: 14, inputs: [[[1, 2, 3], [4, 5, 6]], .int64([3, 2])], outputs: [[[1, 2], [3, 4], [5, 6]]]),
    Case(
        "Reshape", opset: 14, inputs: [[[1, 2, 3], [4, 5, 6]], .int64([0, -1, 1])],
        outputs: [[[[1], [2], [3]], [[4], [5], [6]]]]),
    Case(
        "Reshape", opset: 14, ["allowzero": .int(1)], inputs: [.flat([], [0, 3]), .int64([3, 0])],
        outputs: [.flat([], [3, 0])]),
    Case(
        "Reshape", opset: 14, inputs: [.strings(["a", "b"], [2, 1]), .int64([2])], outputs: [.strings(["a", "b"], [2])]),
    Case(
        "Flatten", opset: 9, inputs: [.flat([1, 2, 3, 4, 5, 6], [1, 2, 3])],
        outputs: [.flat([1, 2, 3, 4, 5, 6], [1, 6])]),
    Case("Flatten", opset: 13, ["axis": .int(0)], inputs: [.bool([[1, 0]])], outputs: [.bool([[1, 0]])]),
    Case(
        "Flatten", opset: 13, ["axis": .int(-1)], inputs: [.flat([1, 2, 3, 4, 5, 6], [1, 2, 3])],
        outputs: [[[1, 2, 3], [4, 5, 6]]]),
    Case(
        "Flatten", opset: 13, ["axis": .int(2)], inputs: [[[1, 2]]], outputs: [[[1], [2]]],
        note: "after the last dimension"),
    Case("Squeeze", opset: 11, inputs: [.flat([1, 2], [1, 2, 1])], outputs: [[1, 2]], note: "all"),
    Case("Squeeze", opset: 11, ["axes": .ints([-1])], inputs: [.flat([1, 2], [1, 2, 1])], outputs: [[[1, 2]]]),
    Case("Squeeze", opset: 13, inputs: [.flat([1, 2], [1, 2, 1]), .int64([0])], outputs: [[[1], [2]]]),
    Case("Unsqueeze", opset: 11, ["axes": .ints([0, 2])], inputs: [[1, 2]], outputs: [.flat([1, 2], [1, 2, 1])]),
    Case("Unsqueeze", opset: 13, inputs: [[1, 2], .int64([-1, 0])], outputs: [.flat([1, 2], [1, 2, 1])]),
    Case("Unsqueeze", opset: 13, inputs: [.typed(.uint8, 7), .int64([0])], outputs: [.uint8([7])]),
    Case("Identity", opset: 16, inputs: [.int64([[1], [2]])], outputs: [.int64([[1], [2]])]),
])
func reshaping(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Reshape", opset: 14, inputs: [[1, 2, 3], .int64([2, -1])], "cannot be reshaped"),
    Failure("Reshape", opset: 14, inputs: [[1, 2], .int64([-1, -1])], "negative size"),
    Failure("Reshape", opset: 14, inputs: [[1, 2], .int64([4_611_686_018_427_387_904, 4])], "more elements"),
    Failure("Squeeze", opset: 13, inputs: [[1, 2], .int64([0])], "is not 1"),
    Failure("Unsqueeze", opset: 13, inputs: [[1, 2], .int64([0, 0])], "named twice"),
    Failure("Unsqueeze", opset: 13, inputs: [[1, 2], .int64([5])], "outside"),
    Failure("Flatten", opset: 13, ["axis": .int(3)], inputs: [[1, 2]], "outside"),
    Failure("Flatten", opset: 13, ["axes": .int(3)], inputs: [[1, 2]], "unknown attributes"),
])
func reshapingFailure(_ failure: Failure) { failure.check() }

/// By hand.
@Test(arguments: [
    Case("Shape", opset: 13, inputs: [.flat([], [2, 0, 3])], outputs: [.int64([2, 0, 3])]),
    Case("Shape", opset: 15, ["start": .int(-2)], inputs: [.flat([], [2, 0, 3])], outputs: [.int64([0, 3])]),
    Case(
        "Shape", opset: 15, ["start": .int(1), "end": .int(-1)], inputs: [.flat([], [2, 0, 3])], outputs: [.int64([0])]),
    Case(
        "Shape", opset: 15, ["start": .int(2), "end": .int(1)], inputs: [.flat([], [2, 0, 3])],
        outputs: [.flat([], [0], .int64)]),
    Case("Shape", opset: 15, ["start": .int(-9), "end": .int(9)], inputs: [[1, 2]], outputs: [.int64([2])]),
    Case("Shape", opset: 15, inputs: [5], outputs: [.flat([], [0], .int64)], note: "scalar"),
    Case("Size", opset: 13, inputs: [[[1, 2, 3], [4, 5, 6]]], outputs: [.int64(6)]),
    Case("Size", opset: 13, inputs: [.strings(["a"], [1])], outputs: [.int64(1)]),
])
func shapeQuery(_ example: Case) throws { try example.check() }
