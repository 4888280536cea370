import Runtime

/// Something that computes a network's outputs: a `Session`, or a stand-in for one.
public protocol Inference: Sendable {
    /// - Parameters:
    ///   - inputs: one tensor for every input, by name.
    ///   - outputs: the names of the values wanted; nil for the graph's outputs.
    func run(_ inputs: [String: Tensor], outputs: [String]?) throws -> [String: Tensor]

    /// Differentiates what it computes.
    ///
    /// - Parameters:
    ///   - output: the value to differentiate.
    ///   - seed: where its gradient starts.
    ///   - targets: the values to differentiate by.
    ///   - outputs: values to return from the same run.
    func gradient(
        of output: String, at seed: GradientSeed, withRespectTo targets: [String], inputs: [String: Tensor],
        outputs: [String]
    ) throws -> Gradients
}

extension Session: Inference {
    public func run(_ inputs: [String: Tensor], outputs: [String]?) throws -> [String: Tensor] {
        try run(inputs, outputs: outputs, deadline: nil, cancellation: nil)
    }

    public func gradient(
        of output: String, at seed: GradientSeed, withRespectTo targets: [String], inputs: [String: Tensor],
        outputs: [String]
    ) throws -> Gradients {
        try gradient(
            of: output, at: seed, withRespectTo: targets, inputs: inputs, outputs: outputs, deadline: nil,
            cancellation: nil)
    }
}

extension Inference {
    /// What stands in for a network need not be differentiable.
    public func gradient(
        of output: String, at seed: GradientSeed, withRespectTo targets: [String], inputs: [String: Tensor],
        outputs: [String]
    ) throws -> Gradients {
        throw InferenceError.notDifferentiable(output)
    }

    /// The outputs of those names.
    /// - Throws: `InferenceError.missingOutput`, or what the run throws.
    func values(_ names: [String], of inputs: [String: Tensor]) throws -> [Tensor] {
        let results = try run(inputs, outputs: names)
        return try names.map { name in
            guard let tensor = results[name] else { throw InferenceError.missingOutput(name) }
            return tensor
        }
    }
}

/// A network gave something other than its contract says.
public enum InferenceError: Error, Sendable, Hashable, CustomStringConvertible {
    case missingOutput(String)
    case notDifferentiable(String)
    case unexpectedShape(value: String, shape: [Int], expected: String)
    case unexpectedType(value: String, type: String, expected: String)

    public var description: String {
        switch self {
        case .missingOutput(let name): "the network gave no value \(quoted(name))"
        case .notDifferentiable(let name): "the network does not differentiate its value \(quoted(name))"
        case .unexpectedShape(let value, let shape, let expected):
            "the network's value \(quoted(value)) has the shape \(shape); expected is \(expected)"
        case .unexpectedType(let value, let type, let expected):
            "the network's value \(quoted(value)) is of type \(type); expected is \(expected)"
        }
    }
}
