import ONNXLoader

/// An element type with arithmetic.
protocol NumericElement: TensorElement, Numeric, Comparable {
    /// The nearest value; integers truncate toward zero and saturate, so that no float can trap.
    init(saturating value: Double)
    var double: Double { get }
    /// Converted as C does, where C says; floats beyond the target's range saturate, NaN becomes 0.
    func converted<Target: IntegerElement>(to type: Target.Type) -> Target
    /// Arithmetic that wraps where `+` and `*` on integers would trap.
    static func wrappingSum(_ left: Self, _ right: Self) -> Self
    static func wrappingDifference(_ left: Self, _ right: Self) -> Self
    static func wrappingProduct(_ left: Self, _ right: Self) -> Self
}

extension FloatingElement {
    @inline(__always)
    static func wrappingSum(_ left: Self, _ right: Self) -> Self { left + right }
    @inline(__always)
    static func wrappingDifference(_ left: Self, _ right: Self) -> Self { left - right }
    @inline(__always)
    static func wrappingProduct(_ left: Self, _ right: Self) -> Self { left * right }
    @inline(__always)
    func converted<Target: IntegerElement>(to type: Target.Type) -> Target { Target(saturating: double) }
}

extension IntegerElement {
    @inline(__always)
    static func wrappingSum(_ left: Self, _ right: Self) -> Self { left &+ right }
    @inline(__always)
    static func wrappingDifference(_ left: Self, _ right: Self) -> Self { left &- right }
    @inline(__always)
    static func wrappingProduct(_ left: Self, _ right: Self) -> Self { left &* right }

    @inline(__always)
    func converted<Target: IntegerElement>(to type: Target.Type) -> Target { Target(truncatingIfNeeded: self) }
}

/// A floating-point element type that is computed with as it is.
protocol FloatingElement: NumericElement, MatrixElement {}

/// An integer element type; arithmetic wraps.
protocol IntegerElement: NumericElement, FixedWidthInteger {}

extension Float: FloatingElement {
    init(saturating value: Double) { self = Float(value) }
    var double: Double { Double(self) }
}

extension Double: FloatingElement {
    init(saturating value: Double) { self = value }
    var double: Double { self }
}

extension IntegerElement {
    init(saturating value: Double) {
        // Bounds as doubles: the upper one may round up to one past `max`, which is then excluded.
        if value.isNaN {
            self = 0
        } else if value >= Double(Self.max) {
            self = .max
        } else if value <= Double(Self.min) {
            self = .min
        } else {
            self = Self(value)
        }
    }

    var double: Double { Double(self) }
}

extension Int8: IntegerElement {}
extension Int16: IntegerElement {}
extension Int32: IntegerElement {}
extension Int64: IntegerElement {}
extension UInt8: IntegerElement {}
extension UInt16: IntegerElement {}
extension UInt32: IntegerElement {}
extension UInt64: IntegerElement {}

extension ElementType {
    /// Floating-point types that are computed with, the half-precision ones through binary32.
    static let reals: Set<ElementType> = [.float32, .float64, .float16, .bfloat16]
    /// Integer types of whole bytes.
    static let integers: Set<ElementType> = [.int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8]
    static let numbers = reals.union(integers)
}

/// An operator computed by one generic function over every numeric type of its first input; half-precision types go
/// through binary32.
protocol NumericOperator: Operator {
    /// Which input tells the element type.
    var typedInput: Int { get }
    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws
}

extension NumericOperator {
    var typedInput: Int { 0 }
    var computedElements: (input: Int, types: Set<ElementType>)? { (typedInput, ElementType.numbers) }

    func run(_ step: inout Step) throws { try runNumeric(&step) }

    /// Calls `compute` with the Swift type of the typed input's elements.
    func runNumeric(_ step: inout Step) throws {
        let elementType = try step.input(typedInput).elementType
        switch elementType {
        case .float32: try compute(&step, Float.self)
        case .float64: try compute(&step, Double.self)
        case .int64: try compute(&step, Int64.self)
        case .int32: try compute(&step, Int32.self)
        case .int16: try compute(&step, Int16.self)
        case .int8: try compute(&step, Int8.self)
        case .uint64: try compute(&step, UInt64.self)
        case .uint32: try compute(&step, UInt32.self)
        case .uint16: try compute(&step, UInt16.self)
        case .uint8: try compute(&step, UInt8.self)
        case .float16, .bfloat16: try step.inSinglePrecision { try compute(&$0, Float.self) }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// An operator computed by one generic function over floating-point types; half-precision types go through binary32.
protocol FloatingOperator: Operator {
    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws
}

extension FloatingOperator {
    var computedElements: (input: Int, types: Set<ElementType>)? { (0, ElementType.reals) }

    func run(_ step: inout Step) throws { try runFloating(&step) }

    /// Calls `compute` with the Swift type of the first input's elements.
    func runFloating(_ step: inout Step) throws {
        let elementType = try step.input(0).elementType
        switch elementType {
        case .float32: try compute(&step, Float.self)
        case .float64: try compute(&step, Double.self)
        case .float16, .bfloat16: try step.inSinglePrecision { try compute(&$0, Float.self) }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// An operator computed in binary32 only; half-precision types go through it.
protocol SinglePrecisionOperator: Operator {
    func compute(_ step: inout Step) throws
}

extension SinglePrecisionOperator {
    var computedElements: (input: Int, types: Set<ElementType>)? { (0, [.float32, .float16, .bfloat16]) }

    func run(_ step: inout Step) throws {
        let elementType = try step.input(0).elementType
        switch elementType {
        case .float32: try compute(&step)
        case .float16, .bfloat16: try step.inSinglePrecision { try compute(&$0) }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

extension Step {
    /// Runs `body` with the half-precision inputs widened to binary32, and rounds its outputs to half precision.
    mutating func inSinglePrecision(_ body: (inout Step) throws -> Void) throws {
        let narrow = try input(0).elementType
        let widenedInputs = try (0..<inputCount).map { index -> Value? in
            guard let tensor = optional(index), tensor.elementType == narrow else { return value(index) }
            return .tensor(try tensor.converted(to: .float32, budget: context.budget))
        }
        let wideOutputs = try outputs.map { value -> Value? in
            guard case .tensor(let tensor) = value, tensor.elementType == narrow else { return value }
            return .tensor(try context.budget.allocate(ValueType(.float32, tensor.shape)))
        }
        var wide = Step(
            name: name, operatorName: operatorName, inputs: widenedInputs, outputs: wideOutputs, arity: arity,
            context: context, workspace: workspace, workspaceOffset: workspaceOffset)
        try body(&wide)
        for (index, value) in wide.outputs.enumerated() {
            guard case .tensor(let result) = value, result.elementType == .float32 else { continue }
            guard case .tensor(let target) = outputs[index] else {
                set(index, .tensor(try result.converted(to: narrow, budget: context.budget)))
                continue
            }
            if target.elementType == narrow { try result.convert(into: target) }
        }
    }
}
