import ONNXLoader

/// IsNaN (opsets 9–20).
struct IsNaN: FloatingOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.bool, try inputs.required(0).shape)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        try step.map(step.elements(0, of: type), to: step.mutableElements(0, of: Bool.self)) { $0.isNaN }
    }
}

/// IsInf (opsets 10–20): whether an element is one of the infinities that are asked for.
struct IsInfinite: FloatingOperator {
    let detectsNegative, detectsPositive: Bool

    init(_ node: inout NodeReader) throws {
        detectsNegative = try node.flag("detect_negative", or: true)
        detectsPositive = try node.flag("detect_positive", or: true)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.bool, try inputs.required(0).shape)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let (negative, positive) = (detectsNegative, detectsPositive)
        try step.map(step.elements(0, of: type), to: step.mutableElements(0, of: Bool.self)) {
            $0.isInfinite && ($0 < 0 ? negative : positive)
        }
    }
}
