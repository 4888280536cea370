import ONNXLoader
import Testing

/// By hand.
@Test(arguments: [
    Case("Expand", opset: 8, inputs: [[[1], [2]], .int64([2, 3])], outputs: [[[1, 1, 1], [2, 2, 2]]]),
    Case(
        "Expand", opset: 13, inputs: [[[1, 2]], .int64([2, 2, 1])],
        outputs: [[[[1, 2], [1, 2]], [[1, 2], [1, 2]]]]),
    Case("Expand", opset: 13, inputs: [.bool(1), .int64([2])], outputs: [.bool([1, 1])], note: "scalar"),
    Case(
        "Expand", opset: 13, inputs: [.strings(["a", "b"], [2, 1]), .int64([1, 2])],
        outputs: [.strings(["a", "a", "b", "b"], [2, 2])]),
    Case("Expand", opset: 13, inputs: [[[1, 2]], .int64([0, 1])], outputs: [.flat([], [0, 2])], note: "empty"),
    Case("Tile", opset: 6, inputs: [[[1, 2], [3, 4]], .int64([1, 2])], outputs: [[[1, 2, 1, 2], [3, 4, 3, 4]]]),
    Case("Tile", opset: 13, inputs: [.half([[1, 2]]), .int64([2, 1])], outputs: [.half([[1, 2], [1, 2]])]),
    Case("Tile", opset: 13, inputs: [.uint8([1, 2]), .int64([0])], outputs: [.flat([], [0], .uint8)]),
    Case(
        "OneHot", opset: 11, inputs: [.int64([0, -1, 3]), .int64(3), .int32([5, 7])],
        outputs: [.int32([[7, 5, 5], [5, 5, 7], [5, 5, 5]])], note: "from the end, and outside"),
    Case(
        "OneHot", opset: 11, ["axis": .int(0)], inputs: [[[1, 0]], [2], .strings(["off", "on"], [2])],
        outputs: [.strings(["off", "on", "on", "off"], [2, 1, 2])], note: "first axis, float indices, strings"),
    Case(
        "OneHot", opset: 9, ["axis": .int(1)], inputs: [.uint8([[0, 1], [1, 1]]), .int64(2), .bool([0, 1])],
        outputs: [.bool([[[1, 0], [0, 1]], [[0, 0], [1, 1]]])]),
])
func expansion(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Expand", opset: 13, inputs: [[1, 2], .int64([3])], "broadcast"),
    Failure("Expand", opset: 13, inputs: [[1], .int64([-2])], "negative size"),
    Failure("Expand", opset: 13, inputs: [[1], .int64([9_000_000_000, 9_000_000_000])], "more elements"),
    Failure("Tile", opset: 13, inputs: [[1, 2], .int64([2, 2])], "repeats"),
    Failure("Tile", opset: 13, inputs: [[1, 2], .int64([-1])], "repeats"),
    Failure("Tile", opset: 13, inputs: [[1, 2], .int64([9_000_000_000_000_000_000])], "overflows"),
    Failure("OneHot", opset: 11, inputs: [.int64([0]), .int64(-3), [0, 1]], "depth"),
    Failure("OneHot", opset: 11, inputs: [.int64([0]), .flat([.nan], []), [0, 1]], "depth"),
    Failure("OneHot", opset: 11, inputs: [.int64([0]), .int64(3), [0, 1, 2]], "off and an on"),
])
func expansionFailure(_ failure: Failure) { failure.check() }
