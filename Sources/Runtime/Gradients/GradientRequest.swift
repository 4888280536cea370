import ONNXLoader

/// Where the gradient of an output starts: at one of its elements, or with a weight for every element.
public enum GradientSeed: Sendable, ExpressibleByArrayLiteral {
    /// One element, by its index in every dimension; negative ones count from the end.
    case index([Int])
    /// A weighted sum of elements, by their places in row-major order: for outputs whose rank is not known.
    case elements([Int: Double])
    /// The gradient of something with respect to the output, of the output's type: the result is that thing's gradient.
    case tensor(Tensor)

    public init(arrayLiteral elements: Int...) { self = .index(elements) }
}

/// What a plan differentiates.
struct GradientRequest: Hashable, Sendable {
    enum Seed: Hashable { case index, elements, tensor }

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
                Seed(kind: request.seed, type: output.type), "gradient seed",
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

extension GradientSeed {
    var kind: GradientRequest.Seed {
        switch self {
        case .index: .index
        case .elements: .elements
        case .tensor: .tensor
        }
    }

    /// As the plan's input takes it: an index, pairs of place and weight, or the tensor.
    func encoded() throws -> Tensor {
        switch self {
        case .index(let index): return try Tensor(index.map { Int64($0) }, shape: [index.count])
        case .elements(let weights):
            let pairs = weights.sorted { $0.key < $1.key }.flatMap { [Double($0.key), $0.value] }
            return try Tensor(pairs, shape: [weights.count, 2])
        case .tensor(let tensor): return tensor
        }
    }
}

/// The gradient with which differentiation starts, of the output's type: given as a tensor, or 0 but at some elements.
private struct Seed: LoweredOperator {
    let kind: GradientRequest.Seed
    /// Nil when input 1, the output itself, tells it.
    let type: ValueType?

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let type = try type ?? inputs.required(1).type
        let seed = try inputs.required(0)
        guard type.elementType.isFloatingPoint else { throw OperatorError("\(type) has no gradient") }
        if kind == .index, seed.shape != [type.shape.count] {
            throw OperatorError("\(seed.shape[0]) numbers do not name an element of \(type)")
        }
        if kind == .tensor, seed.type != type {
            throw OperatorError("the seed is \(seed.type), but the output is \(type)")
        }
        return [type]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        guard kind != .tensor else { return try step.copy(step.input(0), 0..<output.count, to: 0, at: 0) }
        var values = [Double](repeating: 0, count: output.count)
        for (place, weight) in try kind == .index ? [(place(step, in: output.shape), 1)] : weights(step, output.count) {
            values[place] = weight
        }
        try Tensor(values, shape: output.shape).convert(into: output)
    }

    private func place(_ step: Step, in shape: [Int]) throws -> Int {
        var place = 0
        for (index, size) in zip(try step.elements(0, of: Int64.self), shape) {
            guard index >= -size, index < size else {
                throw OperatorError("index \(index) is outside a dimension of \(size)")
            }
            place = place * size + Int(index < 0 ? index + Int64(size) : index)
        }
        return place
    }

    private func weights(_ step: Step, _ count: Int) throws -> [(Int, Double)] {
        let pairs = try step.elements(0, of: Double.self)
        return try stride(from: 0, to: pairs.count, by: 2).map { index in
            guard let place = Int(exactly: pairs[index]), (0..<count).contains(place) else {
                throw OperatorError("element \(pairs[index]) is not one of \(count)")
            }
            return (place, pairs[index + 1])
        }
    }
}
