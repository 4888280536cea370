import ONNXLoader

/// The part of a graph that computes gradients, while it is being written: nodes are added at the end, and the same planner
/// and kernels that run the graph run them.
final class GradientTape {
    private(set) var elements: [OperatorGraph.Element] = []
    private(set) var constants: [String: Tensor] = [:]
    private let graphConstants: [String: Tensor]
    private var types: [String: ValueType]
    private let prefix: String
    private var count = 0

    /// - Parameters:
    ///   - graph: what is differentiated.
    ///   - types: the types of its values, where they are known before a run.
    ///   - prefix: what the names of new values begin with; no value of the graph does.
    init(_ graph: OperatorGraph, types: [String: ValueType], prefix: String) {
        graphConstants = graph.constants
        self.types = types
        self.prefix = prefix
    }

    /// A value of the graph or of the tape.
    func value(_ name: String) -> GradientValue { GradientValue(name: name, tape: self) }

    /// What is known of a value before a run; nil when not even its type is.
    func info(_ name: String) -> ValueInfo? {
        (constants[name] ?? graphConstants[name]).map { ValueInfo($0) } ?? types[name].map { ValueInfo($0) }
    }

    /// Adds a node of the default domain under the newest opset.
    func apply(
        _ operatorName: String, _ inputs: [GradientValue?], _ attributes: [String: Attribute] = [:]
    ) throws -> GradientValue {
        let node = Node(
            operatorName: operatorName, inputs: inputs.map { $0?.name ?? "" }, outputs: ["result"],
            attributes: attributes)
        return try append(
            Registry.makeOperator(node, opsets: ["": Registry.newestOpset]), operatorName, inputs, attributes)
    }

    /// Adds an operator with one output.
    func append(
        _ operation: any Operator, _ operatorName: String, _ inputs: [GradientValue?],
        _ attributes: [String: Attribute] = [:]
    ) throws -> GradientValue {
        let output = newName(operatorName)
        let node = Node(
            name: output, operatorName: operatorName, inputs: inputs.map { $0?.name ?? "" }, outputs: [output],
            attributes: attributes)
        let infos = inputs.map { $0.flatMap { info($0.name) } }
        if zip(inputs, infos).allSatisfy({ $0 == nil || $1 != nil }) {
            do {
                types[output] = try operation.types(of: infos, arity: 1).first
            } catch is DataDependentTypes {}
        }
        elements.append(OperatorGraph.Element(node: node, operation: operation))
        return value(output)
    }

    func constant(_ tensor: Tensor) -> GradientValue {
        let name = newName("constant")
        constants[name] = tensor
        return value(name)
    }

    func integers(_ values: [Int]) throws -> GradientValue {
        constant(try Tensor(values.map { Int64($0) }, shape: [values.count]))
    }

    /// Gives a value another name under which it is asked for.
    func publish(_ value: GradientValue, as name: String) throws {
        let identity = try Registry.makeOperator(Node(operatorName: "Identity"), opsets: ["": Registry.newestOpset])
        elements.append(
            OperatorGraph.Element(
                node: Node(name: name, operatorName: "Identity", inputs: [value.name], outputs: [name]),
                operation: identity))
    }

    private func newName(_ kind: String) -> String {
        count += 1
        return "\(prefix)\(kind)\(count)"
    }
}

/// A value of a graph that is being differentiated, or of the tape that its gradient is written to. Arithmetic on it adds
/// nodes to the tape; operands broadcast as ONNX's do.
struct GradientValue {
    let name: String
    let tape: GradientTape

    /// Nil when it is known in a run only.
    var type: ValueType? { tape.info(name)?.type }

    /// The shape, for rules that need it before a run.
    /// - Throws: `OperatorError` when it depends on the data.
    func shape() throws -> [Int] {
        guard let type else {
            throw OperatorError("the gradient needs the shape of “\(name)”, which depends on the data")
        }
        return type.shape
    }

    /// The value itself, for rules that need it before a run.
    func integers() throws -> [Int] {
        guard let value = tape.info(name)?.value else {
            throw OperatorError("the gradient needs the value of “\(name)”, which depends on the data")
        }
        return try value.integers()
    }

    /// A scalar of this value's element type.
    func number(_ value: Double) throws -> GradientValue {
        guard let type else { return try tape.append(NumberLike(value: value), "NumberLike", [self]) }
        return tape.constant(try Tensor(value).converted(to: type.elementType))
    }

    func apply(_ operatorName: String, _ attributes: [String: Attribute] = [:]) throws -> GradientValue {
        try tape.apply(operatorName, [self], attributes)
    }

    static func + (left: Self, right: Self) throws -> Self { try left.tape.apply("Add", [left, right]) }
    static func - (left: Self, right: Self) throws -> Self { try left.tape.apply("Sub", [left, right]) }
    static func * (left: Self, right: Self) throws -> Self { try left.tape.apply("Mul", [left, right]) }
    static func / (left: Self, right: Self) throws -> Self { try left.tape.apply("Div", [left, right]) }
    static prefix func - (value: Self) throws -> Self { try value.apply("Neg") }

    static func + (left: Self, right: Double) throws -> Self { try left + left.number(right) }
    static func - (left: Self, right: Double) throws -> Self { try left - left.number(right) }
    static func * (left: Self, right: Double) throws -> Self { try left * left.number(right) }
    static func / (left: Self, right: Double) throws -> Self { try left / left.number(right) }
    static func - (left: Double, right: Self) throws -> Self { try right.number(left) - right }
    static func / (left: Double, right: Self) throws -> Self { try right.number(left) / right }

    /// Truth values by comparing elements.
    static func > (left: Self, right: Self) throws -> Self { try left.tape.apply("Greater", [left, right]) }
    static func < (left: Self, right: Self) throws -> Self { try left.tape.apply("Less", [left, right]) }
    static func == (left: Self, right: Self) throws -> Self { try left.tape.apply("Equal", [left, right]) }
    static func > (left: Self, right: Double) throws -> Self { try left > left.number(right) }
    static func < (left: Self, right: Double) throws -> Self { try left < left.number(right) }

    /// These truth values as numbers 0 and 1 of another value's element type.
    func asNumbers(like other: Self) throws -> Self { try tape.apply("CastLike", [self, other]) }

    /// `first` where this truth value holds, `second` elsewhere.
    func choose(_ first: Self, else second: Self) throws -> Self { try tape.apply("Where", [self, first, second]) }

    /// `value` where this truth value holds, 0 elsewhere.
    func keep(_ value: Self) throws -> Self { try choose(value, else: value.number(0)) }
}
