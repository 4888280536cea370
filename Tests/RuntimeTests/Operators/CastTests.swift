import ONNXLoader
import Testing

@testable import Runtime

/// Expected values by hand, under the tables of the ONNX specification for Cast.
@Suite struct CastTests {
    private static func to(_ type: ElementType) -> [String: Attribute] { ["to": .int(Int64(type.rawValue))] }

    @Test(arguments: [
        Case("Cast", opset: 13, to(.int32), inputs: [[1.9, -1.9, 0]], outputs: [.int32([1, -1, 0])]),
        Case(
            "Cast", opset: 13, to(.uint8), inputs: [.int32([200, 256, -1])], outputs: [.uint8([200, 0, 255])],
            note: "wraps"),
        Case(
            "Cast", opset: 13, to(.int8), inputs: [.flat([1e9, -1e9, .nan], [3])], outputs: [.int8([127, -128, 0])],
            note: "saturates"),
        Case("Cast", opset: 13, to(.bool), inputs: [[0, -0.5, 2]], outputs: [.bool([0, 1, 1])]),
        Case("Cast", opset: 13, to(.float32), inputs: [.bool([1, 0])], outputs: [[1, 0]]),
        Case(
            "Cast", opset: 13, to(.float16), inputs: [.flat([1, 65_520, 2049], [3])],
            outputs: [.flat([1, .infinity, 2048], [3], .float16)]),
        Case("Cast", opset: 13, to(.float64), inputs: [.half([0.5, -2])], outputs: [.double([0.5, -2])]),
        Case("Cast", opset: 13, to(.bfloat16), inputs: [[1, 257]], outputs: [.typed(.bfloat16, [1, 256])]),
        Case("Cast", opset: 13, to(.float32), inputs: [[1, 2]], outputs: [[1, 2]], note: "itself"),
        Case("Cast", opset: 13, to(.int64), inputs: [.uint8([255])], outputs: [.int64([255])]),
        Case(
            "Cast", opset: 13, to(.float32),
            inputs: [.strings(["3.5", "-1e3", "+INF", "inf", "-INF", "nan"], [6])],
            outputs: [.flat([3.5, -1000, .infinity, .infinity, -.infinity, .nan], [6])]),
        Case(
            "Cast", opset: 13, to(.int64), inputs: [.strings(["9007199254740993", "-4"], [2])],
            outputs: [.flat([9_007_199_254_740_993, -4], [2], .int64)]),
        Case("Cast", opset: 13, to(.int32), inputs: [.strings(["100.5"], [1])], outputs: [.int32([100])]),
        Case(
            "Cast", opset: 13, to(.string), inputs: [.flat([3.5, -.infinity, .infinity, .nan, 0.1], [5])],
            outputs: [.strings(["3.5", "-INF", "INF", "NaN", "0.1"], [5])]),
        Case("Cast", opset: 13, to(.string), inputs: [.int64([-7, 12])], outputs: [.strings(["-7", "12"], [2])]),
        Case("CastLike", opset: 15, inputs: [[1.5, -2], .int64([0])], outputs: [.int64([1, -2])]),
    ])
    func cast(_ example: Case) throws { try example.check() }

    @Test func wordsAreNotNumbers() {
        let example = Case("Cast", opset: 13, Self.to(.float32), inputs: [.strings(["Hello"], [1])], outputs: [[0]])
        let error = #expect(throws: RuntimeError.self) { try example.check() }
        #expect(error?.description.contains("Hello") == true)
    }

    /// Codes of binary32 values, from the tables of the specification and of the OCP 8-bit floating-point format.
    @Test(
        arguments: [
            (
                .float8E4M3FN, true, [0, 1, -1.5, 448, 1e6, 0x1p-9, 464, .infinity, -.infinity],
                [0, 0x38, 0xbc, 0x7e, 0x7e, 1, 0x7e, 0x7e, 0xfe]
            ),
            (.float8E4M3FN, false, [464, 465, .infinity, -1e6, .nan], [0x7e, 0x7f, 0x7f, 0xff, 0x7f]),
            (.float8E4M3FNUZ, true, [-0.0, 1, 240, 1000, .nan], [0, 0x40, 0x7f, 0x7f, 0x80]),
            (.float8E4M3FNUZ, false, [1000, -.infinity], [0x80, 0x80]),
            (.float8E5M2, true, [1, -0.0, 57344, 61440, .infinity], [0x3c, 0x80, 0x7b, 0x7b, 0x7b]),
            (.float8E5M2, false, [61440, 61439, -.infinity], [0x7c, 0x7b, 0xfc]),
            (.float8E5M2FNUZ, true, [1, 1e9, -1e9], [0x40, 0x7f, 0xff]),
            (.float8E8M0, true, [1, 1.1, 2, 0], [127, 128, 128, 0]),
        ] as [(ElementType, Bool, [Float], [UInt8])])
    func smallFloatCodes(_ type: ElementType, _ saturates: Bool, _ values: [Float], _ codes: [UInt8]) throws {
        let format = try #require(SmallFloat(type))
        #expect(values.map { format.code(of: $0, saturates: saturates) } == codes)
    }

    /// Every finite code is the nearest to its own value.
    @Test(arguments: [
        ElementType.float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float4E2M1, .float8E8M0,
    ])
    func smallFloatsSurviveARoundTrip(_ type: ElementType) throws {
        let format = try #require(SmallFloat(type))
        for (code, value) in format.values.enumerated() where value.isFinite {
            #expect(Int(format.code(of: value, saturates: true)) == code)
        }
    }

    @Test func packedTypesHoldTheirElements() throws {
        let values: [Float] = [-8, 7, 3, -1, 5]
        let input = try Tensor(values, shape: [5])
        let packed = try run("Cast", [input], opset: 21, threads: 1, attributes: Self.to(.int4))
        #expect(packed.withUnsafeBytes { Array($0) } == [0x78, 0xf3, 0x05])
        let back = try run("Cast", [packed], opset: 21, threads: 1, attributes: Self.to(.float32))
        #expect(try back.array(of: Float.self) == values)
        let pairs = try run(
            "Cast", [Tensor([Int64](0...4), shape: [5])], opset: 25, threads: 1, attributes: Self.to(.uint2))
        #expect(pairs.withUnsafeBytes { Array($0) } == [0b1110_0100, 0])
    }
}

/// Expected values by hand.
@Suite struct DropoutTests {
    @Test(arguments: [
        Case("Dropout", opset: 13, inputs: [[1, 2]], outputs: [[1, 2]]),
        Case("Dropout", opset: 13, inputs: [[1, 2], 0.5, .bool(0)], outputs: [[1, 2], .bool([1, 1])]),
        Case("Dropout", opset: 10, inputs: [[1, 2]], outputs: [[1, 2], .bool([1, 1])]),
        Case("Dropout", opset: 7, ["ratio": .float(0.3)], inputs: [[1, 2]], outputs: [[1, 2], [1, 1]]),
    ])
    func inference(_ example: Case) throws { try example.check() }

    /// Draws from NumPy's RandomState(5).
    @Test func training() throws {
        let example = Case(
            "Dropout", opset: 13, ["seed": .int(5)], inputs: [[1, 2, 3, 4, 5, 6, 7, 8], 0.25, .bool(1)],
            outputs: [
                [0, 2.66666667, 0, 5.33333333, 6.66666667, 8, 9.33333333, 10.6666667],
                .bool([0, 1, 0, 1, 1, 1, 1, 1]),
            ])
        try example.check(gradient: false)
        let error = #expect(throws: RuntimeError.self) { try example.checkGradient() }
        #expect(error?.description.contains("training_mode") == true)
    }
}
