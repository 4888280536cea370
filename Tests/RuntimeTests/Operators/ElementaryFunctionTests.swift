import ONNXLoader
import Testing

/// Expected values from NumPy and SciPy in binary64; those of Abs, Neg, Sign, roundings and classes by hand.
@Suite struct ElementaryFunctionTests {
    private static let x: Literal = [0.25, 0.5, 1]

    @Test(
        arguments: [
            ("Sqrt", x, [0.5, 0.707106781, 1]),
            ("Reciprocal", x, [4, 2, 1]),
            ("Exp", x, [1.28402542, 1.64872127, 2.71828183]),
            ("Log", x, [-1.38629436, -0.693147181, 0]),
            ("Sin", x, [0.247403959, 0.479425539, 0.841470985]),
            ("Cos", x, [0.968912422, 0.877582562, 0.540302306]),
            ("Tan", x, [0.255341921, 0.54630249, 1.55740772]),
            ("Asin", x, [0.252680255, 0.523598776, 1.57079633]),
            ("Acos", x, [1.31811607, 1.04719755, 0]),
            ("Atan", x, [0.244978663, 0.463647609, 0.785398163]),
            ("Sinh", x, [0.252612317, 0.521095305, 1.17520119]),
            ("Cosh", x, [1.0314131, 1.12762597, 1.54308063]),
            ("Asinh", x, [0.247466462, 0.481211825, 0.881373587]),
            ("Acosh", [1, 2, 10], [0, 1.3169579, 2.99322285]),
            ("Atanh", [-0.5, 0.25, 0.9], [-0.549306144, 0.255412812, 1.47221949]),
            ("Erf", [-2, -0.5, 0.25, 1, 3], [-0.995322265, -0.520499878, 0.27632639, 0.842700793, 0.99997791]),
        ] as [(String, Literal, Literal)])
    func function(_ name: String, _ input: Literal, _ output: Literal) throws {
        try Case(name, opset: 22, inputs: [input], outputs: [output]).check()
        try Case(name, opset: 22, inputs: [.double(input)], outputs: [.double(output)], tolerance: 1e-8).check()
        try Case(name, opset: 22, inputs: [.half(input)], outputs: [.half(output)], tolerance: 2e-3).check()
    }

    @Test(arguments: [
        Case("Abs", opset: 13, inputs: [[-1.5, 0, 2]], outputs: [[1.5, 0, 2]]),
        Case("Abs", opset: 6, inputs: [.int8([-128, -1, 3])], outputs: [.int8([-128, 1, 3])], note: "wraps"),
        Case("Abs", opset: 13, inputs: [.uint8([200])], outputs: [.uint8([200])]),
        Case("Neg", opset: 13, inputs: [[-1.5, 0, 2]], outputs: [[1.5, 0, -2]]),
        Case("Neg", opset: 13, inputs: [.int64([5, -7])], outputs: [.int64([-5, 7])]),
        Case("Sign", opset: 13, inputs: [.flat([-1.5, 0, 2, .nan], [4])], outputs: [.flat([-1, 0, 1, .nan], [4])]),
        Case("Sign", opset: 9, inputs: [.int32([-9, 0, 4])], outputs: [.int32([-1, 0, 1])]),
        Case("Floor", opset: 13, inputs: [[-1.5, -0.2, 1.8]], outputs: [[-2, -1, 1]]),
        Case("Ceil", opset: 6, inputs: [[-1.5, 0.2, 1.8]], outputs: [[-1, 1, 2]]),
        Case(
            "Round", opset: 11, inputs: [[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6]],
            outputs: [[-2, -2, 0, 0, 2, 2, 2, 3]]),
        Case("Round", opset: 22, inputs: [.double([0.5, 1.5, -0.6])], outputs: [.double([0, 2, -1])]),
        Case("IsNaN", opset: 13, inputs: [.flat([1, .nan, .infinity], [3])], outputs: [.bool([0, 1, 0])]),
        Case(
            "IsInf", opset: 10, inputs: [.flat([1, -.infinity, .infinity, .nan], [4])], outputs: [.bool([0, 1, 1, 0])]),
        Case(
            "IsInf", opset: 20, ["detect_negative": .int(0)], inputs: [.flat([-.infinity, .infinity], [2])],
            outputs: [.bool([0, 1])]),
        Case(
            "IsInf", opset: 20, ["detect_positive": .int(0)], inputs: [.flat([-.infinity, .infinity], [2], .float16)],
            outputs: [.bool([1, 0])]),
        Case(
            "Log", opset: 13, inputs: [.flat([0, -1, .infinity], [3])],
            outputs: [.flat([-.infinity, .nan, .infinity], [3])]),
        Case(
            "Exp", opset: 13, inputs: [.flat([-.infinity, 1000, -1000, .nan], [4])],
            outputs: [.flat([0, .infinity, 0, .nan], [4])]),
    ])
    func signsRoundingsAndClasses(_ example: Case) throws { try example.check() }
}
