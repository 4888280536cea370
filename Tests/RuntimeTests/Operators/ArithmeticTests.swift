import ONNXLoader
import Testing

@testable import Runtime

/// Expected values by hand, under the definitions of the ONNX specification and NumPy's rules for broadcasting.
@Suite struct ArithmeticTests {
    @Test(arguments: [
        Case("Add", opset: 14, inputs: [[1, 2], [10, 20]], outputs: [[11, 22]]),
        Case(
            "Add", opset: 7, inputs: [[[1, 2], [3, 4]], [10, 20]], outputs: [[[11, 22], [13, 24]]], note: "rows"),
        Case(
            "Sub", opset: 13, inputs: [[[1, 2], [3, 4]], [[10], [20]]], outputs: [[[-9, -8], [-17, -16]]],
            note: "columns"),
        Case("Sub", opset: 14, inputs: [5, [1, 2, 3]], outputs: [[4, 3, 2]], note: "scalar first"),
        Case(
            "Mul", opset: 14, inputs: [[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]], [[[[10]], [[100]]]]],
            outputs: [[[[[10, 20], [30, 40]], [[500, 600], [700, 800]]]]], note: "channels"),
        Case(
            "Mul", opset: 14, inputs: [[[1], [2]], [[3, 4]]], outputs: [[[3, 4], [6, 8]]], note: "outer product"),
        Case(
            "Mul", opset: 14, inputs: [.flat([], [0, 2]), [1, 2]], outputs: [.flat([], [0, 2])], note: "no elements"),
        Case("Div", opset: 14, inputs: [[1, 0, -1], [4, 0, 0]], outputs: [.flat([0.25, .nan, -.infinity], [3])]),
        Case(
            "Div", opset: 14, inputs: [.int32([7, -7, 7, -7]), .int32([2, 2, -2, -2])],
            outputs: [.int32([3, -3, -3, 3])]),
        Case(
            "Div", opset: 14, inputs: [.int8([-128, 127]), .int8([-1, -1])], outputs: [.int8([-128, -127])],
            note: "wraps"),
        Case("Add", opset: 14, inputs: [.uint8([250, 1]), .uint8(10)], outputs: [.uint8([4, 11])], note: "wraps"),
        Case("Mul", opset: 14, inputs: [.half([1.5, -2]), .half([2, 2])], outputs: [.half([3, -4])]),
        Case(
            "Sub", opset: 14, inputs: [.double([1, 2]), .double([[1], [2]])], outputs: [.double([[0, 1], [-1, 0]])]),
        Case(
            "Add", opset: 14, inputs: [.typed(.bfloat16, [1, 2]), .typed(.bfloat16, 1)],
            outputs: [.typed(.bfloat16, [2, 3])]),
    ])
    func arithmetic(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case(
            "Mod", opset: 13, inputs: [.int32([7, -7, 7, -7]), .int32([3, 3, -3, -3])],
            outputs: [.int32([1, 2, -2, -1])]),
        Case(
            "Mod", opset: 13, ["fmod": .int(1)], inputs: [.int32([7, -7, 7, -7]), .int32([3, 3, -3, -3])],
            outputs: [.int32([1, -1, 1, -1])]),
        Case("Mod", opset: 13, ["fmod": .int(1)], inputs: [[5.5, -5.5], [2, 2]], outputs: [[1.5, -1.5]]),
        Case("Mod", opset: 13, inputs: [.int8([-128, 5]), .int8([-1, 5])], outputs: [.int8([0, 0])]),
        Case("Mod", opset: 13, inputs: [.uint8([250]), .uint8([7])], outputs: [.uint8([5])]),
        Case("Pow", opset: 15, inputs: [[2, 3, 4], [3, 2, 0.5]], outputs: [[8, 9, 2]]),
        Case("Pow", opset: 15, inputs: [[-3, 2], 2], outputs: [[9, 4]], note: "square"),
        Case("Pow", opset: 7, inputs: [[4, 9, 2.25], [0.5]], outputs: [[2, 3, 1.5]], note: "square root"),
        Case("Pow", opset: 12, inputs: [[2, 4], .int64([2, -1])], outputs: [[4, 0.25]], note: "integer exponents"),
        Case(
            "Pow", opset: 15, inputs: [.int32([2, -3, -1, 5]), .int32([10, 3, -3, -1])],
            outputs: [.int32([1024, -27, -1, 0])]),
        Case(
            "Pow", opset: 15, inputs: [.int64([4, 2]), [0.5, 3]], outputs: [.int64([2, 8])], note: "float exponents"),
        Case("Pow", opset: 15, inputs: [.half([3, 2]), .half(2)], outputs: [.half([9, 4])]),
    ])
    func remaindersAndPowers(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case("Max", opset: 13, inputs: [[1, 5, 2], [3, 2, 2]], outputs: [[3, 5, 2]]),
        Case(
            "Max", opset: 8, inputs: [[1, 2], [[0], [3]], 1.5], outputs: [[[1.5, 2], [3, 3]]], note: "three shapes"),
        Case("Min", opset: 13, inputs: [.int64([1, 5, 2]), .int64(2)], outputs: [.int64([1, 2, 2])]),
        Case(
            "Max", opset: 13, inputs: [.flat([.nan, 1], [2]), .flat([1, .nan], [2])],
            outputs: [.flat([.nan, .nan], [2])],
            note: "NaN stays"),
        Case("Max", opset: 13, inputs: [.half([1, 3]), .half([2, 2])], outputs: [.half([2, 3])]),
        Case("Sum", opset: 13, inputs: [[1, 2]], outputs: [[1, 2]], note: "one input"),
        Case("Sum", opset: 8, inputs: [[1, 2], [[10], [20]], 100], outputs: [[[111, 112], [121, 122]]]),
        Case("Mean", opset: 13, inputs: [[1, 2], [3, 5], [5, 11]], outputs: [[3, 6]]),
        Case("Mean", opset: 13, inputs: [.double([1, 2]), .double([2, 4])], outputs: [.double([1.5, 3])]),
    ])
    func variadic(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case(
            "BitShift", opset: 11, ["direction": .string(Array("LEFT".utf8))],
            inputs: [.uint8([16, 4, 1]), .uint8([1, 2, 9])],
            outputs: [.uint8([32, 16, 0])]),
        Case(
            "BitShift", opset: 11, ["direction": .string(Array("RIGHT".utf8))],
            inputs: [.uint8([16, 4, 255]), .uint8([1, 2, 8])],
            outputs: [.uint8([8, 1, 0])]),
        Case("BitwiseAnd", opset: 18, inputs: [.int32([12, -1]), .int32([10, 5])], outputs: [.int32([8, 5])]),
        Case("BitwiseOr", opset: 18, inputs: [.int32([12, 1]), .int32(10)], outputs: [.int32([14, 11])]),
        Case("BitwiseXor", opset: 18, inputs: [.uint8([12, 255]), .uint8([10, 15])], outputs: [.uint8([6, 240])]),
        Case("BitwiseNot", opset: 18, inputs: [.int8([0, 5, -1])], outputs: [.int8([-1, -6, 0])]),
        Case("And", opset: 7, inputs: [.bool([1, 1, 0, 0]), .bool([1, 0, 1, 0])], outputs: [.bool([1, 0, 0, 0])]),
        Case("Or", opset: 7, inputs: [.bool([[1], [0]]), .bool([1, 0])], outputs: [.bool([[1, 1], [1, 0]])]),
        Case("Xor", opset: 7, inputs: [.bool([1, 1, 0, 0]), .bool([1, 0, 1, 0])], outputs: [.bool([0, 1, 1, 0])]),
        Case("Not", opset: 1, inputs: [.bool([1, 0])], outputs: [.bool([0, 1])]),
    ])
    func bitsAndTruth(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case("Div", opset: 14, inputs: [.int32([1]), .int32([0])], outputs: [.int32([0])]),
        Case("Mod", opset: 13, inputs: [.int64([1, 2]), .int64([1, 0])], outputs: [.int64([0, 0])]),
        Case("Pow", opset: 15, inputs: [.int32([0]), .int32([-1])], outputs: [.int32([0])]),
    ])
    func integersByZeroAreAnError(_ example: Case) {
        let error = #expect(throws: RuntimeError.self) { try example.check() }
        #expect(error?.description.contains("zero") == true)
    }

    @Test func elementTypesMustAgree() {
        let example = Case("Add", opset: 14, inputs: [[1], .int32([1])], outputs: [[2]])
        #expect(throws: RuntimeError.self) { try example.check() }
    }

    @Test func shapesMustBroadcast() {
        let example = Case("Add", opset: 14, inputs: [[1, 2], [1, 2, 3]], outputs: [[2]])
        #expect(throws: RuntimeError.self) { try example.check() }
    }
}
