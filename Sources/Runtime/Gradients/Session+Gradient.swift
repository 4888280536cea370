import Foundation
import ONNXLoader

/// Gradients of one output, and other values of the same run.
public struct Gradients: Sendable {
    /// By the name of the value with respect to which it was taken; each has that value's type.
    public let gradients: [String: Tensor]
    /// The values that were asked for besides.
    public let values: [String: Tensor]

    /// The gradient with respect to a value.
    public subscript(name: String) -> Tensor? { gradients[name] }
}

extension Session {
    /// Differentiates an output by reverse-mode differentiation of the graph.
    ///
    /// The gradient is compiled into a plan of its own, which computes what lies between the output and the targets, and
    /// nothing else, backwards.
    ///
    /// - Parameters:
    ///   - output: the name of any floating-point value of the graph as loaded.
    ///   - seed: the element of `output` to differentiate, such as `[0, 281]`, or a weight for each of its elements.
    ///   - targets: names of graph inputs, of weights (initializers), or of any values between.
    ///   - inputs: as `run` takes them.
    ///   - outputs: names of values to return from the same run.
    /// - Returns: for each target a gradient of the target's type; zeros where `output` does not depend on it.
    /// - Throws: `RuntimeError`, which names the operator that is not differentiable, the value that is unknown, or the
    ///   input.
    public func gradient(
        of output: String, at seed: GradientSeed, withRespectTo targets: [String], inputs: [String: Tensor],
        outputs: [String] = [], deadline: ContinuousClock.Instant? = nil, cancellation: Cancellation? = nil
    ) throws -> Gradients {
        var inputs = inputs
        for target in targets where inputs[target] == nil {
            // A weight becomes an input of the plan, so that nothing that depends on it is computed at planning.
            inputs[target] = initializer(named: target)
        }
        inputs[GradientRequest.seedName] = try seed.encoded()
        let key = Plan.Key(
            inputs: inputs.mapValues(ValueType.init), outputs: outputs,
            gradient: GradientRequest(output: output, targets: targets, seed: seed.kind))
        let context = runContext(deadline: deadline, cancellation: cancellation)
        let results = try plan(for: key, context: context).run(
            inputs.mapValues { .tensor($0) }, context: context
        ).tensors()
        return Gradients(
            gradients: Dictionary(
                targets.compactMap { name in results[GradientRequest.name(of: name)].map { (name, $0) } },
                uniquingKeysWith: { first, _ in first }),
            values: results.filter { outputs.contains($0.key) })
    }
}
