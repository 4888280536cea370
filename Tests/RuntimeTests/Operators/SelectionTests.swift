import ONNXLoader
import Testing

/// NonZero, Compress and Unique by numpy's `nonzero`, `compress` and `unique`.
@Test(arguments: [
    Case(
        "NonZero", opset: 9, inputs: [[[1, 0], [-0.0, 3]]], outputs: [.int64([[0, 1], [0, 1]])],
        note: "a zero with a sign"),
    Case("NonZero", opset: 13, inputs: [.bool([0, 1, 1])], outputs: [.int64([[1, 2]])]),
    Case("NonZero", opset: 13, inputs: [.half([[0, 0.5]])], outputs: [.int64([[0], [1]])]),
    Case("NonZero", opset: 13, inputs: [.int64([[0, 0]])], outputs: [.flat([], [2, 0], .int64)]),
    Case("NonZero", opset: 13, inputs: [.strings(["", "a"], [2])], outputs: [.int64([[1]])]),
    Case(
        "Compress", opset: 11, ["axis": .int(0)], inputs: [[[1, 2], [3, 4], [5, 6]], .bool([0, 1, 1])],
        outputs: [[[3, 4], [5, 6]]]),
    Case(
        "Compress", opset: 11, ["axis": .int(-1)], inputs: [[[1, 2], [3, 4], [5, 6]], .bool([0, 1])],
        outputs: [[[2], [4], [6]]]),
    Case(
        "Compress", opset: 11, inputs: [[[1, 2], [3, 4], [5, 6]], .bool([0, 1, 0, 0, 1])], outputs: [[2, 5]],
        note: "elements, short condition"),
    Case(
        "Compress", opset: 9, ["axis": .int(0)], inputs: [.strings(["a", "b"], [2]), .bool([1, 0])],
        outputs: [.strings(["a"], [1])]),
    Case(
        "Unique", opset: 11, inputs: [[2, 1, 1, 3, 4, 3]],
        outputs: [[1, 2, 3, 4], .int64([1, 0, 3, 4]), .int64([1, 0, 0, 2, 3, 2]), .int64([2, 1, 2, 1])]),
    Case(
        "Unique", opset: 11, ["sorted": .int(0)], inputs: [.int64([[2, 1, 1], [3, 4, 3]])],
        outputs: [.int64([2, 1, 3, 4]), .int64([0, 1, 3, 4]), .int64([0, 1, 1, 2, 3, 2]), .int64([1, 2, 2, 1])]),
    Case(
        "Unique", opset: 11, ["axis": .int(0)], inputs: [[[1, 0, 0], [1, 0, 0], [2, 3, 4]]],
        outputs: [[[1, 0, 0], [2, 3, 4]], .int64([0, 2]), .int64([0, 0, 1]), .int64([2, 1])]),
    Case(
        "Unique", opset: 11, ["axis": .int(1)], inputs: [.uint8([[2, 1, 2], [0, 1, 0]])],
        outputs: [.uint8([[1, 2], [1, 0]]), .int64([1, 0]), .int64([1, 0, 1]), .int64([1, 2])]),
    Case(
        "Unique", opset: 11, inputs: [.strings(["b", "é", "a", "b"], [4])],
        outputs: [.strings(["a", "b", "é"], [3]), .int64([2, 0, 1]), .int64([1, 2, 0, 1]), .int64([1, 2, 1])]),
    Case(
        "Unique", opset: 11, inputs: [.flat([.nan, 1, .nan], [3])], outputs: [.flat([1, .nan], [2])],
        note: "NaN last, once"),
])
func selection(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Compress", opset: 11, ["axis": .int(0)], inputs: [[[1, 2]], .bool([0, 1])], "selects index 1"),
    Failure("Compress", opset: 11, ["axis": .int(2)], inputs: [[[1, 2]], .bool([0, 1])], "outside"),
    Failure("Unique", opset: 11, ["axis": .int(2)], inputs: [[[1, 2]]], "outside"),
])
func selectionFailure(_ failure: Failure) { failure.check() }
