import ONNXLoader

/// And, Or, Xor (opsets 1–7) of booleans.
struct LogicalPair: Operator {
    enum Function: String {
        case and = "And"
        case or = "Or"
        case xor = "Xor"
    }
    let function: Function
    private let legacy: LegacyBroadcast?

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        legacy = try LegacyBroadcast(&node)
    }

    var inPlaceInputs: [Int] { [0, 1] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [try inputs.aligned(legacy).broadcastPair()]
    }

    func run(_ step: inout Step) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        let (left, right) = (try step.elements(0, of: Bool.self), try step.elements(1, of: Bool.self))
        let output = try step.mutableElements(0, of: Bool.self)
        switch function {
        case .and: try step.map(left, right, broadcasting, to: output) { $0 && $1 }
        case .or: try step.map(left, right, broadcasting, to: output) { $0 || $1 }
        case .xor: try step.map(left, right, broadcasting, to: output) { $0 != $1 }
        }
    }
}

/// Not: the opposite of booleans.
struct Not: Operator {
    init(_ node: inout NodeReader) throws {}

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func run(_ step: inout Step) throws {
        try step.map(step.elements(0, of: Bool.self), to: step.mutableElements(0, of: Bool.self)) { !$0 }
    }
}
