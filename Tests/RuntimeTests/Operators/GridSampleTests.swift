import ONNXLoader
import Testing

private let image: Literal = .flat(
    [5, 5, 5, 4, 2, 7, -9, 3, -9, 2, -1, 9, 7, -8, 8, -6, -3, 1, 7, -3, 8, -4, -2, 8], [1, 2, 3, 4])
private let grid: Literal = .flat(
    [-0.18, -0.26, 0.66, 1.32, -1.18, -0.95, -0.39, 0.02, -1.2, -1.25, -0.79, -0.32], [1, 2, 3, 2])

/// By `onnx.reference.ReferenceEvaluator` (onnx 1.23), which computes coordinates in binary32.
@Test(arguments: [
    Case(
        "GridSample", opset: 20, ["mode": .text("linear"), "padding_mode": .text("zeros"), "align_corners": .int(0)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    4.8536, 0.1439982, 0.4025003, 5.3996, 0.06249994, 3.1648, -1.124, 0.1239984, 0.5635005, -0.1355999,
                    0.08749992, 1.656,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, zeros, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("linear"), "padding_mode": .text("zeros"), "align_corners": .int(1)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    3.7568, 2.652001, 3.5405, 6.4648, 2.625, 4.031, 0.6380002, 1.972001, 4.745, 0.5872002, 3.675,
                    -0.4552,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, zeros, 1"),
    Case(
        "GridSample", opset: 20, ["mode": .text("linear"), "padding_mode": .text("border"), "align_corners": .int(0)],
        inputs: [image, grid],
        outputs: [
            .flat([4.8536, 7.200002, 5, 5.3996, 5, 3.44, -1.124, 6.200002, 7, -0.1355999, 7, 1.8], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, border, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("linear"), "padding_mode": .text("border"), "align_corners": .int(1)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [3.7568, 3.900002, 4.85, 6.4648, 5, 4.031, 0.6380002, 2.900002, 6.5, 0.5872002, 7, -0.4552],
                [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, border, 1"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("linear"), "padding_mode": .text("reflection"), "align_corners": .int(0)],
        inputs: [image, grid],
        outputs: [
            .flat([4.8536, 7.200002, 5, 5.3996, 5, 3.44, -1.124, 6.200002, 7, -0.1355999, 7, 1.8], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, reflection, 0"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("linear"), "padding_mode": .text("reflection"), "align_corners": .int(1)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    3.7568, 1.653601, 4.9175, 6.4648, 4.625, 4.031, 0.6380002, 2.644001, 2.706501, 0.5872002, 1.424999,
                    -0.4552,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "linear, reflection, 1"),
    Case(
        "GridSample", opset: 20, ["mode": .text("nearest"), "padding_mode": .text("zeros"), "align_corners": .int(0)],
        inputs: [image, grid], outputs: [.flat([7, 0, 0, 7, 0, 2, 1, 0, 0, 1, 0, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, zeros, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("nearest"), "padding_mode": .text("zeros"), "align_corners": .int(1)],
        inputs: [image, grid], outputs: [.flat([7, -1, 5, 7, 5, 2, 1, -2, 7, 1, 7, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, zeros, 1"),
    Case(
        "GridSample", opset: 20, ["mode": .text("nearest"), "padding_mode": .text("border"), "align_corners": .int(0)],
        inputs: [image, grid], outputs: [.flat([7, 9, 5, 7, 5, 2, 1, 8, 7, 1, 7, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, border, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("nearest"), "padding_mode": .text("border"), "align_corners": .int(1)],
        inputs: [image, grid], outputs: [.flat([7, -1, 5, 7, 5, 2, 1, -2, 7, 1, 7, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, border, 1"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("nearest"), "padding_mode": .text("reflection"), "align_corners": .int(0)],
        inputs: [image, grid], outputs: [.flat([7, 9, 5, 7, 5, 2, 1, 8, 7, 1, 7, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, reflection, 0"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("nearest"), "padding_mode": .text("reflection"), "align_corners": .int(1)],
        inputs: [image, grid], outputs: [.flat([7, -1, 5, 7, 5, 2, 1, -2, 7, 1, 7, -3], [1, 2, 2, 3])], tolerance: 1e-5,
        note: "nearest, reflection, 1"),
    Case(
        "GridSample", opset: 20, ["mode": .text("cubic"), "padding_mode": .text("zeros"), "align_corners": .int(0)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    5.890808, 0.1274164, 0.3896855, 7.390828, 0.04571021, 4.529908, -1.071522, 0.1127483, 0.7446554,
                    -0.7104825, 0.08028162, 1.494152,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, zeros, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("cubic"), "padding_mode": .text("zeros"), "align_corners": .int(1)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    4.492143, 4.075644, 3.796628, 7.461671, 3.074512, 6.348711, 1.519749, 2.823471, 6.726117, 0.4507384,
                    6.16397, -1.680722,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, zeros, 1"),
    Case(
        "GridSample", opset: 20, ["mode": .text("cubic"), "padding_mode": .text("border"), "align_corners": .int(0)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    5.542002, 7.376388, 5.316159, 7.320214, 5, 4.400286, -0.5778389, 6.476017, 8.053866, -0.5847855, 7,
                    0.8827646,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, border, 0"),
    Case(
        "GridSample", opset: 20, ["mode": .text("cubic"), "padding_mode": .text("border"), "align_corners": .int(1)],
        inputs: [image, grid],
        outputs: [
            .flat(
                [
                    4.303408, 3.600749, 4.901664, 7.452404, 5, 5.601707, 1.737689, 3.078683, 6.587277, 0.4664465, 7,
                    -1.678233,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, border, 1"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("cubic"), "padding_mode": .text("reflection"), "align_corners": .int(0)], inputs: [image, grid],
        outputs: [
            .flat(
                [
                    5.542002, 7.472992, 5.632593, 7.320214, 5.273779, 4.391328, -0.5778389, 6.590567, 10.50177,
                    -0.5847855, 8.938016, 0.8982885,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, reflection, 0"),
    Case(
        "GridSample", opset: 20,
        ["mode": .text("cubic"), "padding_mode": .text("reflection"), "align_corners": .int(1)], inputs: [image, grid],
        outputs: [
            .flat(
                [
                    4.3478, 2.571342, 5.009934, 7.424994, 5.203156, 5.353742, 1.409028, 3.593859, 4.216148, 0.4454096,
                    2.648836, -1.372884,
                ], [1, 2, 2, 3])
        ], tolerance: 1e-5, note: "cubic, reflection, 1"),
    Case(
        "GridSample", opset: 16, ["mode": .text("bilinear")],
        inputs: [
            .flat(
                [5, 5, 5, 4, 2, 7, -9, 3, -9, 2, -1, 9, 7, -8, 8, -6, -3, 1, 7, -3, 8, -4, -2, 8], [1, 2, 3, 4],
                .float64),
            .flat(
                [-0.18, -0.26, 0.66, 1.32, -1.18, -0.95, -0.39, 0.02, -1.2, -1.25, -0.79, -0.32], [1, 2, 3, 2], .float64
            ),
        ],
        outputs: [
            .flat(
                [
                    4.8536, 0.1439982, 0.4025003, 5.3996, 0.06249994, 3.1648, -1.124, 0.1239984, 0.5635005, -0.1355999,
                    0.08749992, 1.656,
                ], [1, 2, 2, 3], .float64)
        ], tolerance: 1e-5, note: "double"),
    Case(
        "GridSample", opset: 20, ["mode": .text("linear")],
        inputs: [
            .flat([5, -4, 2, -9, 3, -8, -2, -3, -6, 1, -4, -8], [1, 1, 2, 3, 2]),
            .flat([-0.3, -0.76, 0.17, -0.91, 0.36, 0.68, 0.91, -0.11, -0.84, 0.89, 0.81, 1.03], [1, 1, 2, 2, 3]),
        ], outputs: [.flat([-0.3594798, -2.380296, -3.183345, -1.800476], [1, 1, 1, 2, 2])], tolerance: 1e-5,
        note: "three dimensions"),
    Case(
        "AffineGrid", opset: 20, ["align_corners": .int(0)],
        inputs: [
            .flat([1, -1.5, -0.75, -0.75, 1, 1, 0, -2, -0.25, 1, 2.25, 2.25], [2, 2, 3]),
            .flat([2, 1, 2, 3], [4], .int64),
        ],
        outputs: [
            .flat(
                [
                    -0.6666667, 1, -1.1102230246251565e-16, 0.5, 0.6666667, 1.1102230246251565e-16, -2.166667, 2, -1.5,
                    1.5, -0.8333333, 1, 0.75, 0.4583333, 0.75, 1.125, 0.75, 1.791667, -1.25, 2.708333, -1.25, 3.375,
                    -1.25, 4.041667,
                ], [2, 2, 3, 2])
        ], note: "align_corners 0"),
    Case(
        "AffineGrid", opset: 20, ["align_corners": .int(1)],
        inputs: [
            .flat([1, -1.5, -0.75, -0.75, 1, 1, 0, -2, -0.25, 1, 2.25, 2.25], [2, 2, 3]),
            .flat([2, 1, 2, 3], [4], .int64),
        ],
        outputs: [
            .flat(
                [
                    -0.25, 0.75, 0.75, 0, 1.75, -0.75, -3.25, 2.75, -2.25, 2, -1.25, 1.25, 1.75, -1, 1.75, 0, 1.75, 1,
                    -2.25, 3.5, -2.25, 4.5, -2.25, 5.5,
                ], [2, 2, 3, 2])
        ], note: "align_corners 1"),
    Case(
        "AffineGrid", opset: 20, [:],
        inputs: [
            .flat([-1.5, -1.25, 0, -1.25, -1.5, -1.25, 2, 1, 0, 0.25, -0.75, 0.25], [1, 3, 4]),
            .flat([1, 1, 2, 1, 2], [5], .int64),
        ],
        outputs: [
            .flat([-0.5, 0.75, 0.625, -2, -0.75, 0.625, -0.5, 2.75, -0.125, -2, 1.25, -0.125], [1, 2, 1, 2, 3])
        ], note: "three dimensions"),
])
func gridSample(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("GridSample", opset: 16, inputs: [.flat([1], [1, 1, 1, 1]), .flat([0], [1, 1, 1, 1])], "does not fit"),
    Failure("AffineGrid", opset: 20, inputs: [.flat([1], [1, 1, 1]), .int64([1, 1, 2, 2])], "do not fit"),
])
func gridSampleFailure(_ failure: Failure) { failure.check() }

/// Coordinates that are no numbers read the padding, or an element at an end.
@Test(arguments: [
    Case(
        "GridSample", opset: 20,
        inputs: [.flat([1, 2], [1, 1, 1, 2]), .flat([.nan, 0, .infinity, 0], [1, 1, 2, 2])],
        outputs: [.flat([0, 0], [1, 1, 1, 2])]),
    Case(
        "GridSample", opset: 20, ["padding_mode": .text("border")],
        inputs: [.flat([1, 2], [1, 1, 1, 2]), .flat([-.infinity, 0, .infinity, 0], [1, 1, 2, 2])],
        outputs: [.flat([1, 2], [1, 1, 1, 2])]),
    Case(
        "GridSample", opset: 20, ["padding_mode": .text("reflection"), "align_corners": .int(1)],
        inputs: [.flat([1, 2], [1, 1, 1, 2]), .flat([.infinity, 0, 1, 0], [1, 1, 2, 2])],
        outputs: [.flat([1, 2], [1, 1, 1, 2])]),
])
func gridSampleOutside(_ example: Case) throws { try example.check() }
