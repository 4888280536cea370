import ONNXLoader

/// Dropout (opsets 7–22): the input itself, and a mask that keeps every element; in training mode, which an input asks for,
/// each element is dropped with a probability and the others are divided by that of being kept.
struct Dropout: FloatingOperator {
    private let isBare: Bool
    private let maskIsBoolean: Bool
    /// Nil for different numbers each time.
    private let seed: Int?

    init(_ node: inout NodeReader) throws {
        node.ignore("ratio")
        seed = try node.optionalInt("seed")
        isBare = !node.hasOutput(1) && !node.hasInput(2)
        maskIsBoolean = node.opset >= 10
    }

    var isView: Bool { isBare }
    var inPlaceInputs: [Int] { [0] }
    // Whether it trains is known when it runs.
    var isDeterministic: Bool { isBare }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        return Array([input, ValueType(maskIsBoolean ? .bool : input.elementType, input.shape)].prefix(arity))
    }

    // What is not dropped is moved.
    var computedElements: (input: Int, types: Set<ElementType>)? { nil }

    func run(_ step: inout Step) throws {
        if try Self.isTraining(step.optional(2)), try ratio(step) != 0 { return try runFloating(&step) }
        let input = try step.input(0)
        try step.copy(input, 0..<input.count, to: 0, at: 0)
        guard step.wants(1) else { return }
        let mask = try step.output(1)
        switch mask.elementType {
        case .bool: try step.mutableElements(1, of: Bool.self).fill(0..<mask.count, with: true)
        case .float32: try step.mutableElements(1, of: Float.self).fill(0..<mask.count, with: 1)
        case .float64: try step.mutableElements(1, of: Double.self).fill(0..<mask.count, with: 1)
        case .float16: try step.mutableElements(1, of: Float16.self).fill(0..<mask.count, with: 1)
        default: throw OperatorError("a mask of \(mask.elementType.name) is not supported")
        }
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let mask = step.wants(1) ? try step.mutableElements(1, of: Bool.self) : nil
        let ratio = try ratio(step)
        let factor = Element(1 / (1 - ratio))
        var random = MersenneTwister(
            seed: seed.map { UInt32(truncatingIfNeeded: $0) } ?? UInt32.random(in: .min ... .max))
        for index in 0..<output.count {
            let isKept = random.uniform() >= ratio
            mask?[index] = isKept
            output[index] = isKept ? input[index] * factor : 0
        }
    }

    private func ratio(_ step: Step) throws -> Double {
        let ratio = try step.optional(1)?.doubles().first ?? 0.5
        guard ratio >= 0, ratio < 1 else { throw OperatorError("elements cannot be dropped with probability \(ratio)") }
        return ratio
    }

    private static func isTraining(_ mode: Tensor?) throws -> Bool { try mode?.integers().first ?? 0 != 0 }
}

extension Dropout: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        if let mode = try node.optionalInput(2)?.integers(), mode.first ?? 0 != 0 {
            throw OperatorError("training_mode is for training; export the model in evaluation mode")
        }
        // The mask is constant.
        guard let gradient = node.outputGradient(0) else { return }
        try node.contribute(to: 0) { gradient }
    }
}
