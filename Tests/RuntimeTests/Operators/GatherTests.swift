import ONNXLoader
import Testing

/// By numpy's `take` and `take_along_axis`, and by hand.
@Test(arguments: [
    Case(
        "Gather", opset: 13, inputs: [[[1, 2], [3, 4], [5, 6]], .int64([[0, -1]])], outputs: [[[[1, 2], [5, 6]]]]),
    Case(
        "Gather", opset: 1, ["axis": .int(1)], inputs: [[[1, 2, 3], [4, 5, 6]], .int32([2, 0])],
        outputs: [[[3, 1], [6, 4]]]),
    Case("Gather", opset: 13, inputs: [.int64([4, 5, 6]), .int64(1)], outputs: [.int64(5)], note: "scalar index"),
    Case(
        "Gather", opset: 13, inputs: [.strings(["a", "b"], [2]), .int64([1, 1, 0])],
        outputs: [.strings(["b", "b", "a"], [3])]),
    Case(
        "Gather", opset: 13, inputs: [.bool([[1, 0]]), .flat([], [0], .int64)], outputs: [.flat([], [0, 2], .bool)]),
    Case(
        "GatherElements", opset: 13, ["axis": .int(1)], inputs: [[[1, 2], [3, 4]], .int64([[0, 0], [1, 0]])],
        outputs: [[[1, 1], [4, 3]]]),
    Case(
        "GatherElements", opset: 11,
        inputs: [.int32([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), .int32([[1, -1, 0], [2, 0, 0]])],
        outputs: [.int32([[4, 8, 3], [7, 2, 3]])]),
    Case(
        "GatherElements", opset: 13, ["axis": .int(0)], inputs: [[[1, 2], [3, 4]], .int64([[1], [0], [1]])],
        outputs: [[[3], [1], [3]]], note: "indices of another shape"),
    Case(
        "GatherND", opset: 12, inputs: [.int32([[0, 1], [2, 3]]), .int64([[0, 0], [1, -1]])], outputs: [.int32([0, 3])]),
    Case(
        "GatherND", opset: 12, inputs: [.int32([[0, 1], [2, 3]]), .int64([[1], [0]])],
        outputs: [.int32([[2, 3], [0, 1]])]),
    Case(
        "GatherND", opset: 12, ["batch_dims": .int(1)],
        inputs: [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]], .int64([[1], [0]])], outputs: [[[2, 3], [4, 5]]]),
    Case(
        "GatherND", opset: 11, inputs: [.strings(["a", "b"], [1, 2]), .int64([0, 1])], outputs: [.strings(["b"], [])],
        note: "one tuple"),
])
func gather(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Gather", opset: 13, inputs: [[1, 2], .int64([2])], "index 2 is outside a dimension of 2"),
    Failure("Gather", opset: 13, inputs: [[1, 2], .int64([-3])], "index -3 is outside"),
    Failure("Gather", opset: 13, inputs: [[1, 2], [1]], "not int32 or int64"),
    Failure("Gather", opset: 13, inputs: [.flat([], [0, 3]), .int64([0])], "index 0 is outside"),
    Failure("Gather", opset: 13, ["axis": .int(1)], inputs: [[1, 2], .int64([0])], "outside"),
    Failure("GatherElements", opset: 13, inputs: [[1, 2], .int64([2])], "index 2 is outside"),
    Failure("GatherElements", opset: 13, inputs: [[[1, 2]], .int64([[0, 0, 0]])], "do not fit"),
    Failure("GatherND", opset: 12, inputs: [[[1, 2]], .int64([[0, 2]])], "index 2 is outside"),
    Failure("GatherND", opset: 12, inputs: [[1, 2], .int64([[0, 2]])], "do not fit"),
    Failure("GatherND", opset: 12, ["batch_dims": .int(2)], inputs: [[[1, 2]], .int64([[0]])], "do not fit"),
])
func gatherFailure(_ failure: Failure) { failure.check() }

/// By hand.
@Test(arguments: [
    Case(
        "ScatterElements", opset: 11, ["axis": .int(1)],
        inputs: [[[1, 2, 3, 4, 5]], .int64([[1, -2]]), [[1.5, 2.5]]], outputs: [[[1, 1.5, 3, 2.5, 5]]]),
    Case(
        "ScatterElements", opset: 13,
        inputs: [.int64([[0, 0], [0, 0], [0, 0]]), .int64([[1, 0], [1, 2]]), .int64([[1, 2], [3, 4]])],
        outputs: [.int64([[0, 2], [3, 0], [0, 4]])], note: "the later of two wins"),
    Case(
        "ScatterElements", opset: 16, ["reduction": .text("add")], inputs: [[1, 2, 3], .int64([1, 1]), [10, 20]],
        outputs: [[1, 32, 3]]),
    Case(
        "ScatterElements", opset: 16, ["reduction": .text("mul")],
        inputs: [.uint8([1, 2, 3]), .int32([2, 2]), .uint8([10, 9])], outputs: [.uint8([1, 2, 14])], note: "wraps"),
    Case(
        "ScatterElements", opset: 18, ["reduction": .text("max")],
        inputs: [.half([1, 2]), .int64([0, 1]), .half([3, -1])], outputs: [.half([3, 2])]),
    Case(
        "ScatterElements", opset: 18, ["reduction": .text("min")],
        inputs: [.flat([1, 2], [2]), .int64([0, 1]), .flat([3, .nan], [2])], outputs: [.flat([1, .nan], [2])]),
    Case(
        "ScatterElements", opset: 18, inputs: [.strings(["a", "b"], [2]), .int64([1]), .strings(["c"], [1])],
        outputs: [.strings(["a", "c"], [2])]),
    Case("Scatter", opset: 9, inputs: [.bool([[0, 0]]), .int64([[0]]), .bool([[1]])], outputs: [.bool([[1, 0]])]),
    Case("ScatterND", opset: 11, inputs: [[1, 2, 3, 4], .int64([[3], [-4]]), [9, 8]], outputs: [[8, 2, 3, 9]]),
    Case(
        "ScatterND", opset: 16, ["reduction": .text("add")],
        inputs: [.int32([[1, 2], [3, 4]]), .int64([[1], [1]]), .int32([[10, 20], [30, 40]])],
        outputs: [.int32([[1, 2], [43, 64]])]),
    Case(
        "ScatterND", opset: 13, inputs: [[[1, 2], [3, 4]], .int64([[[0, 1]], [[1, 0]]]), [[5], [6]]],
        outputs: [[[1, 5], [6, 4]]]),
])
func scatter(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("ScatterElements", opset: 13, inputs: [[1, 2], .int64([2]), [0]], "index 2 is outside"),
    Failure("ScatterElements", opset: 13, inputs: [[1, 2], .int64([0]), [0, 1]], "do not fit"),
    Failure("ScatterElements", opset: 13, inputs: [[1, 2], .int64([0]), .int64([0])], "do not fit"),
    Failure("ScatterND", opset: 13, inputs: [[1, 2], .int64([[5]]), [0]], "index 5 is outside"),
    Failure("ScatterND", opset: 13, inputs: [[1, 2], .int64([[0, 0]]), [0]], "do not fit"),
    Failure("ScatterND", opset: 18, ["reduction": .text("mean")], inputs: [[1, 2], .int64([[0]]), [0]], "not one of"),
])
func scatterFailure(_ failure: Failure) { failure.check() }
