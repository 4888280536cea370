import ONNXLoader
import Testing

private let image: Literal = .flat(
    [
        -6, -8, 2, 1, -2, -1, -7, 7, -9, 0, -2, 5, 2, -6, 0, 2, 8, 0, 8, -3, 8, 8, 6, 7, 0, 8, 0, 2, -2, 2, -2, 1, -9,
        -8, 6, 7, -5, -9, -9, 5, -1, -4, 4, 0, -1, -8, -3, 5, 3, -1, -6, 3, -9, 9, 2, 4, 1, -3, 7, -9, -2, 4, 5, -5, -9,
        9, -9, 6, 2, -9, -5, -6, -8, 2, -7, -3, -2, -9, -3, 2,
    ], [2, 2, 5, 4])
private let regions: Literal = .flat([0, 0, 3, 4, 1.5, 0.5, 2, 3, -1, -2, 8, 9], [3, 4])
private let batchIndices: Literal = .flat([0, 1, 0], [3], .int64)
private let boxes: Literal = .flat(
    [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 1, 11.1, 0, 10.1, 0, 100, 1, 101], [1, 6, 4])
private let scores: Literal = .flat([0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 2, 6])

/// By `onnx.reference.ReferenceEvaluator` (onnx 1.23); NonMaxSuppression with equal scores or without a number by hand.
@Test(arguments: [
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("avg"), "coordinate_transformation_mode": .text("half_pixel"), "sampling_ratio": .int(0),
            "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(1),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    -4.15625, -2.71875, -3.34375, -1.34375, 5.25, 4.65625, -4.71875, 0.5625, -5.734375, -4.203125,
                    -1.96875, -2.71875, 5.765625, 3.046875, -4.285156, -4.792969, -1.292986, 0.5125, 0.7795138,
                    -0.1097222, 1.373125, 0.5361111, -1.305972, 0.3694445,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "avg, half_pixel, 0"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("avg"), "coordinate_transformation_mode": .text("half_pixel"), "sampling_ratio": .int(2),
            "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(0.5),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    -5.550781, -6.515625, -3.324219, -2.359375, 7.03125, 7.625, 0.953125, 4.8125, -2.074219, -2.503906,
                    -2.796875, -3.515625, -0.4804688, 0.4335938, -2.359375, -0.578125, -5.272461, 0.4619141, -2.257812,
                    1.148438, 6.523438, 5.258789, -4.178711, 1.341797,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "avg, half_pixel, 2"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("avg"), "coordinate_transformation_mode": .text("output_half_pixel"),
            "sampling_ratio": .int(0), "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(1),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    -3.265625, -0.78125, -1.546875, 1.21875, 4.59375, 1.96875, -5.53125, 1.359375, -3.773438, -1.226562,
                    -1.5625, -1.40625, -3.960938, -4.523438, -5.53125, -5.53125, -1.43875, 0.5583334, 1.209514,
                    -0.1930555, 2.054236, 0.7666667, -1.468194, 0.3361111,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "avg, output_half_pixel, 0"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("avg"), "coordinate_transformation_mode": .text("output_half_pixel"),
            "sampling_ratio": .int(2), "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(0.5),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    -4.1875, -4.171875, -3.625, -1.28125, 5.5, 7.09375, 1.25, 3.875, -5.527344, -3.09375, -6.089844,
                    -5.125, 5.410156, 1.96875, 3.972656, -1.3125, -4.152344, 1.77832, 0.06152344, 1.457031, 5.539062,
                    3.942383, -5.201172, 2.147461,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "avg, output_half_pixel, 2"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("max"), "coordinate_transformation_mode": .text("half_pixel"), "sampling_ratio": .int(0),
            "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(1),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    0, 1.75, 2, 0.625, 8, 5.25, 1.25, 5.25, 0.34375, 1.03125, 1.476562, 1.054688, 7.382812, 5.273438,
                    3.445312, 2.460938, 2.727084, 4.958333, 8, 1.083333, 8, 7, 2.750001, 5,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "max, half_pixel, 0"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("max"), "coordinate_transformation_mode": .text("half_pixel"), "sampling_ratio": .int(2),
            "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(0.5),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    0, 0, 0, 0, 8, 6.5, 2, 4.875, 0, 0, -0.1025391, -0.08300781, 1.375, 1.875, 2.610352, 3.55957, 0,
                    3.691406, 2.5, 4.394531, 8, 6.5625, 1.289062, 4.511719,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "max, half_pixel, 2"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("max"), "coordinate_transformation_mode": .text("output_half_pixel"),
            "sampling_ratio": .int(0), "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(1),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    0.125, 2.1875, 2.5, 3.5, 3.5, 2.625, 0.875, 2.625, 0.5625, 1.015625, 1.546875, 1.03125, 1.828125,
                    1.21875, 0.34375, -0.046875, 5.541667, 5.541667, 8, 0.08333349, 8, 7, 5, 5,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "max, output_half_pixel, 0"),
    Case(
        "RoiAlign", opset: 16,
        [
            "mode": .text("max"), "coordinate_transformation_mode": .text("output_half_pixel"),
            "sampling_ratio": .int(2), "output_height": .int(2), "output_width": .int(2), "spatial_scale": .float(0.5),
        ], inputs: [image, regions, batchIndices],
        outputs: [
            .flat(
                [
                    -0.046875, 0.46875, 0, 0, 4.875, 5.625, 3.375, 5.625, 0.296875, 1.484375, 0.1289062, -0.01171875,
                    5.660156, 4.042969, 7.628906, 5.449219, 0.375, 6.5625, 6.09375, 4.46875, 7.5, 7, 0.9140625, 4.0625,
                ], [3, 2, 2, 2])
        ], tolerance: 1e-5, note: "max, output_half_pixel, 2"),
    Case(
        "RoiAlign", opset: 10, ["output_height": .int(1), "output_width": .int(2)],
        inputs: [image, .flat([0, 0, 3, 4], [1, 4]), .flat([0], [1], .int64)],
        outputs: [.flat([-2.40625, 0.21875, -0.46875, 1.664062], [1, 2, 1, 2])], tolerance: 1e-5, note: "opset 10"),
    Case(
        "NonMaxSuppression", opset: 11, [:],
        inputs: [boxes, scores, .flat([3], [1], .int64), .flat([0.5], [1]), .flat([0], [1])],
        outputs: [.flat([0, 0, 3, 0, 0, 0, 0, 0, 5, 0, 1, 5, 0, 1, 4, 0, 1, 2], [6, 3], .int64)], note: "two classes"),
    Case(
        "NonMaxSuppression", opset: 11, [:],
        inputs: [boxes, scores, .flat([9], [1], .int64), .flat([0.5], [1]), .flat([0.55], [1])],
        outputs: [.flat([0, 0, 3, 0, 0, 0, 0, 1, 5], [3, 3], .int64)], note: "score threshold"),
    Case(
        "NonMaxSuppression", opset: 11, ["center_point_box": .int(1)],
        inputs: [
            .flat([0.5, 0.5, 1, 1, 0.5, 0.6, 1, 1, 0.5, 10.5, 1, 1], [1, 3, 4]), .flat([0.5, 0.5, 0.4], [1, 1, 3]),
            .flat([9], [1], .int64), .flat([0.5], [1]),
        ], outputs: [.flat([0, 0, 0, 0, 0, 2], [2, 3], .int64)], note: "centres, equal scores"),
    Case(
        "NonMaxSuppression", opset: 10, [:], inputs: [boxes, scores], outputs: [.flat([], [0, 3], .int64)],
        note: "no number of boxes"),
])
func region(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure(
        "RoiAlign", opset: 16, inputs: [.flat([1], [1, 1, 1, 1]), [[0, 0, 1, 1]], .int64([1])], "index 1 is outside"),
    Failure(
        "RoiAlign", opset: 16, inputs: [.flat([1], [1, 1, 1, 1]), [[0, 0, 1e30, 1]], .int64([0])], "too large"),
    Failure(
        "RoiAlign", opset: 16, inputs: [.flat([1], [1, 1, 1, 1]), .flat([0, 0, .nan, 1], [1, 4]), .int64([0])],
        "too large"),
    Failure(
        "NonMaxSuppression", opset: 11, inputs: [.flat([0, 0, 1, 1], [1, 1, 4]), .flat([1], [1, 1])], "do not fit"),
])
func regionFailure(_ failure: Failure) { failure.check() }
