import ONNXLoader

/// Equal, Greater, GreaterOrEqual, Less, LessOrEqual (opsets 1–19). Equal also compares booleans and strings.
struct Comparison: NumericOperator {
    enum Function: String {
        case equal = "Equal"
        case greater = "Greater"
        case greaterOrEqual = "GreaterOrEqual"
        case less = "Less"
        case lessOrEqual = "LessOrEqual"
    }
    let function: Function
    private let legacy: LegacyBroadcast?

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        legacy = try LegacyBroadcast(&node)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.bool, try inputs.aligned(legacy).broadcastPair().shape)]
    }

    var computedElements: (input: Int, types: Set<ElementType>)? {
        (0, function == .equal ? ElementType.numbers.union([.bool, .string]) : ElementType.numbers)
    }

    func run(_ step: inout Step) throws {
        let left = try step.input(0)
        switch (function, left.elementType) {
        case (.equal, .bool):
            try step.map(
                left.elements(of: Bool.self), step.elements(1, of: Bool.self), step.broadcastingPair(legacy),
                to: step.mutableElements(0)
            ) { $0 == $1 }
        case (.equal, .string): try compareStrings(step)
        default: try runNumeric(&step)
        }
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        let (left, right) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let output = try step.mutableElements(0, of: Bool.self)
        switch function {
        case .equal: try step.map(left, right, broadcasting, to: output) { $0 == $1 }
        case .greater: try step.map(left, right, broadcasting, to: output) { $0 > $1 }
        case .greaterOrEqual: try step.map(left, right, broadcasting, to: output) { $0 >= $1 }
        case .less: try step.map(left, right, broadcasting, to: output) { $0 < $1 }
        case .lessOrEqual: try step.map(left, right, broadcasting, to: output) { $0 <= $1 }
        }
    }

    private func compareStrings(_ step: Step) throws {
        let broadcasting = try step.broadcastingPair(legacy)
        let steps = broadcasting.steps
        let (left, right) = (try step.input(0).strings, try step.input(1).strings)
        let output = try step.mutableElements(0, of: Bool.self)
        broadcasting.forEachRun(in: 0..<broadcasting.count) { run, starts in
            for (offset, index) in run.enumerated() {
                // Bytes, not canonical equivalence.
                output[index] = left[starts[0] + offset * steps[0]].utf8.elementsEqual(
                    right[starts[1] + offset * steps[1]].utf8)
            }
        }
    }
}
