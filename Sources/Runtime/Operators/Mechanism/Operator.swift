import ONNXLoader

/// An operator with its attributes: what it accepts, what it gives, how it is computed.
///
/// A new one costs a struct that conforms to this, a line in `Registry`, and a test table.
protocol Operator: Sendable {
    /// Reads the attributes, settling differences between opsets. Attributes left unread are an error of the reader's.
    init(_ node: inout NodeReader) throws

    /// Types of the outputs.
    ///
    /// - Parameters:
    ///   - inputs: nil where an optional input is absent; `value` is set where it is known.
    ///   - arity: the number of outputs of the node.
    /// - Throws: `DataDependentTypes` when an input's value is needed but not known; `OperatorError` when the inputs
    ///   break the specification.
    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType]

    /// The outputs, when the inputs' types alone determine them, as Shape's do.
    func valuesKnownFromTypes(_ inputs: [ValueInfo?]) throws -> [Tensor]?

    /// Computes the outputs. They are allocated when `types(of:arity:)` could tell their types, else the operator calls
    /// `step.allocate`.
    func run(_ step: inout Step) throws

    /// The input that decides how elements are computed, and the element types that it may have; nil where the operator
    /// itself tells in `types(of:arity:)` or in a run.
    var computedElements: (input: Int, types: Set<ElementType>)? { get }

    /// Whether output 0 has the elements of input 0 in the same order: then no memory is given and nothing is run.
    var isView: Bool { get }

    /// Inputs whose memory output 0 may take over: its elements are written only after the same elements were read.
    var inPlaceInputs: [Int] { get }

    /// Whether the same inputs always give the same outputs.
    var isDeterministic: Bool { get }

    /// The way of computing that is best for these inputs, with weights prepared; itself when there is but one.
    func specialized(for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext) throws -> any Operator

    /// Inputs that `specialized` took over: a run does not read them.
    var preparedInputs: Set<Int> { get }

    /// Bytes of what `specialized` made of them.
    var preparedByteCount: Int { get }

    /// Bytes of scratch memory that a run needs.
    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int

    /// Multiplications with an addition that a run costs.
    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int

    /// How it is computed, for the profile.
    var kernelName: String { get }
}

extension Operator {
    func valuesKnownFromTypes(_ inputs: [ValueInfo?]) throws -> [Tensor]? { nil }
    var computedElements: (input: Int, types: Set<ElementType>)? { nil }
    var isView: Bool { false }
    func run(_ step: inout Step) throws {
        throw OperatorError("a view has nothing to run")
    }
    var inPlaceInputs: [Int] { [] }
    var isDeterministic: Bool { true }
    func specialized(
        for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext
    ) throws -> any Operator { self }
    var preparedInputs: Set<Int> { [] }
    var preparedByteCount: Int { 0 }
    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int { 0 }
    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { 0 }
    var kernelName: String { "direct" }
}

/// An operator that only plans make, never a node of a file.
protocol LoweredOperator: Operator {}

extension LoweredOperator {
    init(_ node: inout NodeReader) throws {
        throw OperatorError("\(Self.self) is made by lowering only")
    }
}

extension Array where Element == ValueInfo? {
    /// What is known of a required input.
    func required(_ index: Int) throws -> ValueInfo {
        guard index < count, let info = self[index] else {
            throw OperatorError("input \(index) is required")
        }
        return info
    }

    /// What is known of an optional input.
    func optional(_ index: Int) -> ValueInfo? {
        index < count ? self[index] : nil
    }

    /// The elements of a required integer input, such as Reshape's target.
    /// - Throws: `DataDependentTypes` while the value is not known.
    func integers(_ index: Int) throws -> [Int] {
        guard let value = try required(index).value else { throw DataDependentTypes() }
        return try value.integers()
    }

    /// The elements of an optional integer input; nil when it is absent.
    func optionalIntegers(_ index: Int) throws -> [Int]? {
        optional(index) == nil ? nil : try integers(index)
    }
}

extension Tensor {
    /// The elements of a tensor of any integer type, or booleans as 0 and 1.
    /// - Throws: `OperatorError` for another type, or a value beyond `Int`.
    func integers() throws -> [Int] {
        switch elementType {
        case .int64: return try array(of: Int64.self).map { Int($0) }
        case .int32: return try array(of: Int32.self).map { Int($0) }
        case .int16: return try array(of: Int16.self).map { Int($0) }
        case .int8: return try array(of: Int8.self).map { Int($0) }
        case .uint8: return try array(of: UInt8.self).map { Int($0) }
        case .uint16: return try array(of: UInt16.self).map { Int($0) }
        case .uint32: return try array(of: UInt32.self).map { Int($0) }
        case .uint64:
            return try array(of: UInt64.self).map {
                guard let value = Int(exactly: $0) else { throw OperatorError("\($0) is too large") }
                return value
            }
        case .bool: return try array(of: Bool.self).map { $0 ? 1 : 0 }
        default: throw OperatorError("integers are wanted, not \(elementType.name)")
        }
    }
}
