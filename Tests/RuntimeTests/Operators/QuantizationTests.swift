import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Expected values by hand where they are exact, else by ONNX Runtime 1.31's CPU kernels or the onnx package's reference.
@Suite struct QuantizationTests {
    @Test(arguments: [
        Case(
            "QuantizeLinear", opset: 13, inputs: [.flat([0, 2.5, 3.5, -1000, 1000, .nan], [6]), 1, .uint8(10)],
            outputs: [.uint8([10, 12, 14, 0, 255, 0])], note: "halves to even, then the zero point"),
        Case(
            "QuantizeLinear", opset: 13, ["axis": .int(0)],
            inputs: [[[1, 2], [3, 4]], [1, 2], .int8([0, -1])], outputs: [.int8([[1, 2], [1, 1]])], note: "rows"),
        Case(
            "QuantizeLinear", opset: 13, inputs: [[[1, 2], [3, 4]], [1, 2], .int8([0, -1])],
            outputs: [.int8([[1, 0], [3, 1]])], note: "columns"),
        Case("QuantizeLinear", opset: 10, inputs: [[3, 4], 2], outputs: [.uint8([2, 2])], note: "no zero point"),
        Case(
            "QuantizeLinear", opset: 21, ["axis": .int(1), "block_size": .int(2)],
            inputs: [[[2, 4, 6], [8, 10, 12]], [[2, 3], [4, 6]]], outputs: [.uint8([[1, 2, 2], [2, 2, 2]])],
            note: "blocks of which the last is short"),
        Case(
            "QuantizeLinear", opset: 21, ["axis": .int(0), "block_size": .int(2)],
            inputs: [[[2, 4], [6, 8], [10, 12]], [[2, 4], [5, 6]]], outputs: [.uint8([[1, 1], [3, 2], [2, 2]])],
            note: "blocks of rows"),
        Case(
            "QuantizeLinear", opset: 21, ["output_dtype": .int(5)], inputs: [[40_000, -7], 1],
            outputs: [.typed(.int16, [32_767, -7])]),
        Case(
            "QuantizeLinear", opset: 19, inputs: [.half([1, 2]), .typed(.float16, 0.3)], outputs: [.uint8([3, 7])],
            note: "divided in half precision"),
        Case("QuantizeLinear", opset: 19, inputs: [.int32([7, -9]), .int32(2), .int8(0)], outputs: [.int8([4, -4])]),
        Case(
            "DequantizeLinear", opset: 13, inputs: [.uint8([0, 128, 255]), 0.5, .uint8(128)],
            outputs: [[-64, 0, 63.5]]),
        Case(
            "DequantizeLinear", opset: 13, ["axis": .int(-1)], inputs: [.int8([[1, 2], [3, -128]]), [1, 10]],
            outputs: [[[1, 20], [3, -1280]]]),
        Case("DequantizeLinear", opset: 10, inputs: [.int32([1_048_576]), 2], outputs: [[2_097_152]]),
        Case(
            "DequantizeLinear", opset: 23, ["output_dtype": .int(10)], inputs: [.uint8([3]), 0.5],
            outputs: [.half([1.5])]),
        Case(
            "DequantizeLinear", opset: 21, ["axis": .int(0), "block_size": .int(2)],
            inputs: [.uint8([1, 2, 3]), [10, 100]], outputs: [[10, 20, 300]]),
        Case(
            "DynamicQuantizeLinear", opset: 13, inputs: [[-1, 0, 2.5, 1.25]],
            outputs: [.uint8([0, 73, 255, 164]), 0.013_725_490_309_298_038, .uint8(73)]),
    ])
    func linear(_ example: Case) throws { try example.check() }

    @Test func packedTypesAreQuantised() throws {
        let quantized = try run(
            "QuantizeLinear", [Tensor([Float](arrayLiteral: -20, -3, 2.5, 20, 0), shape: [5]), Tensor(Float(1))],
            opset: 21, threads: 1, attributes: ["output_dtype": .int(Int64(ElementType.int4.rawValue))])
        #expect(quantized.withUnsafeBytes { Array($0) } == [0xd8, 0x72, 0x00])
        let back = try run("DequantizeLinear", [quantized, Tensor(Float(2))], opset: 21, threads: 1)
        #expect(try back.array(of: Float.self) == [-16, -6, 4, 14, 0])
    }

    @Test(arguments: [
        Case(
            "MatMulInteger", opset: 10,
            inputs: [
                .flat(Array(repeating: 255, count: 64), [1, 64], .uint8),
                .flat(Array(repeating: 127, count: 64), [64, 1], .int8),
            ], outputs: [.int32([[2_072_640]])], note: "products of pairs do not saturate"),
        Case(
            "MatMulInteger", opset: 10, inputs: [.int8([[-128, 3]]), .uint8([[2], [255]]), .int8(1), .uint8([4])],
            outputs: [.int32([[760]])], note: "zero points of both"),
        Case(
            "MatMulInteger", opset: 10,
            inputs: [.uint8([[[1, 2]], [[3, 4]]]), .uint8([[1, 0], [0, 1]]), .uint8([1]), .uint8([0, 1])],
            outputs: [.int32([[[0, 0]], [[2, -2]]])], note: "a batch with one right operand"),
        Case(
            "QLinearMatMul", opset: 10,
            inputs: [
                .uint8([[1, 250], [7, 9]]), 0.1, .uint8(7), .int8([[1, -2, 3], [-128, 127, 5]]), [0.1, 0.2, 0.3],
                .int8([0, 0, 0]), 3, .uint8(100),
            ], outputs: [.uint8([[0, 255, 112], [99, 102, 100]])], note: "a scale for each column"),
        Case(
            "ConvInteger", opset: 10,
            inputs: [
                .flat(
                    [108, 124, 184, 227, 18, 239, 136, 91, 172, 146, 65, 82, 184, 152, 129, 86, 194, 100],
                    [1, 2, 3, 3], .uint8),
                .flat(
                    [212, 99, 195, 186, 54, 31, 140, 149, 224, 85, 230, 73, 209, 189, 74, 96], [2, 2, 2, 2], .uint8),
                .uint8(120), .uint8(3),
            ],
            outputs: [
                .flat([12_980, 11_002, 20_642, 3156, 17_471, -23_981, 40_489, -4067], [1, 2, 2, 2], .int32)
            ]),
        Case(
            "QLinearConv", opset: 10, ["pads": .ints([1, 1, 0, 0])],
            inputs: [
                .flat(
                    [108, 124, 184, 227, 18, 239, 136, 91, 172, 146, 65, 82, 184, 152, 129, 86, 194, 100],
                    [1, 2, 3, 3], .uint8), 0.02, .uint8(120),
                .flat(
                    [-44, 99, -61, -70, 54, 31, -116, -107, -32, 85, -26, 73, -47, -67, 74, 96], [2, 2, 2, 2], .int8),
                [0.01, 0.03], .int8([0, 0]), 0.5, .uint8(110), .int32([1000, -2000]),
            ],
            outputs: [
                .flat(
                    [110, 112, 113, 105, 107, 108, 116, 105, 114, 110, 104, 104, 121, 109, 138, 111, 89, 131],
                    [1, 2, 3, 3], .uint8)
            ], note: "padding is the zero point, each channel has its scale"),
    ])
    func products(_ example: Case) throws { try example.check() }

    /// Operators of `com.microsoft`.
    @Test(arguments: [
        Case(
            "QLinearAdd", domain: "com.microsoft", opset: 1,
            inputs: [
                .uint8([0, 100, 255]), 0.1, .uint8(10), .uint8([3, 128, 200]), 0.2, .uint8(128), 0.3, .uint8(20),
            ], outputs: [.uint8([0, 50, 150])]),
        Case(
            "QLinearAdd", domain: "com.microsoft", opset: 1,
            inputs: [.int8([-128, 0, 127]), 0.1, .int8(10), .int8([5]), 0.2, .int8(-3), 0.3, .int8(2)],
            outputs: [.int8([-39, 4, 46])], note: "broadcast, signed"),
        Case(
            "QLinearMul", domain: "com.microsoft", opset: 1,
            inputs: [
                .uint8([0, 100, 255]), 0.1, .uint8(10), .uint8([3, 128, 200]), 0.2, .uint8(128), 3, .uint8(120),
            ], outputs: [.uint8([128, 120, 238])]),
        Case(
            "QLinearSigmoid", domain: "com.microsoft", opset: 1,
            inputs: [.uint8([0, 100, 255]), 0.05, .uint8(128), 0.003_906_25, .uint8(0)],
            outputs: [.uint8([0, 51, 255])]),
        Case(
            "QLinearLeakyRelu", domain: "com.microsoft", opset: 1, ["alpha": .float(0.2)],
            inputs: [.int8([-128, -5, 0, 127]), 0.1, .int8(-3), 0.1, .int8(0)], outputs: [.int8([-25, 0, 3, 127])]),
        Case(
            "QLinearSoftmax", domain: "com.microsoft", opset: 1, ["opset": .int(13), "axis": .int(-1)],
            inputs: [.uint8([[10, 20, 200], [0, 0, 255]]), 0.05, .uint8(3), 0.003_906_25, .uint8(0)],
            outputs: [.uint8([[0, 0, 255], [0, 0, 255]])]),
        Case(
            "QLinearConcat", domain: "com.microsoft", opset: 1, ["axis": .int(0)],
            inputs: [0.2, .uint8(5), .uint8([1, 2]), 0.1, .uint8(0), .uint8([250, 100]), 0.4, .uint8(50)],
            outputs: [.uint8([5, 6, 255, 105])]),
        Case(
            "QLinearAveragePool", domain: "com.microsoft", opset: 1,
            [
                "kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]),
                "count_include_pad": .int(1),
            ],
            inputs: [.flat((0..<32).map { Double($0 * 7) }, [1, 2, 4, 4], .uint8), 0.1, .uint8(3), 0.2, .uint8(10)],
            outputs: [.uint8([[[[13, 18], [29, 44]], [[38, 56], [66, 100]]]])]),
        Case(
            "QLinearGlobalAveragePool", domain: "com.microsoft", opset: 1,
            inputs: [.flat((0..<32).map { Double($0 * 7) }, [1, 2, 4, 4], .uint8), 0.1, .uint8(3), 0.05, .uint8(10)],
            outputs: [.uint8([[[[109]], [[255]]]])]),
        Case(
            "MatMulIntegerToFloat", domain: "com.microsoft", opset: 1,
            inputs: [
                .uint8([[1, 250], [7, 9]]), .int8([[1, -2, 3], [-128, 127, 5]]), 0.1, [0.1, 0.2, 0.3], .uint8(7),
                .int8([0, 1, -2]), [1, 2, 3],
            ], outputs: [[[-310.1, 614.72, 53.13], [-1.56, 7.04, 3.42]]]),
        Case(
            "DynamicQuantizeMatMul", domain: "com.microsoft", opset: 1,
            inputs: [
                [[1, -2.5], [0.7, 9]], .int8([[1, -2, 3], [-128, 127, 5]]), [0.1, 0.2, 0.3], .int8([0, 1, -2]),
                [1, 2, 3],
            ],
            outputs: [
                [
                    [32.848_236_083_984_375, -61.101_181_030_273_44, -0.720_588_445_663_452_1],
                    [-114.378_829_956_054_69, 228.861_190_795_898_44, 23.023_530_960_083_008],
                ]
            ]),
        Case(
            "QGemm", domain: "com.microsoft", opset: 1, ["alpha": .float(0.5)],
            inputs: [
                .uint8([[1, 250], [7, 9]]), 0.1, .uint8(7), .int8([[1, -2, 3], [-128, 127, 5]]), 0.2, .int8(1),
                .int32([5, -6, 7]), 3, .uint8(100),
            ], outputs: [.uint8([[0, 202, 103], [99, 101, 100]])]),
        Case(
            "QGemm", domain: "com.microsoft", opset: 1, ["transB": .int(1)],
            inputs: [
                .uint8([[1, 250], [7, 9]]), 0.1, .uint8(7), .int8([[1, -2], [3, -128], [127, 5]]), [0.2, 0.3, 0.4],
                .int8([1, 2, 3]), .int32([5, -6, 7]),
            ], outputs: [[[-14.48, -948.06, -10.04], [-0.02, -7.98, 0.44]]], note: "as floats"),
        Case(
            "MatMulNBits", domain: "com.microsoft", opset: 1,
            ["K": .int(20), "N": .int(2), "bits": .int(4), "block_size": .int(16)],
            inputs: [
                [
                    [2, 1, 0, -2, -1, -3, -3, -3, -2, 2, 1, 3, 0, 1, 3, 2, 1, 0, 0, 3],
                    [-2, 2, 1, -3, -1, 3, 0, -3, 2, 2, 2, -2, -3, 3, -3, 0, -3, -1, 0, -1],
                ],
                .flat(
                    [
                        103, 7, 1, 31, 2, 171, 134, 165, 65, 157, 195, 98, 117, 255, 206, 251, 97, 175, 243, 166, 215,
                        176, 180, 99, 224, 34, 148, 184, 216, 134, 96, 79,
                    ], [2, 2, 8], .uint8), [0.5, 0.25, 1, 2], .uint8([0x53, 0x9f]),
            ], outputs: [[[26, -106], [4.25, 125]]]),
    ])
    func microsoft(_ example: Case) throws { try example.check() }
}

/// Tiles of every size against the definition, with zero points for each row and column.
@Test(arguments: [(1, 1, 1), (3, 5, 7), (6, 16, 2), (65, 700, 33), (300, 17, 129), (7, 1000, 512), (513, 1, 64)])
func integerProductBlocks(_ rows: Int, _ columns: Int, _ inner: Int) throws {
    var random = SplitMix64(state: UInt64(rows * columns + inner))
    let left = (0..<rows * inner).map { _ in UInt8.random(in: 0...255, using: &random) }
    let right = (0..<inner * columns).map { _ in Int8.random(in: -128...127, using: &random) }
    let leftZeros = (0..<rows).map { _ in UInt8.random(in: 0...255, using: &random) }
    let rightZeros = (0..<columns).map { _ in Int8.random(in: -128...127, using: &random) }
    var expected = [Int32](repeating: 0, count: rows * columns)
    for row in 0..<rows {
        for k in 0..<inner {
            let factor = Int32(left[row * inner + k]) - Int32(leftZeros[row])
            for column in 0..<columns {
                expected[row * columns + column] +=
                    factor * (Int32(right[k * columns + column]) - Int32(rightZeros[column]))
            }
        }
    }
    for threads in 1...3 {
        let result = try run(
            "MatMulInteger",
            [
                Tensor(left, shape: [rows, inner]), Tensor(right, shape: [inner, columns]),
                Tensor(leftZeros, shape: [rows]), Tensor(rightZeros, shape: [columns]),
            ], opset: 10, threads: threads)
        #expect(try result.array(of: Int32.self) == expected)
    }
}
