import Foundation
import ONNXLoader

/// LRN (opsets 1–13): `x / (bias + alpha/size · Σ x²)^beta`, with the sum over `size` neighbouring channels.
struct LocalResponseNormalization: FloatingOperator {
    private let size: Int
    private let alpha, beta, bias: Double

    init(_ node: inout NodeReader) throws {
        size = try node.int("size")
        alpha = Double(try node.float("alpha", or: 1e-4))
        beta = Double(try node.float("beta", or: 0.75))
        bias = Double(try node.float("bias", or: 1))
        guard size > 0 else { throw OperatorError("size is \(size), not positive") }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        guard input.shape.count >= 2 else { throw OperatorError("\(input) has no channels") }
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let layout = AxisLayout(try step.input(0).shape, axis: 1)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let channels = layout.size
        // The window of an even size reaches further up than down.
        let below = (size - 1) / 2
        let above = min(size - 1 - below, channels)
        let (factor, beta, bias) = (alpha / Double(size), beta, bias)
        try step.forEachLine(of: layout) { _, start in
            for channel in 0..<channels {
                var sum = 0.0
                for other in max(0, channel - below)...min(channels - 1, channel + above) {
                    let x = input[start + other * layout.inner].double
                    sum += x * x
                }
                let index = start + channel * layout.inner
                output[index] = Element(input[index].double / pow(bias + factor * sum, beta))
            }
        }
    }
}

extension LocalResponseNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let shape = try input.shape()
            // The sum over neighbouring channels, as a mean over a window of which the padding counts.
            let planes = [shape[0], 1, shape[1], shape[2...].reduce(1, *)]
            let below = Int64((size - 1) / 2)
            let mean = try (input * input).reshaped(to: planes).apply(
                "AveragePool",
                [
                    "kernel_shape": .ints([Int64(size), 1]), "pads": .ints([below, 0, Int64(size) - 1 - below, 0]),
                    "count_include_pad": .int(1),
                ])
            let base = try mean.reshaped(to: shape) * alpha + bias
            return [try input / node.tape.apply("Pow", [base, base.number(beta)])]
        }
    }
}
