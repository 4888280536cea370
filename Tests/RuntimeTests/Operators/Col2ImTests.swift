import ONNXLoader
import Testing

/// By hand: every block adds its column to the image.
@Test(arguments: [
    Case(
        "Col2Im", opset: 18, ["strides": .ints([1, 2])],
        inputs: [.flat([1, 2, 3, 4, 5, 6], [1, 2, 3]), .int64([1, 6]), .int64([1, 2])],
        outputs: [.flat([1, 4, 2, 5, 3, 6], [1, 1, 1, 6])]),
    Case(
        "Col2Im", opset: 18, inputs: [.flat([1, 2, 3, 4], [1, 2, 2]), .int64([3]), .int64([2])],
        outputs: [.flat([1, 5, 4], [1, 1, 3])], note: "overlapping"),
    Case(
        "Col2Im", opset: 18, ["pads": .ints([1, 1])],
        inputs: [.int64([[[1, 2, 3], [4, 5, 6]]]), .int64([2]), .int64([2])], outputs: [.int64([[[6, 8]]])]),
    Case(
        "Col2Im", opset: 18, ["dilations": .ints([2])], inputs: [.half([[[1], [2]]]), .int64([3]), .int64([2])],
        outputs: [.half([[[1, 0, 2]]])]),
])
func imageFromColumns(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure(
        "Col2Im", opset: 18, inputs: [.flat([1, 2, 3, 4], [1, 2, 2]), .int64([4]), .int64([2])], "is not made of"),
    Failure("Col2Im", opset: 18, inputs: [.flat([1, 2, 3, 4], [1, 2, 2]), .int64([1]), .int64([2])], "does not fit"),
    Failure(
        "Col2Im", opset: 18, ["strides": .ints([0])],
        inputs: [.flat([1, 2, 3, 4], [1, 2, 2]), .int64([3]), .int64([2])], "do not fit"),
])
func imageFromColumnsFailure(_ failure: Failure) { failure.check() }
