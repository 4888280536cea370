import ONNXLoader
import Testing

@testable import Runtime

/// Operators that put elements elsewhere or read them otherwise. Expected values by hand, of MaxRoiPool by ONNX Runtime.
@Test(arguments: [
    Case("BitCast", opset: 26, ["to": .int(6)], inputs: [[1, -2]], outputs: [.int32([0x3F80_0000, -0x4000_0000])]),
    Case("BitCast", opset: 26, ["to": .int(9)], inputs: [.uint8([0, 1, 7])], outputs: [.bool([0, 1, 1])]),
    Case("Det", opset: 11, inputs: [[[[1, 2], [3, 4]], [[0, 2], [3, 0]]]], outputs: [[-2, -6]]),
    Case("Det", opset: 11, inputs: [.flat([], [0, 0])], outputs: [1], note: "of nothing"),
    Case("Det", opset: 11, inputs: [.double([[1, 2], [2, 4]])], outputs: [.double(0)], note: "singular"),
    Case(
        "MaxUnpool", opset: 11, ["kernel_shape": .ints([2]), "strides": .ints([2])],
        inputs: [[[[5, 6]]], .int64([[[1, 2]]])], outputs: [[[[0, 5, 6, 0]]]]),
    Case(
        "MaxUnpool", opset: 11, ["kernel_shape": .ints([2]), "strides": .ints([2])],
        inputs: [[[[5, 6]]], .int64([[[1, 2]]]), .int64([1, 1, 5])], outputs: [[[[0, 5, 6, 0, 0]]]],
        note: "a larger output"),
    Case(
        "TensorScatter", opset: 24, ["axis": .int(1)],
        inputs: [[[1, 2, 3], [4, 5, 6]], [[7, 8], [9, 0]], .int64([1, 0])], outputs: [[[1, 7, 8], [9, 0, 6]]]),
    Case(
        "TensorScatter", opset: 24, ["axis": .int(1), "mode": .string(Array("circular".utf8))],
        inputs: [[[1, 2, 3]], [[7, 8]], .int64([-1])], outputs: [[[8, 2, 7]]], note: "goes round"),
    Case(
        "MaxRoiPool", opset: 1, ["pooled_shape": .ints([3, 1]), "spatial_scale": .float(0.5)],
        inputs: [.flat((0..<32).map(Double.init), [1, 2, 4, 4]), [[0, 1, 2, 5, 6]]],
        outputs: [[[[[7], [11], [15]], [[23], [27], [31]]]]], note: "scaled, halves away from zero"),
    Case(
        "MaxRoiPool", opset: 1, ["pooled_shape": .ints([2, 2])],
        inputs: [.flat((0..<32).map(Double.init), [1, 2, 4, 4]), [[0, 1, 1, 2, 9], [0, -4, 2, 1, 2]]],
        outputs: [
            .flat([13, 14, 0, 0, 29, 30, 0, 0, 0, 9, 0, 9, 0, 25, 0, 25], [2, 2, 2, 2])
        ], note: "beyond the image"),
])
func placement(_ example: Case) throws { try example.check() }
