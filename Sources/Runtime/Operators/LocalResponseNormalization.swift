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
