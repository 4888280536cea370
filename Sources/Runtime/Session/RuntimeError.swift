import ONNXLoader

/// Why a model could not be prepared or run.
public indirect enum RuntimeError: Error, Sendable, CustomStringConvertible {
    /// An operator, element type or attribute that is not known, with how often it occurs and where first.
    public struct Obstacle: Sendable, Hashable, CustomStringConvertible {
        public var operatorName: String
        public var domain: String
        public var opset: Int
        public var reason: String
        public var count: Int
        public var firstNode: String

        public var description: String {
            let domain = domain.isEmpty ? "" : "\(domain)."
            return "\(domain)\(operatorName) (opset \(opset), \(count)×, first at \(firstNode)): \(reason)"
        }
    }

    case unsupported([Obstacle])
    case unknownValue(String)
    case missingInput(String, ValueDeclaration.Kind)
    case wrongInput(String, expected: ValueDeclaration.Kind, actual: ValueType)
    /// A tensor is wanted where the graph gives a sequence or an empty optional.
    case notATensor(String, kind: String)
    /// A gradient was asked for with respect to a value that has none: integers, truth values, strings.
    case notReal(String, ValueType)
    /// The gradient of a value cannot start as it was asked to.
    case wrongSeed(String, reason: String)
    case memoryLimit(requested: Int, limit: Int)
    case deadlineExceeded
    case cancelled
    /// An error inside a node: its name, its operator and the types of its inputs.
    case node(String, operatorName: String, inputs: [String], reason: String)
    case nodeFailed(String, RuntimeError)

    public var description: String {
        switch self {
        case .unsupported(let obstacles):
            "the model cannot run here:\n" + obstacles.map { "  \($0)" }.joined(separator: "\n")
        case .unknownValue(let name):
            "the graph has no value named “\(name)”; `convert --check` lists inputs and outputs"
        case .missingInput(let name, let kind):
            "no value was given for the input “\(name)”, \(kind.summary)"
        case .wrongInput(let name, let expected, let actual):
            "the input “\(name)” is \(expected.summary), but \(actual) was given"
        case .notATensor(let name, let kind):
            "“\(name)” is \(kind), not a tensor; run the session with `run(values:)`"
        case .notReal(let name, let type):
            "“\(name)” is \(type), but only floating-point values have gradients"
        case .wrongSeed(let name, let reason):
            "“\(name)” cannot be differentiated so: \(reason)"
        case .memoryLimit(let requested, let limit):
            "\(requested) more bytes are needed than the limit of \(limit) leaves; raise the memory limit or use a smaller input"
        case .deadlineExceeded:
            "the deadline passed before the run was done"
        case .cancelled:
            "the run was cancelled"
        case .node(let name, let operatorName, let inputs, let reason):
            "node “\(name)” (\(operatorName) of \(inputs.joined(separator: ", "))): \(reason)"
        case .nodeFailed(let name, let error):
            "node “\(name)”: \(error)"
        }
    }
}

/// A rule of an operator's specification that its inputs or attributes break.
struct OperatorError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Thrown by an operator's `types(of:arity:)` when they depend on input values that are not known yet.
struct DataDependentTypes: Error {}

extension ValueDeclaration.Kind {
    /// In words, such as `float[N,3,384,384]`.
    public var summary: String {
        switch self {
        case .tensor(let elementType, let shape), .sparseTensor(let elementType, let shape):
            elementType.name
                + (shape.map { dimensions in
                    "[" + dimensions.map(\.summary).joined(separator: ",") + "]"
                } ?? "[…]")
        case .sequence(let element): "sequence of \(element.summary)"
        case .optional(let element): "optional \(element.summary)"
        case .map(let key, let value): "map from \(key.name) to \(value.summary)"
        case .undeclared: "of undeclared type"
        }
    }
}

extension ValueDeclaration.Dimension {
    /// The size, the symbol, or a question mark.
    public var summary: String {
        switch self {
        case .fixed(let size): String(size)
        case .symbolic(let name): name
        case .unknown: "?"
        }
    }
}
