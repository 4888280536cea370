import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Constant exponents that are computed without the power against the power in binary64: within 2 units in the last
/// place, and the same signs of zeros and infinities.
@Test(arguments: [-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4])
func constantExponent(_ exponent: Double) throws {
    var random = SplitMix64(state: 1)
    let special: [Float] = [
        0, -0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude,
        .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 2e19, -3e-20, 1e-12, 1e12,
    ]
    let bases = special + (0..<200).map { _ in Float.random(in: -20...20, using: &random) }
    let context = RunContext(pool: ThreadPool(threads: 1), budget: MemoryBudget(limit: nil))
    var reader = NodeReader(Node(operatorName: "Pow", inputs: ["x", "e"], outputs: ["y"], attributes: [:]), opset: 15)
    let output = try context.budget.allocate(ValueType(.float32, [bases.count]))
    var step = Step(
        name: "", operatorName: "Pow",
        inputs: [.tensor(try Tensor(bases, shape: [bases.count])), .tensor(try Tensor([Float(exponent)], shape: [1]))],
        outputs: [.tensor(output)], arity: 1, context: context)
    try Power(&reader).run(&step)
    for (base, result) in zip(bases, try step.output(0).array(of: Float.self)) {
        let exact = pow(Double(base), exponent)
        let expected = Float(exact)
        let isClose =
            expected.isFinite && expected != 0
            ? abs(Double(result) - exact) <= 2 * Double(expected.ulp)
            : expected.isNaN ? result.isNaN : result == expected && result.sign == expected.sign
        #expect(isClose, "\(base) to the power of \(exponent) is \(expected), not \(result)")
    }
}
