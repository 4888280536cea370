import ONNXLoader

/// An operator computed by one generic function over floating-point types and another over integer types; half-precision
/// types go through binary32.
protocol ArithmeticOperator: Operator {
    /// Which input tells the element type.
    var typedInput: Int { get }
    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws
    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws
}

extension ArithmeticOperator {
    var typedInput: Int { 0 }
    var computedElements: (input: Int, types: Set<ElementType>)? { (typedInput, ElementType.numbers) }

    func run(_ step: inout Step) throws { try runArithmetic(&step) }

    /// Calls `compute` with the Swift type of the typed input's elements.
    func runArithmetic(_ step: inout Step) throws {
        let elementType = try step.input(typedInput).elementType
        switch elementType {
        case .float32: try compute(&step, floating: Float.self)
        case .float64: try compute(&step, floating: Double.self)
        case .int64: try compute(&step, integer: Int64.self)
        case .int32: try compute(&step, integer: Int32.self)
        case .int16: try compute(&step, integer: Int16.self)
        case .int8: try compute(&step, integer: Int8.self)
        case .uint64: try compute(&step, integer: UInt64.self)
        case .uint32: try compute(&step, integer: UInt32.self)
        case .uint16: try compute(&step, integer: UInt16.self)
        case .uint8: try compute(&step, integer: UInt8.self)
        case .float16, .bfloat16: try step.inSinglePrecision { try compute(&$0, floating: Float.self) }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// An operator computed by one generic function over integer types.
protocol IntegerOperator: Operator {
    func compute<Element: IntegerElement>(_ step: inout Step, _ type: Element.Type) throws
}

extension IntegerOperator {
    var computedElements: (input: Int, types: Set<ElementType>)? { (0, ElementType.integers) }

    func run(_ step: inout Step) throws {
        let elementType = try step.input(0).elementType
        switch elementType {
        case .int64: try compute(&step, Int64.self)
        case .int32: try compute(&step, Int32.self)
        case .int16: try compute(&step, Int16.self)
        case .int8: try compute(&step, Int8.self)
        case .uint64: try compute(&step, UInt64.self)
        case .uint32: try compute(&step, UInt32.self)
        case .uint16: try compute(&step, UInt16.self)
        case .uint8: try compute(&step, UInt8.self)
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

extension NodeReader {
    /// The node's operator as a case of a family whose raw values are the operators' names.
    func family<Function: RawRepresentable>(_ type: Function.Type = Function.self) throws -> Function
    where Function.RawValue == String {
        guard let function = Function(rawValue: node.operatorName) else {
            throw OperatorError("\(node.operatorName) is not of the family \(type)")
        }
        return function
    }
}
