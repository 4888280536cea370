import ONNXLoader
import Testing

@testable import Runtime

private let empty: Literal = .flat([], [0])
private let image: Literal = .flat([8, 2, 3, 8, 1, 5], [1, 1, 2, 3])
private let sizes: Literal = .flat([1, 1, 4, 5], [4], .int64)

/// By `onnx.reference.ReferenceEvaluator` (onnx 1.23); opsets before 11 by hand.
@Test(arguments: [
    Case(
        "Resize", opset: 13, ["mode": .text("linear"), "coordinate_transformation_mode": .text("half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [8, 5.6, 2, 2.6, 3, 8, 5.5, 1.75, 2.8, 3.5, 8, 5.3, 1.25, 3.2, 4.5, 8, 5.2, 1, 3.4, 5], [1, 1, 4, 5])
        ], note: "linear, half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("linear"), "coordinate_transformation_mode": .text("pytorch_half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [8, 5.6, 2, 2.6, 3, 8, 5.5, 1.75, 2.8, 3.5, 8, 5.3, 1.25, 3.2, 4.5, 8, 5.2, 1, 3.4, 5], [1, 1, 4, 5])
        ], note: "linear, pytorch_half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("linear"), "coordinate_transformation_mode": .text("align_corners")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [
                    8, 5, 2, 2.5, 3, 8, 4.833333, 1.666667, 2.666667, 3.666667, 8, 4.666667, 1.333333, 2.833333,
                    4.333333, 8, 4.5, 1, 3, 5,
                ], [1, 1, 4, 5])
        ], note: "linear, align_corners"),
    Case(
        "Resize", opset: 13, ["mode": .text("linear"), "coordinate_transformation_mode": .text("asymmetric")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat([8, 4.4, 2.2, 2.8, 3, 8, 4.1, 2, 3.5, 4, 8, 3.8, 1.8, 4.2, 5, 8, 3.8, 1.8, 4.2, 5], [1, 1, 4, 5])
        ], note: "linear, asymmetric"),
    Case(
        "Resize", opset: 13, ["mode": .text("cubic"), "coordinate_transformation_mode": .text("half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [
                    8.565878, 5.663702, 2.105469, 2.09942, 2.854688, 8.597753, 5.463155, 1.773438, 2.353091, 3.614376,
                    8.650252, 5.132843, 1.226562, 2.770904, 4.865626, 8.682128, 4.932295, 0.8945312, 3.024576, 5.625314,
                ], [1, 1, 4, 5])
        ], note: "cubic, half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("cubic"), "coordinate_transformation_mode": .text("pytorch_half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [
                    8.565878, 5.663702, 2.105469, 2.09942, 2.854688, 8.597753, 5.463155, 1.773438, 2.353091, 3.614376,
                    8.650252, 5.132843, 1.226562, 2.770904, 4.865626, 8.682128, 4.932295, 0.8945312, 3.024576, 5.625314,
                ], [1, 1, 4, 5])
        ], note: "cubic, pytorch_half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("cubic"), "coordinate_transformation_mode": .text("align_corners")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [
                    8, 4.90625, 2, 1.9375, 3, 7.999998, 4.6603, 1.685185, 2.065393, 3.629628, 7.999998, 4.370948,
                    1.314814, 2.215856, 4.370369, 8, 4.125, 1, 2.34375, 5,
                ], [1, 1, 4, 5])
        ], note: "cubic, align_corners"),
    Case(
        "Resize", opset: 13, ["mode": .text("cubic"), "coordinate_transformation_mode": .text("asymmetric")],
        inputs: [image, empty, empty, sizes],
        outputs: [
            .flat(
                [
                    8, 4.219997, 1.600001, 2.680003, 3.107999, 8, 3.751997, 1.316002, 3.404003, 4.269999, 8, 3.283998,
                    1.032002, 4.128003, 5.431999, 8, 3.196248, 0.9787519, 4.263753, 5.649874,
                ], [1, 1, 4, 5])
        ], note: "cubic, asymmetric"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "coordinate_transformation_mode": .text("half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [.flat([8, 8, 2, 3, 3, 8, 8, 2, 3, 3, 8, 8, 1, 5, 5, 8, 8, 1, 5, 5], [1, 1, 4, 5])],
        note: "nearest, half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "coordinate_transformation_mode": .text("pytorch_half_pixel")],
        inputs: [image, empty, empty, sizes],
        outputs: [.flat([8, 8, 2, 3, 3, 8, 8, 2, 3, 3, 8, 8, 1, 5, 5, 8, 8, 1, 5, 5], [1, 1, 4, 5])],
        note: "nearest, pytorch_half_pixel"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "coordinate_transformation_mode": .text("align_corners")],
        inputs: [image, empty, empty, sizes],
        outputs: [.flat([8, 8, 2, 2, 3, 8, 8, 2, 2, 3, 8, 8, 1, 1, 5, 8, 8, 1, 1, 5], [1, 1, 4, 5])],
        note: "nearest, align_corners"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "coordinate_transformation_mode": .text("asymmetric")],
        inputs: [image, empty, empty, sizes],
        outputs: [.flat([8, 2, 2, 3, 3, 8, 2, 2, 3, 3, 8, 1, 1, 5, 5, 8, 1, 1, 5, 5], [1, 1, 4, 5])],
        note: "nearest, asymmetric"),
    Case(
        "Resize", opset: 19,
        ["mode": .text("linear"), "coordinate_transformation_mode": .text("half_pixel_symmetric")],
        inputs: [.flat([6, -5, -8, -4, -4, 7, 8, -9], [1, 1, 2, 4]), nil, .flat([1, 1, 0.6, 0.6], [4])],
        outputs: [.flat([1, -2.166667], [1, 1, 1, 2])], note: "half_pixel_symmetric"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("nearest"), "nearest_mode": .text("round_prefer_floor"),
            "coordinate_transformation_mode": .text("asymmetric"),
        ], inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8]), nil, nil, .flat([1, 5], [2], .int64)],
        outputs: [.flat([0, 2, 3, 5, 6], [1, 5])], note: "round_prefer_floor"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "nearest_mode": .text("round_prefer_floor")],
        inputs: [.flat([0, 1, 2, 3, 4], [1, 5], .uint8), nil, .flat([1, 2], [2])],
        outputs: [.flat([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [1, 10], .uint8)], note: "round_prefer_floor, uint8"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("nearest"), "nearest_mode": .text("round_prefer_ceil"),
            "coordinate_transformation_mode": .text("asymmetric"),
        ], inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8]), nil, nil, .flat([1, 5], [2], .int64)],
        outputs: [.flat([0, 2, 3, 5, 6], [1, 5])], note: "round_prefer_ceil"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "nearest_mode": .text("round_prefer_ceil")],
        inputs: [.flat([0, 1, 2, 3, 4], [1, 5], .uint8), nil, .flat([1, 2], [2])],
        outputs: [.flat([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [1, 10], .uint8)], note: "round_prefer_ceil, uint8"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("nearest"), "nearest_mode": .text("floor"),
            "coordinate_transformation_mode": .text("asymmetric"),
        ], inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8]), nil, nil, .flat([1, 5], [2], .int64)],
        outputs: [.flat([0, 1, 3, 4, 6], [1, 5])], note: "floor"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "nearest_mode": .text("floor")],
        inputs: [.flat([0, 1, 2, 3, 4], [1, 5], .uint8), nil, .flat([1, 2], [2])],
        outputs: [.flat([0, 0, 0, 1, 1, 2, 2, 3, 3, 4], [1, 10], .uint8)], note: "floor, uint8"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("nearest"), "nearest_mode": .text("ceil"),
            "coordinate_transformation_mode": .text("asymmetric"),
        ], inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8]), nil, nil, .flat([1, 5], [2], .int64)],
        outputs: [.flat([0, 2, 4, 5, 7], [1, 5])], note: "ceil"),
    Case(
        "Resize", opset: 13, ["mode": .text("nearest"), "nearest_mode": .text("ceil")],
        inputs: [.flat([0, 1, 2, 3, 4], [1, 5], .uint8), nil, .flat([1, 2], [2])],
        outputs: [.flat([0, 1, 1, 2, 2, 3, 3, 4, 4, 4], [1, 10], .uint8)], note: "ceil, uint8"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear"), "antialias": .int(1)],
        inputs: [.flat([0, 6, -7, 6, -7, -1], [1, 6]), nil, .flat([1, 0.5], [2])],
        outputs: [.flat([1.375, -0.5, -2.375], [1, 3])], note: "antialias"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear"), "antialias": .int(1)],
        inputs: [
            .flat(
                [
                    6, -4, -3, -4, 4, -5, 9, -1, 0, 0, 2, 1, 0, 9, 6, 6, 4, 2, -3, 9, -1, -5, 7, -6, 7, 2, -7, -9, -1,
                    -9, -7, 0, 9, -1, 6,
                ], [7, 5]), nil, nil, .flat([3, 7], [2], .int64),
        ],
        outputs: [
            .flat(
                [
                    1.125, 1.517857, 0.8125, -1.6875, -0.5267857, 1.196429, 2.875, 2.529412, 1.554622, 1.12605,
                    1.882353, 0.1176471, 2.336134, 6.235294, -2.5, -3.107143, -2.008929, 1.875, -0.8482143, -0.8660714,
                    0.5625,
                ], [3, 7])
        ], note: "antialias, one axis grows"),
    Case(
        "Resize", opset: 18, ["mode": .text("cubic"), "antialias": .int(1), "cubic_coeff_a": .float(-0.5)],
        inputs: [.flat([8, 6, 2, -1, 0, -4, 0, -2, -5], [1, 9]), nil, nil, .flat([1, 4], [2], .int64)],
        outputs: [.flat([6.408528, 0.1359103, -1.772184, -2.997565], [1, 4])], note: "antialias"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear"), "antialias": .int(1), "exclude_outside": .int(1)],
        inputs: [.flat([9, -9, -8, -6, 9, 4, 7], [1, 7]), nil, nil, .flat([1, 3], [2], .int64)],
        outputs: [.flat([-2.357143, -2.529412, 6.142857], [1, 3])], note: "antialias, exclude_outside"),
    Case(
        "Resize", opset: 13, ["mode": .text("cubic"), "exclude_outside": .int(1), "cubic_coeff_a": .float(-0.5)],
        inputs: [
            .flat([-6, 4, -2, 0, -9, 2, 6, 3, -7, 1, -4, 9, 7, -6, 0, 8], [1, 1, 4, 4]), nil,
            .flat([1, 1, 2, 0.75], [4]),
        ],
        outputs: [
            .flat(
                [
                    -4.532179, 1.202206, -0.6177767, -5.403489, 2.286952, 0.3154971, -7.249689, 4.587309, 2.290461,
                    -7.915142, 3.8125, 4.479982, -7.270036, -0.1992188, 6.745197, -3.370672, -2.825382, 7.67767,
                    3.313007, -3.984489, 7.303696, 6.46898, -4.533088, 7.127947,
                ], [1, 1, 8, 3])
        ], note: "exclude_outside"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("linear"), "coordinate_transformation_mode": .text("tf_crop_and_resize"),
            "extrapolation_value": .float(10),
        ],
        inputs: [
            .flat([7, 4, 3, -9, 5, -1, -8, -5, 1, 4, 0, 2, 7, 4, -3, 3], [1, 1, 4, 4]),
            .flat([0, 0, 0.4, 0.6, 1, 1, 1.2, 1.7], [8]), nil, .flat([1, 1, 3, 3], [4], .int64),
        ], outputs: [.flat([-5.12, 10, 10, -0.1600007, 10, 10, 10, 10, 10], [1, 1, 3, 3])],
        note: "cropped, extrapolated"),
    Case(
        "Resize", opset: 13,
        [
            "mode": .text("nearest"), "coordinate_transformation_mode": .text("tf_crop_and_resize"),
            "extrapolation_value": .float(10),
        ],
        inputs: [
            .flat([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [4, 4], .int32), .flat([0.25, 1, 1, 0], [4]),
            nil, .flat([3, 4], [2], .int64),
        ], outputs: [.flat([7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12], [3, 4], .int32)],
        note: "cropped, one axis backwards"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear"), "axes": .ints([2, 1])],
        inputs: [.flat([2, -7, -8, 3, -2, 2, -3, -5, -7, -2, 6, -2], [1, 2, 3, 2]), nil, .flat([2, 1.5], [2])],
        outputs: [
            .flat(
                [
                    2, -7, -0.5, -4.5, -5.5, 0.5, -6.5, 2.75, -3.5, 2.25, -2, 2, -0.5, -6, -2.25, -4.375, -5.75, -1.125,
                    -5.125, 0.375, -0.375, 0.125, 2, 0, -3, -5, -4, -4.25, -6, -2.75, -3.75, -2, 2.75, -2, 6, -2,
                ], [1, 3, 6, 2])
        ], note: "axes"),
    Case(
        "Resize", opset: 18,
        ["mode": .text("linear"), "axes": .ints([1, 2]), "keep_aspect_ratio_policy": .text("not_larger")],
        inputs: [
            .flat([-2, 1, 9, -2, 2, -1, 2, -1, 3, 1, 3, 9], [1, 3, 4, 1]), nil, nil, .flat([6, 7], [2], .int64),
        ],
        outputs: [
            .flat(
                [
                    -2, -0.9285714, 0.7857143, 5, 8.214286, 1.928571, -2, -0.5714286, -0.2653061, 0.2244898, 3.392857,
                    5.918367, 1.265306, -1.642857, 1.714286, 0.7959183, -0.6734694, 0.8214286, 2.244898, 0.2040816,
                    -1.071429, 2.5, 1.607143, 0.1785714, 1.25, 2.607143, 3.464286, 4, 3, 2.285714, 1.142857, 2,
                    3.428571, 6.857143, 9,
                ], [1, 5, 7, 1])
        ], note: "not larger"),
    Case(
        "Resize", opset: 18,
        ["mode": .text("nearest"), "axes": .ints([0, 1]), "keep_aspect_ratio_policy": .text("not_smaller")],
        inputs: [.flat([-7, 1, -1, -3, -5, -9], [2, 3]), nil, nil, .flat([3, 4], [2], .int64)],
        outputs: [.flat([-7, -7, 1, -1, -1, -7, -7, 1, -1, -1, -3, -3, -5, -9, -9], [3, 5])], note: "not smaller"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear")],
        inputs: [
            .flat([-2, 6, -8, -2, 9, 9, -5, -9, 3, -9, -4, 0, 7, -8, 3, 1, -7, 7], [2, 3, 3]), nil, nil,
            .flat([3, 2, 4], [3], .int64),
        ],
        outputs: [
            .flat(
                [
                    -2, 3.46875, 2.8125, -3.75, -4.25, -4.40625, -1.125, 4.5, -3.5, -0.765625, -0.015625, -1.5, -0.875,
                    -4, -1.703125, 5.25, -5, -5, -2.84375, 0.75, 2.5, -3.59375, -2.28125, 6,
                ], [3, 2, 4])
        ], note: "three axes"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear")],
        inputs: [
            .flat([216, 123, 241, 155, 231, 245], [1, 1, 2, 3], .uint8), nil, nil, .flat([1, 1, 3, 5], [4], .int64),
        ],
        outputs: [
            .flat([216, 179, 123, 194, 241, 186, 182, 177, 217, 243, 155, 185, 231, 239, 245], [1, 1, 3, 5], .uint8)
        ], note: "uint8"),
    Case(
        "Resize", opset: 18, ["mode": .text("cubic")],
        inputs: [.flat([-128, -128, 127, 127], [1, 4], .int8), nil, nil, .flat([1, 9], [2], .int64)],
        outputs: [.flat([-128, -128, -128, -117, 0, 116, 127, 127, 127], [1, 9], .int8)], note: "int8 saturates"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear")],
        inputs: [
            .flat([-0.2501954, 1.523529, -0.4280249, -0.3036804, 0.3525891, -0.1207704], [3, 2], .float64), nil, nil,
            .flat([5, 2], [2], .int64),
        ],
        outputs: [
            .flat(
                [
                    -0.2501954, 1.523529, -0.3213272, 0.7926455, -0.4280249, -0.3036804, 0.04034346, -0.1939344,
                    0.3525891, -0.1207704,
                ], [5, 2], .float64)
        ], note: "double"),
    Case(
        "Resize", opset: 18, ["mode": .text("linear")],
        inputs: [.flat([1, 9, 3, 2, 1, -8], [1, 2, 3], .float16), nil, nil, .flat([1, 3, 5], [3], .int64)],
        outputs: [
            .flat(
                [1, 4.199219, 9, 5.398438, 3, 1.5, 2.900391, 5, 0.5, -2.5, 2, 1.599609, 1, -4.398438, -8], [1, 3, 5],
                .float16)
        ], tolerance: 1e-3, note: "half"),
    Case(
        "Resize", opset: 13, ["mode": .text("linear")],
        inputs: [.flat([-2], [1, 1, 1, 1]), nil, nil, .flat([1, 1, 2, 3], [4], .int64)],
        outputs: [.flat([-2, -2, -2, -2, -2, -2], [1, 1, 2, 3])], note: "from one element"),
    Case(
        "Resize", opset: 13, ["mode": .text("linear")],
        inputs: [
            .flat([9, -2, -5, -5, 4, -9, 9, 7, 1, -1, 5, 1, 0, -3, -1], [1, 5, 3]), empty, empty,
            .flat([1, 5, 3], [3], .int64),
        ], outputs: [.flat([9, -2, -5, -5, 4, -9, 9, 7, 1, -1, 5, 1, 0, -3, -1], [1, 5, 3])], note: "unchanged"),
    Case(
        "Resize", opset: 10, ["mode": .text("nearest")],
        inputs: [.flat([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 4]), .flat([1, 1, 0.6, 0.6], [4])],
        outputs: [.flat([1, 3], [1, 1, 1, 2])], note: "opset 10"),
    Case(
        "Resize", opset: 10, ["mode": .text("linear")],
        inputs: [.flat([1, 2, 3, 4], [1, 1, 2, 2]), .flat([1, 1, 1, 2], [4])],
        outputs: [.flat([1, 1.5, 2, 2, 3, 3.5, 4, 4], [1, 1, 2, 4])], note: "opset 10"),
    Case(
        "Upsample", opset: 9, ["mode": .text("nearest")],
        inputs: [.flat([1, 2, 3, 4], [1, 1, 2, 2]), .flat([1, 1, 1, 3], [4])],
        outputs: [.flat([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], [1, 1, 2, 6])], note: "scales as input"),
])
func resize(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, .flat([.nan], [1])], "do not fit"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, [-1]], "do not fit"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, [0]], "do not fit"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, .flat([.infinity], [1])], "cannot be scaled"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, [3e38]], "cannot be scaled"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, [1e15]], "memory"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, [1, 1]], "do not fit"),
    Failure("Resize", opset: 13, inputs: [[1, 2], nil, nil, .int64([-1])], "do not fit"),
    Failure("Resize", opset: 13, inputs: [[1, 2]], "neither scales nor sizes"),
    Failure("Resize", opset: 13, inputs: [.flat([], [0]), nil, nil, .int64([3])], "nothing can be resized"),
    Failure("Resize", opset: 13, ["mode": .text("area")], inputs: [[1, 2], nil, [2]], "not one of"),
    Failure(
        "Resize", opset: 13, ["coordinate_transformation_mode": .text("tf_crop_and_resize")],
        inputs: [[1, 2], .flat([.nan, 1], [2]), [2]], "region"),
])
func resizeFailure(_ failure: Failure) { failure.check() }

/// Bilinear enlargement of a ramp is a ramp, whatever the sizes: the value at a pixel's centre is its coordinate, limited to
/// the first and the last centre. Sizes that several blocks work on.
@Test func resizeOfRamp() throws {
    let (channels, height, width) = (3, 37, 41)
    let (outputHeight, outputWidth) = (333, 287)
    var elements: [Float] = []
    for channel in 0..<channels {
        for y in 0..<height { for x in 0..<width { elements.append(Float(1000 * channel + 10 * y + x)) } }
    }
    var graph = Graph()
    graph.inputs = [
        ValueDeclaration(name: "x", kind: .tensor(.float32, shape: [1, channels, height, width].map { .fixed($0) }))
    ]
    graph.initializers["sizes"] = try ConstantTensor(
        Tensor([1, channels, outputHeight, outputWidth].map { Int64($0) }, shape: [4]))
    graph.nodes = [
        Node(
            name: "r", operatorName: "Resize", inputs: ["x", "", "", "sizes"], outputs: ["y"],
            attributes: ["mode": .text("linear")])
    ]
    graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
    let session = try Session(Model(opsets: ["": 18], graph: graph))
    let input = try Tensor(elements, shape: [1, channels, height, width])
    let result = try #require(session.run(["x": input])["y"]).array(of: Float.self)
    func coordinate(_ position: Int, _ size: Int, _ outputSize: Int) -> Double {
        min(max((Double(position) + 0.5) * Double(size) / Double(outputSize) - 0.5, 0), Double(size - 1))
    }
    var largest = 0.0
    for index in result.indices {
        let (channel, y, x) = (
            index / (outputHeight * outputWidth), index / outputWidth % outputHeight, index % outputWidth
        )
        let expected =
            1000 * Double(channel) + 10 * coordinate(y, height, outputHeight) + coordinate(x, width, outputWidth)
        largest = max(largest, abs(Double(result[index]) - expected))
    }
    #expect(result.count == channels * outputHeight * outputWidth)
    #expect(largest < 1e-3)
}
