import ONNXLoader

/// BitwiseAnd, BitwiseOr, BitwiseXor (opset 18) and BitShift (opset 11).
struct BitwisePair: IntegerOperator {
    enum Function: String {
        case and = "BitwiseAnd"
        case or = "BitwiseOr"
        case xor = "BitwiseXor"
        case shift = "BitShift"
    }
    enum Direction: String, CaseIterable {
        case left = "LEFT"
        case right = "RIGHT"
    }
    let function: Function
    let direction: Direction

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        direction = function == .shift ? try node.requiredChoice("direction") : .left
    }

    var inPlaceInputs: [Int] { [0, 1] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.broadcastPair()] }

    func compute<Element: IntegerElement>(_ step: inout Step, _ type: Element.Type) throws {
        let broadcasting = try step.broadcasting(2)
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: type)
        switch (function, direction) {
        case (.and, _): try step.map(left, right, broadcasting, to: output) { $0 & $1 }
        case (.or, _): try step.map(left, right, broadcasting, to: output) { $0 | $1 }
        case (.xor, _): try step.map(left, right, broadcasting, to: output) { $0 ^ $1 }
        // Swift's shifts take any distance; a negative one counts as one beyond the width.
        case (.shift, .left): try step.map(left, right, broadcasting, to: output) { $0 << $1.distance }
        case (.shift, .right): try step.map(left, right, broadcasting, to: output) { $0 >> $1.distance }
        }
    }
}

extension IntegerElement {
    @inline(__always)
    fileprivate var distance: Self { self < 0 ? Self(Self.bitWidth) : self }
}

/// BitwiseNot (opset 18).
struct BitwiseNot: IntegerOperator {
    init(_ node: inout NodeReader) throws {}

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.required(0).type] }

    func compute<Element: IntegerElement>(_ step: inout Step, _ type: Element.Type) throws {
        try step.map(step.elements(0, of: type), to: step.mutableElements(0)) { ~$0 }
    }
}

extension NodeReader {
    /// A string attribute that must be given and one of an enumeration's raw values.
    fileprivate mutating func requiredChoice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws -> Choice
    where Choice.RawValue == String {
        let text = try string(name)
        guard let choice = Choice(rawValue: text) else {
            throw OperatorError(
                "attribute \(name) is “\(text)”, not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }
}
