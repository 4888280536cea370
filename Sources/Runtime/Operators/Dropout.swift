import ONNXLoader

/// Dropout (opsets 7–22), inference: the input itself, and a mask that keeps every element.
struct Dropout: Operator {
    private let isBare: Bool
    private let maskIsBoolean: Bool

    init(_ node: inout NodeReader) throws {
        node.ignore("ratio", "seed")
        isBare = !node.hasOutput(1) && !node.hasInput(2)
        maskIsBoolean = node.opset >= 10
    }

    var isView: Bool { isBare }
    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        if let mode = inputs.optional(2)?.value { try refuseTraining(mode) }
        return Array([input, ValueType(maskIsBoolean ? .bool : input.elementType, input.shape)].prefix(arity))
    }

    func run(_ step: inout Step) throws {
        if let mode = step.optional(2) { try refuseTraining(mode) }
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

    private func refuseTraining(_ mode: Tensor) throws {
        guard try mode.integers().first ?? 0 == 0 else {
            throw OperatorError("training_mode is for training; export the model in evaluation mode")
        }
    }
}

extension Dropout: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        // The mask is constant.
        guard let gradient = node.outputGradient(0) else { return }
        try node.contribute(to: 0) { gradient }
    }
}
