import ONNXLoader
import Testing

/// Expected values by hand, under the definitions of the ONNX specification.
@Test(arguments: [
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2]), "strides": .ints([2])],
        inputs: [[[[1, 5, 2, 3, 9]]]], outputs: [[[[5, 3]]]], note: "a partial window is left out"),
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": .int(1)],
        inputs: [[[[1, 5, 2, 3, 9]]]], outputs: [[[[5, 3, 9]]]], note: "a partial window counts"),
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2, 2]), "pads": .ints([1, 0, 0, 0])],
        inputs: [[[[[-1, -2], [-3, -4]]]]], outputs: [[[[[-1], [-1]]]]], note: "padding is never the largest"),
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2])],
        inputs: [[[[1, 5, 2], [7, 7, 8]]]], outputs: [[[[5, 5], [7, 8]]], .int64([[[1, 1], [3, 5]]])], note: "places"),
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2, 2]), "storage_order": .int(1)],
        inputs: [[[[[1, 2, 3], [4, 9, 5]]]]], outputs: [[[[[9, 9]]]], .int64([[[[3, 3]]]])], note: "column-major places"
    ),
    Case(
        "MaxPool", opset: 12, ["kernel_shape": .ints([2]), "dilations": .ints([2])],
        inputs: [.uint8([[[1, 5, 2, 3]]])], outputs: [.uint8([[[2, 5]]])], note: "dilated bytes"),
    Case(
        "AveragePool", opset: 11, ["kernel_shape": .ints([3]), "pads": .ints([1, 1])],
        inputs: [[[[3, 6, 9]]]], outputs: [[[[4.5, 6, 7.5]]]], note: "padding does not count"),
    Case(
        "AveragePool", opset: 11, ["kernel_shape": .ints([3]), "pads": .ints([1, 1]), "count_include_pad": .int(1)],
        inputs: [[[[3, 6, 9]]]], outputs: [[[[3, 6, 5]]]], note: "padding counts"),
    Case(
        "AveragePool", opset: 19,
        ["kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": .int(1), "count_include_pad": .int(1)],
        inputs: [.double([[[2, 4, 8]]])], outputs: [.double([[[3, 8]]])], note: "beyond the padding never counts"),
    Case("GlobalAveragePool", opset: 1, inputs: [[[[[1, 2], [3, 6]]]]], outputs: [[[[[3]]]]]),
    Case("GlobalMaxPool", opset: 1, inputs: [[[[1, 2, -3], [-5, -6, -7]]]], outputs: [[[[2], [-5]]]]),
    Case("GlobalLpPool", opset: 2, inputs: [[[[3, 4], [5, 12]]]], outputs: [[[[5], [13]]]]),
    Case("LpPool", opset: 18, ["kernel_shape": .ints([2])], inputs: [[[[3, 4, 3]]]], outputs: [[[[5, 5]]]]),
])
func pooling(_ example: Case) throws { try example.check() }
