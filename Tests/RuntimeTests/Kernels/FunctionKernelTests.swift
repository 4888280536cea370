import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// The vectorised functions against the C library in binary64.
@Suite struct FunctionKernelTests {
    struct Sweep: Sendable, CustomTestStringConvertible {
        let name: String
        let range: ClosedRange<Float>
        let exact: @Sendable (Double) -> Double
        /// Errors are relative to the result, or to this where the result is smaller.
        let floor: Double

        init(
            _ name: String, _ range: ClosedRange<Float>, floor: Double = 1e-36,
            exact: @escaping @Sendable (Double) -> Double
        ) {
            self.name = name
            self.range = range
            self.exact = exact
            self.floor = floor
        }

        var testDescription: String { "\(name) \(range)" }
    }

    private static let sweeps: [Sweep] = [
        Sweep("Exp", -87...88.5) { exp($0) },
        // Near its zero at 1, the error of the logarithm is that of its terms.
        Sweep("Log", 1e-30...4, floor: 0.2) { log($0) },
        Sweep("Log", 1e-3...1e30) { log($0) },
        Sweep("Tanh", -12...12) { tanh($0) },
        Sweep("Tanh", -1e-3...1e-3) { tanh($0) },
        Sweep("Erf", -5...5) { erf($0) },
        Sweep("Erf", -1e-3...1e-3) { erf($0) },
        Sweep("Sigmoid", -80...80) { 1 / (1 + exp(-$0)) },
        Sweep("Softplus", -80...80) { max($0, 0) + log1p(exp(-abs($0))) },
        Sweep("Mish", -80...80) { $0 * tanh(log1p(exp($0))) },
    ]

    @Test(arguments: sweeps)
    func relativeError(_ sweep: Sweep) throws {
        let (low, high) = (sweep.range.lowerBound, sweep.range.upperBound)
        let inputs = (0...20_000).map { low + (high - low) * Float($0) / 20_000 }
        let outputs = try apply(sweep.name, inputs)
        let errors = zip(inputs, outputs).map { input, output in
            let exact = sweep.exact(Double(input))
            return abs(Double(output) - exact) / max(abs(exact), sweep.floor)
        }
        #expect(try #require(errors.max()) < 3.5e-7)
    }

    @Test(
        arguments: [
            ("Exp", [0, .infinity, .nan, 1, 1]),
            ("Log", [.nan, .infinity, .nan, -.infinity, logf(1e-42)]),
            ("Tanh", [-1, 1, .nan, 0, 1e-42]),
            ("Erf", [-1, 1, .nan, 0, erff(1e-42)]),
            ("Sigmoid", [0, 1, .nan, 0.5, 0.5]),
            ("Softplus", [0, .infinity, .nan, logf(2), logf(2)]),
            ("Elu", [-1, .infinity, .nan, 0, 1e-42]),
            ("Relu", [0, .infinity, .nan, 0, 1e-42]),
            ("Gelu", [.nan, .infinity, .nan, 0, 0.5 * 1e-42]),
        ] as [(String, [Float])])
    func specialValues(_ name: String, _ expected: [Float]) throws {
        let outputs = try apply(name, [-.infinity, .infinity, .nan, -0.0, 1e-42])
        for (output, wanted) in zip(outputs, expected) {
            #expect(output == wanted || output.isNaN && wanted.isNaN, "\(outputs)")
        }
    }

    /// Every activation in place on part of a block, against its definition in binary64; the rest of the block stays.
    @Test(arguments: [
        ActivationKernel.none, .relu, .clip(low: -0.5, high: 1), .leakyRelu(slope: 0.1), .sigmoid,
        .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .gelu(approximate: false), .gelu(approximate: true), .tanh,
        .swish(alpha: 1), .swish(alpha: 1.7), .mish, .elu(alpha: 1.5), .selu(alpha: 1.67, gamma: 1.05), .celu(alpha: 2),
        .softplus, .softsign,
    ])
    func activationInPlace(_ activation: ActivationKernel) throws {
        var generator = SplitMix64(state: 1)
        for count in [1, 8, 37, 1000] {
            let inputs = try generator.tensor([count + 2]).array(of: Float.self).map { $0 * 9 }
            var tensor = try Tensor(inputs, shape: [count + 2])
            try tensor.withMutableElements(of: Float.self) { activation.apply(to: $0, 1..<count + 1) }
            let outputs = try tensor.array(of: Float.self)
            #expect(outputs[0] == inputs[0] && outputs[count + 1] == inputs[count + 1])
            for index in 1...count {
                let exact = activation.value(at: Double(inputs[index]))
                #expect(abs(Double(outputs[index]) - exact) <= 3e-7 * max(1, abs(exact)))
            }
        }
    }

    private func apply(_ name: String, _ inputs: [Float]) throws -> [Float] {
        try run(name, [Tensor(inputs, shape: [inputs.count])], opset: 22, threads: 1).array(of: Float.self)
    }
}
