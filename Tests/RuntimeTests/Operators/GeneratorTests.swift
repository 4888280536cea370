import ONNXLoader
import Testing

@testable import Runtime

/// By hand; floating-point ranges by `numpy.arange` in binary64, rounded.
@Test(arguments: [
    Case("ConstantOfShape", opset: 9, inputs: [.int64([2, 1])], outputs: [[[0], [0]]]),
    Case(
        "ConstantOfShape", opset: 9, ["value": .tensor(constant([Int64(-3)], [1]))], inputs: [.int64([2])],
        outputs: [.int64([-3, -3])]),
    Case(
        "ConstantOfShape", opset: 9, ["value": .tensor(constant([true], [1]))], inputs: [.int64([1, 0])],
        outputs: [.flat([], [1, 0], .bool)]),
    Case("ConstantOfShape", opset: 9, inputs: [.flat([], [0], .int64)], outputs: [0], note: "scalar"),
    Case("Range", opset: 11, inputs: [.int64(3), .int64(10), .int64(3)], outputs: [.int64([3, 6, 9])]),
    Case("Range", opset: 11, inputs: [.int32(5), .int32(1), .int32(-2)], outputs: [.int32([5, 3])]),
    Case("Range", opset: 11, inputs: [.int64(1), .int64(1), .int64(1)], outputs: [.flat([], [0], .int64)]),
    Case("Range", opset: 11, inputs: [.int64(1), .int64(5), .int64(-1)], outputs: [.flat([], [0], .int64)]),
    Case(
        "Range", opset: 11, inputs: [.typed(.int16, -32768), .typed(.int16, 32767), .typed(.int16, 21845)],
        outputs: [.typed(.int16, [-32768, -10923, 10922])], note: "no overflow on the way"),
    Case(
        "Range", opset: 11, inputs: [0, 1, 0.1],
        outputs: [[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]], note: "a step that is not exact"),
    Case("Range", opset: 11, inputs: [.double(1), .double(-1), .double(-0.5)], outputs: [.double([1, 0.5, 0, -0.5])]),
    Case(
        "EyeLike", opset: 9, inputs: [.int32([[7, 7, 7], [7, 7, 7]])], outputs: [.int32([[1, 0, 0], [0, 1, 0]])]),
    Case(
        "EyeLike", opset: 9, ["k": .int(1), "dtype": .int(11)], inputs: [.int32([[7, 7, 7], [7, 7, 7]])],
        outputs: [.double([[0, 1, 0], [0, 0, 1]])]),
    Case(
        "EyeLike", opset: 9, ["k": .int(-1)], inputs: [.half([[7, 7], [7, 7], [7, 7]])],
        outputs: [.half([[0, 0], [1, 0], [0, 1]])]),
    Case("EyeLike", opset: 9, ["k": .int(-9)], inputs: [[[7, 7]]], outputs: [[[0, 0]]], note: "diagonal outside"),
    Case("Trilu", opset: 14, inputs: [[[1, 2, 3], [4, 5, 6]]], outputs: [[[1, 2, 3], [0, 5, 6]]]),
    Case(
        "Trilu", opset: 14, ["upper": .int(0)], inputs: [[[1, 2, 3], [4, 5, 6]]], outputs: [[[1, 0, 0], [4, 5, 0]]]),
    Case(
        "Trilu", opset: 14, inputs: [.int64([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]), .int64(1)],
        outputs: [.int64([[[0, 2], [0, 0]], [[0, 6], [0, 0]]])]),
    Case(
        "Trilu", opset: 14, ["upper": .int(0)],
        inputs: [.bool([[1, 1], [1, 1]]), .int64(9_223_372_036_854_775_807)],
        outputs: [.bool([[1, 1], [1, 1]])], note: "beyond the matrix"),
    Case("Trilu", opset: 14, inputs: [[[1, 2], [3, 4]], .int64(-9)], outputs: [[[1, 2], [3, 4]]]),
])
func generator(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Range", opset: 11, inputs: [.int64(1), .int64(5), .int64(0)], "no length"),
    Failure("Range", opset: 11, inputs: [1, 5, 0], "no length"),
    Failure("Range", opset: 11, inputs: [.flat([.nan], []), 5, 1], "no length"),
    Failure("Range", opset: 11, inputs: [0, 1e30, 1], "no length"),
    Failure("Range", opset: 11, inputs: [.int64(1), .int32(5), .int64(1)], "one type"),
    Failure(
        "Range", opset: 11, inputs: [.int64(-9_000_000_000_000_000_000), .int64(9_000_000_000_000_000_000), .int64(1)],
        "too many"),
    Failure("ConstantOfShape", opset: 9, inputs: [.int64([-1])], "negative size"),
    Failure("ConstantOfShape", opset: 9, inputs: [.int64([4_000_000_000, 4_000_000_000])], "more elements"),
    Failure("ConstantOfShape", opset: 9, inputs: [.int64([4_000_000_000, 4_000_000])], "memory"),
    Failure("EyeLike", opset: 9, inputs: [[1, 2]], "matrix"),
])
func generatorFailure(_ failure: Failure) { failure.check() }

private func constant<Element: TensorElement>(_ values: [Element], _ shape: [Int]) -> ConstantTensor {
    do { return try ConstantTensor(Tensor(values, shape: shape)) } catch { preconditionFailure("\(error)") }
}
