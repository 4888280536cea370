extension ActivationKernel {
    /// The derivative at `x`, where the function is `y`.
    func derivative(at x: GradientValue, value y: GradientValue) throws -> GradientValue {
        switch self {
        case .none: return try x.number(1)
        case .relu: return try (y > 0).asNumbers(like: x)
        case .clip: return try (x == y).asNumbers(like: x)
        case .leakyRelu(let slope): return try (x < 0).choose(x.number(Double(slope)), else: x.number(1))
        case .sigmoid: return try y * (1 - y)
        case .tanh: return try 1 - y * y
        case .hardSigmoid(let alpha, _):
            // Between its bounds, which it reaches exactly.
            return try (y > 0).asNumbers(like: x) * (y < 1).asNumbers(like: x) * Double(alpha)
        case .hardSwish:
            let inner = try (x < 3).choose(x / 3 + 0.5, else: x.number(1))
            return try (x > -3).keep(inner)
        case .gelu(approximate: false):
            let share = try ((x / 2.0.squareRoot()).apply("Erf") + 1) * 0.5
            return try share + x * (x * x * -0.5).apply("Exp") / (2 * Double.pi).squareRoot()
        case .gelu(approximate: true):
            let factor = (2 / Double.pi).squareRoot()
            let hyperbolic = try ((x * x * 0.044715 + 1) * x * factor).apply("Tanh")
            let inner = try (x * x * (3 * 0.044715) + 1) * factor
            return try (hyperbolic + 1) * 0.5 + x * 0.5 * (1 - hyperbolic * hyperbolic) * inner
        case .swish(let alpha):
            let share = try (x * Double(alpha)).apply("Sigmoid")
            return try share + y * (1 - share) * Double(alpha)
        case .mish:
            let hyperbolic = try x.apply("Softplus").apply("Tanh")
            return try hyperbolic + x * (1 - hyperbolic * hyperbolic) * x.apply("Sigmoid")
        case .elu(let alpha): return try (x < 0).choose(y + Double(alpha), else: x.number(1))
        case .selu(let alpha, let gamma):
            return try (x < 0).choose(y + Double(alpha) * Double(gamma), else: x.number(Double(gamma)))
        case .celu(let alpha): return try (x < 0).choose(y / Double(alpha) + 1, else: x.number(1))
        case .softplus: return try x.apply("Sigmoid")
        case .softsign:
            let scale = try x.apply("Abs") + 1
            return try 1 / (scale * scale)
        }
    }
}
