import ONNXLoader
import Testing

/// Expected values by hand.
@Suite struct ComparisonTests {
    @Test(arguments: [
        Case("Equal", opset: 19, inputs: [[1, 2, 3], [1, 5, 3]], outputs: [.bool([1, 0, 1])]),
        Case("Equal", opset: 13, inputs: [.bool([1, 0]), .bool([[1], [0]])], outputs: [.bool([[1, 0], [0, 1]])]),
        Case(
            "Equal", opset: 7, inputs: [.int64([9_007_199_254_740_992]), .int64([9_007_199_254_740_992])],
            outputs: [.bool([1])]),
        Case(
            "Equal", opset: 19, inputs: [.strings(["cat", "e\u{301}", ""], [3]), .strings(["cat", "é", "x"], [3])],
            outputs: [.bool([1, 0, 0])], note: "bytes count"),
        Case(
            "Equal", opset: 19, inputs: [.strings(["a", "b"], [2]), .strings(["b"], [])], outputs: [.bool([0, 1])]),
        Case("Equal", opset: 19, inputs: [.flat([.nan], [1]), .flat([.nan], [1])], outputs: [.bool([0])]),
        Case("Greater", opset: 13, inputs: [[1, 2, 3], 2], outputs: [.bool([0, 0, 1])]),
        Case("GreaterOrEqual", opset: 16, inputs: [[1, 2, 3], 2], outputs: [.bool([0, 1, 1])]),
        Case("Less", opset: 9, inputs: [.int32([1, 2, 3]), .int32(2)], outputs: [.bool([1, 0, 0])]),
        Case("LessOrEqual", opset: 12, inputs: [.uint8([1, 2, 255]), .uint8([2])], outputs: [.bool([1, 1, 0])]),
        Case("Less", opset: 13, inputs: [.half([1, 2]), .half([2, 1])], outputs: [.bool([1, 0])]),
    ])
    func comparison(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case("Where", opset: 16, inputs: [.bool([1, 0]), [1, 2], [3, 4]], outputs: [[1, 4]]),
        Case(
            "Where", opset: 9, inputs: [.bool([[1], [0]]), .int64([1, 2]), .int64(9)],
            outputs: [.int64([[1, 2], [9, 9]])]),
        Case(
            "Where", opset: 16, inputs: [.bool([1, 0]), .strings(["yes"], [1]), .strings(["no"], [])],
            outputs: [.strings(["yes", "no"], [2])]),
        Case(
            "Where", opset: 16, inputs: [.bool([1, 0, 1]), .bool([0, 0, 1]), .bool(1)], outputs: [.bool([0, 1, 1])]),
        Case("Where", opset: 16, inputs: [.bool([0, 1]), .half([1, 2]), .half([3, 4])], outputs: [.half([3, 2])]),
        Case(
            "Where", opset: 16, inputs: [.bool([0, 1]), .uint8([1, 2]), .uint8([3, 4])], outputs: [.uint8([3, 2])]),
    ])
    func choice(_ example: Case) throws { try example.check() }
}
