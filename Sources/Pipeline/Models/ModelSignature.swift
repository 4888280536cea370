import ONNXLoader

/// The tensors that go into a graph and come out of it, as the file declares them.
public struct ModelSignature: Sendable, Hashable {
    public struct Value: Sendable, Hashable, CustomStringConvertible {
        public var name: String
        /// nil when the file declares none, or something other than a tensor.
        public var elementType: ElementType?
        /// Sizes, nil where they are not fixed; nil altogether when the rank is not known.
        public var shape: [Int?]?

        public init(name: String, elementType: ElementType?, shape: [Int?]?) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }

        /// Such as `float image [1, 3, ?, ?]`.
        public var description: String {
            let sizes = shape.map { "[" + $0.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]" }
            return [elementType?.name, name, sizes].compactMap { $0 }.joined(separator: " ")
        }

        /// Whether the declared shape allows this one; nil sizes allow any.
        func allows(_ other: [Int?]) -> Bool {
            guard let shape else { return true }
            return shape.count == other.count
                && zip(shape, other).allSatisfy { $0 == nil || $1 == nil || $0 == $1 }
        }
    }

    /// Inputs without an initializer: those that a run has to be given.
    public var inputs: [Value]
    public var outputs: [Value]

    public init(inputs: [Value], outputs: [Value]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    public init(_ graph: Graph) {
        inputs = graph.inputs.filter { graph.initializers[$0.name] == nil }.map(Value.init)
        outputs = graph.outputs.map(Value.init)
    }

    func input(_ name: String) -> Value? { inputs.first { $0.name == name } }
    func output(_ name: String) -> Value? { outputs.first { $0.name == name } }

    /// Inputs and outputs in a line, for messages.
    var summary: String {
        inputs.map(\.description).joined(separator: ", ") + " → " + outputs.map(\.description).joined(separator: ", ")
    }
}

extension ModelSignature.Value {
    init(_ declaration: ValueDeclaration) {
        name = declaration.name
        guard case .tensor(let elementType, let shape) = declaration.kind else { return }
        self.elementType = elementType
        self.shape = shape?.map { dimension in
            if case .fixed(let size) = dimension { size } else { nil }
        }
    }
}
