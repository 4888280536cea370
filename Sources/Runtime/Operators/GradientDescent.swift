import Foundation
import ONNXLoader

/// Adagrad, Adam and Momentum of `ai.onnx.preview.training` (opset 1): one step of gradient descent.
///
/// Inputs are the learning rate, the number of steps so far, then all tensors, all gradients and all states; outputs are
/// the new tensors and the new states.
struct GradientDescent: Operator {
    private enum Family: String {
        case adagrad = "Adagrad"
        case adam = "Adam"
        case momentum = "Momentum"
    }
    private enum Mode: String, CaseIterable { case standard, nesterov }
    private enum Rule {
        /// Duchi, Hazan and Singer, 2011.
        case adagrad(decay: Double, epsilon: Double)
        /// Kingma and Ba, 2015.
        case adam(alpha: Double, beta: Double, epsilon: Double, regularization: Double)
        case momentum(alpha: Double, beta: Double, looksAhead: Bool)
    }

    private let rule: Rule
    /// The factor of the tensor itself in its gradient.
    private let regularization: Double

    init(_ node: inout NodeReader) throws {
        func number(_ name: String, or absent: Float? = nil) throws -> Double {
            Double(try node.float(name, or: absent))
        }
        switch try node.family(Family.self) {
        case .adagrad:
            rule = .adagrad(decay: try number("decay_factor", or: 0), epsilon: try number("epsilon", or: 1e-6))
            regularization = try number("norm_coefficient", or: 0)
        case .adam:
            rule = .adam(
                alpha: try number("alpha", or: 0.9), beta: try number("beta", or: 0.999),
                epsilon: try number("epsilon", or: 1e-6), regularization: try number("norm_coefficient_post", or: 0))
            regularization = try number("norm_coefficient", or: 0)
        case .momentum:
            rule = .momentum(
                alpha: try number("alpha"), beta: try number("beta"),
                looksAhead: try Mode(rawValue: node.string("mode")) == .nesterov)
            regularization = try number("norm_coefficient")
        }
    }

    private var stateCount: Int { if case .adam = rule { 2 } else { 1 } }

    private func tensorCount(_ inputs: Int) throws -> Int {
        let (count, rest) = max(0, inputs - 2).quotientAndRemainder(dividingBy: 2 + stateCount)
        guard count > 0, rest == 0 else {
            throw OperatorError("\(inputs) inputs are not a rate, a step, and \(2 + stateCount) for each tensor")
        }
        return count
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let count = try tensorCount(inputs.count)
        for scalar in 0..<2 where try elementCount(of: inputs.required(scalar).shape) != 1 {
            throw OperatorError("input \(scalar) is \(try inputs.required(scalar).type), not one number")
        }
        let types = try (0..<count).map { try inputs.required(2 + $0).type }
        for index in 2..<inputs.count where try inputs.required(index).type != types[(index - 2) % count] {
            throw OperatorError(
                "input \(index) is \(try inputs.required(index).type), not \(types[(index - 2) % count])")
        }
        return Array(repeatElement(types, count: 1 + stateCount).joined().prefix(arity))
    }

    func run(_ step: inout Step) throws {
        let count = try tensorCount(step.inputCount)
        guard let rate = try step.input(0).doubles().first, let time = try step.input(1).integers().first else {
            throw OperatorError("the rate or the step is empty")
        }
        for tensor in 0..<count {
            switch try step.input(2 + tensor).elementType {
            case .float32: try update(step, tensor, of: count, rate, time, Float.self)
            case .float64: try update(step, tensor, of: count, rate, time, Double.self)
            case let other: throw OperatorError("\(other.name) is not supported")
            }
        }
    }

    private func update<Element: FloatingElement>(
        _ step: Step, _ tensor: Int, of count: Int, _ rate: Double, _ time: Int, _ type: Element.Type
    ) throws {
        let inputs = try (0..<2 + stateCount).map { try step.elements(2 + tensor + $0 * count, of: type) }
        let outputs = try (0...stateCount).map { group in
            step.wants(tensor + group * count) ? try step.mutableElements(tensor + group * count, of: type) : nil
        }
        let stateCount = stateCount
        try step.parallel(inputs[0].count, grain: 1 << 12) { range in
            for index in range {
                let states = (0..<stateCount).map { inputs[2 + $0][index].double }
                let new = updated(inputs[0][index].double, inputs[1][index].double, states, rate, time)
                for (output, value) in zip(outputs, new) { output?[index] = Element(value) }
            }
        }
    }

    /// The new value and its new states.
    private func updated(_ x: Double, _ gradient: Double, _ states: [Double], _ rate: Double, _ time: Int) -> [Double] {
        let gradient = regularization * x + gradient
        switch rule {
        case .adagrad(let decay, let epsilon):
            let squares = states[0] + gradient * gradient
            return [
                x - rate / (1 + Double(time) * decay) * gradient / (squares.squareRoot() + epsilon), squares,
            ]
        case .adam(let alpha, let beta, let epsilon, let regularization):
            let mean = alpha * states[0] + (1 - alpha) * gradient
            let squares = beta * states[1] + (1 - beta) * gradient * gradient
            let adjusted =
                time > 0
                ? rate * (1 - pow(beta, Double(time))).squareRoot() / (1 - pow(alpha, Double(time))) : rate
            let new = x - adjusted * mean / (squares.squareRoot() + epsilon)
            return [(1 - regularization) * new, mean, squares]
        case .momentum(let alpha, let beta, let looksAhead):
            let velocity = alpha * states[0] + (time > 0 ? beta : 1) * gradient
            return [x - rate * (looksAhead ? gradient + alpha * velocity : velocity), velocity]
        }
    }
}
