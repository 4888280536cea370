import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Expected values from PyTorch 2 and NumPy in binary64, rounded to nine digits; Hardmax and LpNormalization by hand.
@Suite struct NormalizationTests {
    @Test(arguments: [
        Case(
            "Softmax", opset: 13, inputs: [[[1, 2, 3], [1, 2, 5]]],
            outputs: [[[0.0900305732, 0.244728471, 0.665240956], [0.0171478255, 0.0466126226, 0.936239552]]]),
        Case(
            "Softmax", opset: 13, ["axis": .int(0)], inputs: [[[1, 2, 3], [1, 2, 5]]],
            outputs: [[[0.5, 0.5, 0.119202922], [0.5, 0.5, 0.880797078]]]),
        Case(
            "LogSoftmax", opset: 13, inputs: [[[1, 2, 3], [1, 2, 5]]],
            outputs: [[[-2.40760596, -1.40760596, -0.407605964], [-4.0658839, -3.0658839, -0.0658839038]]]),
        Case(
            "LogSoftmax", opset: 13, ["axis": .int(-2)], inputs: [[[1, 2, 3], [1, 2, 5]]],
            outputs: [[[-0.693147181, -0.693147181, -2.12692801], [-0.693147181, -0.693147181, -0.126928011]]]),
        Case(
            "Softmax", opset: 11, inputs: [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]],
            outputs: [
                [
                    [[0.0320586033, 0.0871443187], [0.236882818, 0.64391426]],
                    [[0.0320586033, 0.0871443187], [0.236882818, 0.64391426]],
                ]
            ], note: "all axes from 1 on"),
        Case(
            "Softmax", opset: 13, ["axis": .int(1)],
            inputs: [[[[0, 0.1], [0.4, 0.9]], [[1.6, 2.5], [3.6, 4.9]]]],
            outputs: [
                [
                    [[0.40131234, 0.310025519], [0.59868766, 0.689974481]],
                    [[0.119202922, 0.0831726965], [0.880797078, 0.916827304]],
                ]
            ]),
        Case("Softmax", opset: 13, inputs: [[1000, 1000]], outputs: [[0.5, 0.5]], note: "without overflow"),
        Case(
            "Softmax", opset: 13, inputs: [.flat([0, -.infinity, 0], [3])], outputs: [[0.5, 0, 0.5]], note: "masked"),
        Case("Softmax", opset: 13, inputs: [.half([0, 0])], outputs: [.half([0.5, 0.5])]),
        Case(
            "Softmax", opset: 13, inputs: [.double([[1, 2, 3]])],
            outputs: [.double([[0.0900305732, 0.244728471, 0.665240956]])]),
        Case("Softmax", opset: 13, inputs: [.flat([], [2, 0])], outputs: [.flat([], [2, 0])]),
        Case("Hardmax", opset: 13, inputs: [[[1, 3, 3], [2, 1, 0]]], outputs: [[[0, 1, 0], [1, 0, 0]]]),
        Case("Hardmax", opset: 13, ["axis": .int(0)], inputs: [[[1, 3], [2, 1]]], outputs: [[[0, 1], [1, 0]]]),
        Case("Hardmax", opset: 11, inputs: [[[[1, 3], [2, 5]]]], outputs: [[[[0, 0], [0, 1]]]]),
    ])
    func alongAnAxis(_ example: Case) throws { try example.check() }

    private static let batch: [Literal?] = [
        [[[1, 2], [3, 5]], [[0, 4], [2, 2]]], [1, 2], [0, 0.5], [0.5, 1], [1, 2],
    ]

    /// Expected values from NumPy.
    @Test(arguments: [
        Case(
            "BatchNormalization", opset: 15, ["training_mode": .int(1)], inputs: batch,
            outputs: [
                [
                    [[-0.507091394, 0.169030465], [0.5, 3.765975437]],
                    [[-1.183213252, 1.521274181], [-1.132987719, -1.132987719]],
                ], [0.625, 1.2], [1.11875, 1.95],
            ]),
        Case(
            "BatchNormalization", opset: 9, inputs: batch,
            outputs: [
                [
                    [[-0.507091394, 0.169030465], [0.5, 3.765975437]],
                    [[-1.183213252, 1.521274181], [-1.132987719, -1.132987719]],
                ], [0.625, 1.2], [1.11875, 1.95], [1.75, 3], [2.1875, 1.5],
            ]),
    ])
    func batchInTraining(_ example: Case) throws { try example.check() }

    private static let rows: Literal = [[1, 2, 4], [3, 3, 0]]

    @Test(arguments: [
        Case(
            "LayerNormalization", opset: 17, inputs: [rows, [1, 2, 0.5], [0, 1, -1]],
            outputs: [
                [[-1.06904153, 0.465479234, -0.331849043], [0.707105013, 2.41421003, -1.70710501]],
                [[2.33333333], [2]], [[0.801781149], [0.707105013]],
            ]),
        Case(
            "LayerNormalization", opset: 17, ["axis": .int(0), "epsilon": .float(0.1)],
            inputs: [rows, [[1, 1, 1], [1, 1, 1]]],
            outputs: [[[-0.845154255, -0.120736322, 1.32809954], [0.603681611, 0.603681611, -1.56957219]]]),
        Case(
            "LayerNormalization", opset: 17, inputs: [rows, [[1], [2]]],
            outputs: [[[-1.06904153, -0.267260383, 1.33630192], [1.41421003, 1.41421003, -2.82842005]]],
            note: "a scale for each row"),
        Case(
            "LayerNormalization", opset: 17, inputs: [.half(rows), .half([1, 2, 0.5]), .half([0, 1, -1])],
            outputs: [
                .half([[-1.06904153, 0.465479234, -0.331849043], [0.707105013, 2.41421003, -1.70710501]]),
                [[2.33333333], [2]],
            ], tolerance: 1e-3),
        Case(
            "LayerNormalization", opset: 17, inputs: [.double(rows), .double([1, 2, 0.5]), .double([0, 1, -1])],
            outputs: [.double([[-1.06904153, 0.465479234, -0.331849043], [0.707105013, 2.41421003, -1.70710501]])]),
        Case(
            "RMSNormalization", opset: 23, inputs: [rows, [1, 2, 0.5]],
            outputs: [[[0.377964203, 1.51185681, 0.755928406], [1.22474385, 2.4494877, 0]]]),
        Case(
            "RMSNormalization", opset: 23, inputs: [.half(rows), [1, 2, 0.5]],
            outputs: [[[0.377964203, 1.51185681, 0.755928406], [1.22474385, 2.4494877, 0]]], note: "in the scale's type"
        ),
        Case(
            "GroupNormalization", opset: 21, ["num_groups": .int(2)],
            inputs: [[[[1, 3], [2, 2], [5, 1], [0, 4]]], [1, 2, 3, 4], [0, 1, 0, -1]],
            outputs: [[[[-1.41419942, 1.41419942], [1, 1], [3.6380301, -2.18281806], [-5.85070679, 1.91042408]]]]),
        Case(
            "GroupNormalization", opset: 18, ["num_groups": .int(2)],
            inputs: [[[[1, 3], [2, 2], [5, 1], [0, 4]]], [2, 3], [1, -1]],
            outputs: [[[[-1.82839884, 3.82839884], [1, 1], [2.6380301, -3.18281806], [-4.6380301, 1.18281806]]]]),
        Case(
            "InstanceNormalization", opset: 6, ["epsilon": .float(0.01)],
            inputs: [[[[1, 3], [2, 2], [5, 1], [0, 4]]], [1, 2, 3, 4], [0, 1, 0, -1]],
            outputs: [[[[-0.99503719, 0.99503719], [1, 1], [2.99625702, -2.99625702], [-4.99500936, 2.99500936]]]]),
        Case(
            "MeanVarianceNormalization", opset: 13,
            inputs: [
                [[[[0], [1]], [[2.82842712], [5.19615242]]], [[[8], [11.1803399]], [[14.6969385], [18.5202592]]]]
            ],
            outputs: [
                [
                    [[[-1.07446575], [-0.861492973]], [[-1.15183309], [-0.787329203]]],
                    [[[0.629316454], [1.30664227]], [[0.675287026], [1.26387527]]],
                ]
            ]),
        Case("LpNormalization", opset: 1, inputs: [[[3, 4], [0, 0]]], outputs: [[[0.6, 0.8], [0, 0]]]),
        Case(
            "LpNormalization", opset: 22, ["p": .int(1), "axis": .int(0)], inputs: [[[3, 4], [-1, 4]]],
            outputs: [[[0.75, 0.5], [-0.25, 0.5]]]),
        Case(
            "LRN", opset: 13, ["size": .int(3), "alpha": .float(0.3), "beta": .float(0.5), "bias": .float(2)],
            inputs: [[[[[1], [2]], [[3], [4]], [[5], [6]], [[7], [8]]]]],
            outputs: [
                [
                    [
                        [[0.577350269], [1]], [[1.2792043], [1.4509525]], [[1.55794238], [1.62697843]],
                        [[2.28314826], [2.30940108]],
                    ]
                ]
            ]),
        Case(
            "LRN", opset: 13, ["size": .int(2), "alpha": .float(0.2)],
            inputs: [[[[[1], [2]], [[3], [4]], [[5], [6]], [[7], [8]]]]],
            outputs: [
                [
                    [
                        [[0.594603558], [0.877382675]], [[0.987487819], [1.01804324]], [[1.01335249], [0.993360156]],
                        [[1.84909418], [1.78306098]],
                    ]
                ]
            ]),
    ])
    func byStatistics(_ example: Case) throws { try example.check() }

    /// Rows and columns of every length around the kernels' widths, against the definition in binary64.
    @Test(arguments: [1, 2, 7, 31, 32, 33, 64, 100, 300, 4097])
    func softmaxOfAnyLength(_ length: Int) throws {
        var generator = SplitMix64(state: UInt64(length))
        for shape in [[3, length], [2, length, 5], [length, 300]] where shape.reduce(1, *) < 200_000 {
            let values = try generator.tensor(shape).array(of: Float.self).map { $0 * 20 }
            let axis = shape.firstIndex(of: length) ?? 0
            let inner = shape[(axis + 1)...].reduce(1, *)
            // Exponents down to -40 are rounded by up to 2^-19, which their powers inherit.
            for (name, tolerance) in [("Softmax", 3e-6), ("LogSoftmax", 1e-6)] {
                let result = try run(
                    name, [Tensor(values, shape: shape)], opset: 13, threads: 2, attributes: ["axis": .int(Int64(axis))]
                ).array(of: Float.self)
                for line in 0..<values.count / length {
                    let start = line / inner * length * inner + line % inner
                    let indices = stride(from: start, to: start + length * inner, by: inner)
                    let sum = indices.reduce(0) { $0 + exp(Double(values[$1]) - 20) }
                    for index in indices {
                        let exact = exp(Double(values[index]) - 20) / sum
                        let (wanted, scale) = name == "Softmax" ? (exact, exact) : (log(exact), max(1, -log(exact)))
                        guard abs(Double(result[index]) - wanted) > tolerance * scale else { continue }
                        Issue.record("\(name) \(shape) at \(index): \(result[index]), not \(wanted)")
                        return
                    }
                }
            }
        }
    }

    /// A mean that is large beside the deviations: the two passes must not cancel.
    @Test func layerNormalizationOfOffsetData() throws {
        var generator = SplitMix64(state: 5)
        let noise = try generator.tensor([4, 771]).array(of: Float.self)
        let values = noise.map { 100 + $0 }
        let ones = try Tensor([Float](repeating: 1, count: 771), shape: [771])
        let result = try run(
            "LayerNormalization", [Tensor(values, shape: [4, 771]), ones], opset: 17, threads: 1
        ).array(of: Float.self)
        for row in 0..<4 {
            let x = values[row * 771..<(row + 1) * 771].map(Double.init)
            let mean = x.reduce(0, +) / 771
            let deviation = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 771 + 1e-5).squareRoot()
            for (index, value) in x.enumerated() {
                #expect(abs(Double(result[row * 771 + index]) - (value - mean) / deviation) < 2e-5)
            }
        }
    }

    @Test func groupsMustDivideChannels() {
        let example = Case(
            "GroupNormalization", opset: 21, ["num_groups": .int(2)],
            inputs: [[[[1], [2], [3]]], [1, 1, 1], [0, 0, 0]],
            outputs: [[[[0], [0], [0]]]])
        #expect(throws: RuntimeError.self) { try example.check() }
    }
}
