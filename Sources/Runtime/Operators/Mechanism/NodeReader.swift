import ONNXLoader

/// Reads a node's attributes for an operator's initialiser, and remembers which were read.
struct NodeReader {
    let node: Node
    /// The version of the node's domain that the file imports.
    let opset: Int
    /// What the node's graphs capture: the last inputs of a step are these values.
    let captured: [String]
    private let subgraphs: [String: Subgraph]
    private var unread: Set<String>

    init(_ node: Node, opset: Int, subgraphs: [String: Subgraph] = [:], captured: [String] = []) {
        self.node = node
        self.opset = opset
        self.subgraphs = subgraphs
        self.captured = captured
        unread = Set(node.attributes.keys)
    }

    var inputCount: Int { node.inputs.count }
    var outputCount: Int { node.outputs.count }

    /// Whether the node is given an optional input.
    func hasInput(_ index: Int) -> Bool { index < node.inputs.count && !node.inputs[index].isEmpty }

    /// Whether the node wants an output.
    func hasOutput(_ index: Int) -> Bool { index < node.outputs.count && !node.outputs[index].isEmpty }

    mutating func optionalInt(_ name: String) throws -> Int? {
        try read(name, "an integer") { if case .int(let value) = $0 { Int(value) } else { nil } }
    }

    mutating func int(_ name: String, or absent: Int? = nil) throws -> Int {
        try optionalInt(name) ?? required(name, absent)
    }

    mutating func flag(_ name: String, or absent: Bool = false) throws -> Bool {
        try int(name, or: absent ? 1 : 0) != 0
    }

    mutating func optionalFloat(_ name: String) throws -> Float? {
        try read(name, "a float") { if case .float(let value) = $0 { value } else { nil } }
    }

    mutating func float(_ name: String, or absent: Float? = nil) throws -> Float {
        try optionalFloat(name) ?? required(name, absent)
    }

    mutating func optionalFloats(_ name: String) throws -> [Float]? {
        try read(name, "floats") { if case .floats(let values) = $0 { values } else { nil } }
    }

    mutating func optionalInts(_ name: String) throws -> [Int]? {
        try read(name, "integers") { if case .ints(let values) = $0 { values.map { Int($0) } } else { nil } }
    }

    mutating func ints(_ name: String, or absent: [Int]? = nil) throws -> [Int] {
        try optionalInts(name) ?? required(name, absent)
    }

    mutating func optionalString(_ name: String) throws -> String? {
        try read(name, "a string") {
            if case .string(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    mutating func string(_ name: String, or absent: String? = nil) throws -> String {
        try optionalString(name) ?? required(name, absent)
    }

    /// A string attribute that must be one of an enumeration's raw values.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, or absent: Choice) throws -> Choice
    where Choice.RawValue == String {
        guard let text = try optionalString(name) else { return absent }
        guard let choice = Choice(rawValue: text) else {
            throw OperatorError(
                "attribute \(name) is “\(text)”, not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    mutating func strings(_ name: String) throws -> [String]? {
        try read(name, "strings") {
            if case .strings(let values) = $0 { values.map { String(decoding: $0, as: UTF8.self) } } else { nil }
        }
    }

    mutating func tensor(_ name: String) throws -> Tensor? {
        try read(name, "a tensor") { if case .tensor(let value) = $0 { Tensor(value) } else { nil } }
    }

    mutating func optionalSubgraph(_ name: String) throws -> Subgraph? {
        let subgraph = subgraphs[name]
        return try read(name, "a graph") { _ in subgraph }
    }

    mutating func subgraph(_ name: String) throws -> Subgraph {
        try optionalSubgraph(name) ?? required(name, nil)
    }

    mutating func elementType(_ name: String) throws -> ElementType? {
        guard let number = try optionalInt(name) else { return nil }
        guard let type = ElementType(rawValue: number) else {
            throw OperatorError("attribute \(name) is the unknown element type \(number)")
        }
        return type
    }

    /// Marks attributes that mean nothing for computing as read.
    mutating func ignore(_ names: String...) {
        unread.subtract(names)
    }

    /// - Throws: `OperatorError` that names the attributes which nobody has read.
    func finish() throws {
        guard unread.isEmpty else {
            throw OperatorError("unknown attributes: \(unread.sorted().joined(separator: ", "))")
        }
    }

    private mutating func read<Value>(
        _ name: String, _ expected: String, _ extract: (Attribute) -> Value?
    ) throws -> Value? {
        guard let attribute = node.attributes[name] else { return nil }
        unread.remove(name)
        guard let value = extract(attribute) else {
            throw OperatorError("attribute \(name) is not \(expected)")
        }
        return value
    }

    private func required<Value>(_ name: String, _ absent: Value?) throws -> Value {
        guard let absent else { throw OperatorError("attribute \(name) is missing") }
        return absent
    }
}
