import ONNXLoader

/// Gradient (ai.onnx.preview.training, opset 1): the derivatives of a value of the graph by other values of it. A plan has
/// the nodes that compute them in its place.
struct GradientOperator: Operator {
    private let targetCount: Int

    init(_ node: inout NodeReader) throws {
        let targets = try node.strings("xs") ?? []
        let others = try node.strings("zs") ?? []
        _ = try node.string("y")
        guard !targets.isEmpty, Array(node.node.inputs.prefix(targets.count + others.count)) == targets + others else {
            throw OperatorError("the inputs \(node.node.inputs) are others than xs and zs, \(targets + others)")
        }
        targetCount = targets.count
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        try (0..<min(arity, targetCount)).map { try inputs.required($0).type }
    }

    /// The value that is differentiated, as nodes of this kind name it.
    static func differentiated(_ node: Node) -> String? {
        guard node.operatorName == "Gradient", node.domain == "ai.onnx.preview.training",
            case .string(let name) = node.attributes["y"]
        else { return nil }
        return String(decoding: name, as: UTF8.self)
    }
}

extension OperatorGraph {
    /// Puts the nodes that compute derivatives in the place of nodes that ask for them.
    /// - Throws: `RuntimeError.node` that names an operator on the way which has no gradient.
    mutating func expandGradientOperators(
        _ inputTypes: [String: ValueType], largestConstant: Int, context: RunContext
    ) throws {
        while let place = elements.firstIndex(where: { $0.operation is GradientOperator }) {
            let node = elements[place].node
            var before = self
            before.elements.removeSubrange(place...)
            before.prune(keeping: node.inputs)
            var folded = before
            let types = try Inference(
                folding: &folded, inputTypes: inputTypes, largestConstant: largestConstant, context: context
            ).types
            let tape = GradientTape(before, types: types, prefix: GradientRequest.prefix + "node\(place)/")
            guard let name = node.inputs.last else { continue }
            let value = tape.value(name)
            let ones = try tape.append(OnesLike(), "OnesLike", [value])
            let targets = zip(node.inputs, node.outputs).filter { !$1.isEmpty }
            let gradients = try tape.differentiate(
                before.elements, seeds: [name: ones], withRespectTo: Set(targets.map(\.0)))
            for (target, output) in targets {
                try tape.publish(try gradients[target] ?? tape.value(target).zeros(), as: output)
            }
            elements.replaceSubrange(place...place, with: tape.elements)
            constants.merge(tape.constants) { own, _ in own }
        }
    }
}

/// Of the input's type, all ones.
private struct OnesLike: FloatingOperator, LoweredOperator {
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let output = try step.mutableElements(0, of: type)
        output.fill(0..<output.count, with: 1)
    }
}
