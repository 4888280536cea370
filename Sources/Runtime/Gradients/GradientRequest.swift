import ONNXLoader

/// Where the gradient of an output starts: at one of its elements, or with a weight for every element.
public enum GradientSeed: Sendable, ExpressibleByArrayLiteral {
    /// One element, by its index in every dimension; negative ones count from the end.
    case index([Int])
    /// The gradient of something with respect to the output, of the output's type: the result is that thing's gradient.
    case tensor(Tensor)

    public init(arrayLiteral elements: Int...) { self = .index(elements) }
}

/// What a plan differentiates.
struct GradientRequest: Hashable, Sendable {
    enum Seed: Hashable { case index, tensor }

    let output: String
    let targets: [String]
    let seed: Seed

    /// What the names of values that a gradient adds begin with. No name in a file holds a null character: the file's
    /// strings would end there.
    static let prefix = "\0gradient/"
    /// The plan's input that holds the index or the tensor.
    static let seedName = prefix + "seed"

    /// Whether a plan's input is none of the file's: the seed, or a weight that is differentiated.
    func addsInput(_ name: String, to graph: OperatorGraph) -> Bool {
        name == Self.seedName || (targets.contains(name) && graph.constants[name] != nil)
    }

    static func name(of target: String) -> String { prefix + "of/" + target }
}

extension OperatorGraph {
    /// Adds the nodes that compute the requested gradients; their names are `GradientRequest.name(of:)` of each target.
    ///
    /// - Parameter types: the types of this graph's values, where they are known before a run.
    /// - Throws: `RuntimeError.node` that names an operator on the way which has no gradient.
    mutating func addGradients(_ request: GradientRequest, types: [String: ValueType]) throws {
        let tape = GradientTape(self, types: types, prefix: GradientRequest.prefix)
        let output = tape.value(request.output)
        let seed: GradientValue
        do {
            seed = try tape.append(
                Seed(isIndex: request.seed == .index, type: output.type), "gradient seed",
                [tape.value(GradientRequest.seedName)] + (output.type == nil ? [output] : []))
        } catch {
            throw RuntimeError.wrongSeed(request.output, reason: "\(error)")
        }
        let gradients = try tape.differentiate(
            elements, seeds: [request.output: seed], withRespectTo: Set(request.targets))
        for target in request.targets {
            let value = tape.value(target)
            if let type = value.type, !type.elementType.isFloatingPoint {
                throw RuntimeError.notReal(target, type)
            }
            let gradient = try gradients[target] ?? value.zeros()
            try tape.publish(gradient, as: GradientRequest.name(of: target))
        }
        elements += tape.elements
        constants.merge(tape.constants) { own, _ in own }
    }
}

/// The gradient with which differentiation starts, of the output's type: 1 at an index and 0 elsewhere, or a given tensor.
private struct Seed: LoweredOperator {
    let isIndex: Bool
    /// Nil when input 1, the output itself, tells it.
    let type: ValueType?

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let type = try type ?? inputs.required(1).type
        let seed = try inputs.required(0)
        guard type.elementType.isFloatingPoint else { throw OperatorError("\(type) has no gradient") }
        guard isIndex ? seed.shape == [type.shape.count] : seed.type == type else {
            throw OperatorError(
                isIndex
                    ? "\(seed.shape[0]) numbers do not name an element of \(type)"
                    : "the seed is \(seed.type), but the output is \(type)")
        }
        return [type]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        guard isIndex else { return try step.copy(step.input(0), 0..<output.count, to: 0, at: 0) }
        var position = 0
        for (index, size) in zip(try step.elements(0, of: Int64.self), output.shape) {
            guard index >= -size, index < size else {
                throw OperatorError("index \(index) is outside a dimension of \(size)")
            }
            position = position * size + Int(index < 0 ? index + Int64(size) : index)
        }
        var values = [Float](repeating: 0, count: output.count)
        if !values.isEmpty { values[position] = 1 }
        try Tensor(values, shape: output.shape).convert(into: output)
    }
}
