import ONNXLoader
import Testing

/// By `numpy.pad`; what a negative padding removes is cut off first.
@Test(arguments: [
    Case(
        "Pad", opset: 2, ["pads": .ints([0, 1, 1, 0]), "value": .float(9)], inputs: [[[1, 2]]],
        outputs: [[[9, 1, 2], [9, 9, 9]]]),
    Case(
        "Pad", opset: 13, inputs: [[[1, 2], [3, 4]], .int64([0, 2, 0, 1])],
        outputs: [[[0, 0, 1, 2, 0], [0, 0, 3, 4, 0]]]),
    Case("Pad", opset: 13, inputs: [.int64([1, 2]), .int64([1, 1]), .int64(-7)], outputs: [.int64([-7, 1, 2, -7])]),
    Case("Pad", opset: 13, inputs: [[1, 2, 3, 4], .int64([-1, 1]), 5], outputs: [[2, 3, 4, 5]], note: "negative"),
    Case(
        "Pad", opset: 13, inputs: [[1, 2, 3], .int64([2, -4])], outputs: [[0]], note: "nothing of the input is left"),
    Case("Pad", opset: 13, inputs: [.bool([1]), .int64([1, 0])], outputs: [.bool([0, 1])]),
    Case(
        "Pad", opset: 13, inputs: [.strings(["a"], [1]), .int64([1, 1]), .strings(["z"], [])],
        outputs: [.strings(["z", "a", "z"], [3])]),
    Case("Pad", opset: 13, inputs: [.strings(["a"], [1]), .int64([0, 1])], outputs: [.strings(["a", ""], [2])]),
    Case(
        "Pad", opset: 18, inputs: [[[1, 2]], .int64([1, 0]), 3, .int64([-1])], outputs: [[[3, 1, 2]]], note: "axes"),
    Case(
        "Pad", opset: 13, inputs: [.flat([], [2, 0]), .int64([0, 1, 0, 2]), 4], outputs: [[[4, 4, 4], [4, 4, 4]]],
        note: "an empty input"),
    Case(
        "Pad", opset: 13, ["mode": .text("reflect")], inputs: [[[1, 2, 3], [4, 5, 6]], .int64([1, 2, 0, 1])],
        outputs: [[[6, 5, 4, 5, 6, 5], [3, 2, 1, 2, 3, 2], [6, 5, 4, 5, 6, 5]]]),
    Case(
        "Pad", opset: 13, ["mode": .text("reflect")], inputs: [[1, 2, 3], .int64([5, 4])],
        outputs: [[2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3]], note: "several times"),
    Case("Pad", opset: 13, ["mode": .text("reflect")], inputs: [[1], .int64([1, 2])], outputs: [[1, 1, 1, 1]]),
    Case(
        "Pad", opset: 13, ["mode": .text("edge")], inputs: [[[1, 2], [3, 4]], .int64([1, 0, 0, 2])],
        outputs: [[[1, 2, 2, 2], [1, 2, 2, 2], [3, 4, 4, 4]]]),
    Case(
        "Pad", opset: 19, ["mode": .text("wrap")], inputs: [[1, 2, 3], .int64([4, 2])],
        outputs: [[3, 1, 2, 3, 1, 2, 3, 1, 2]]),
    Case(
        "Pad", opset: 19, ["mode": .text("edge")], inputs: [.half([1, 2, 3, 4]), .int64([1, -2])],
        outputs: [.half([1, 1, 2])]),
    Case(
        "CenterCropPad", opset: 18, inputs: [[[1, 2, 3, 4], [5, 6, 7, 8]], .int64([3, 3])],
        outputs: [[[1, 2, 3], [5, 6, 7], [0, 0, 0]]]),
    Case(
        "CenterCropPad", opset: 18, ["axes": .ints([-1])], inputs: [.int64([[1, 2, 3, 4, 5]]), .int64([2])],
        outputs: [.int64([[2, 3]])]),
])
func padding(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Pad", opset: 13, inputs: [[1, 2], .int64([-1, -2])], "cannot be padded"),
    Failure("Pad", opset: 13, inputs: [[1, 2], .int64([9_223_372_036_854_775_807, 1])], "overflows"),
    Failure("Pad", opset: 13, inputs: [[1, 2], .int64([1])], "paddings were given"),
    Failure("Pad", opset: 13, inputs: [[1, 2], .int64([1, 1]), .int64(1)], "constant"),
    Failure("Pad", opset: 13, ["mode": .text("edge")], inputs: [.flat([], [0]), .int64([1, 1])], "cannot be padded"),
    Failure("Pad", opset: 13, ["mode": .text("mirror")], inputs: [[1], .int64([1, 1])], "not one of"),
    Failure("Pad", opset: 18, inputs: [[[1]], .int64([1, 1, 1, 1]), 0, .int64([0, 0])], "named twice"),
    Failure("CenterCropPad", opset: 18, inputs: [[1], .int64([-1])], "do not fit"),
])
func paddingFailure(_ failure: Failure) { failure.check() }
