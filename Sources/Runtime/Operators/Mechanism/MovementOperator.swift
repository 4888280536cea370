import ONNXLoader

/// An operator that moves elements without looking at them. It is computed for elements of 1, 2, 4, 8 and 16 bytes; strings
/// are moved as numbers that stand for them, packed types as bytes.
protocol MovementOperator: Operator {
    /// Which input tells the type of the elements that are moved.
    var movedInput: Int { get }
    func move(_ step: inout Step) throws
}

extension MovementOperator {
    var movedInput: Int { 0 }

    func run(_ step: inout Step) throws { try runMovement(&step) }

    /// What `run` does unless an operator says otherwise.
    func runMovement(_ step: inout Step) throws {
        let elementType = try step.input(movedInput).elementType
        switch elementType.bitWidth {
        case nil: try step.withStringsAsNumbers { try move(&$0) }
        case let bits? where bits < 8: try step.withPackedAsBytes(elementType, bits: bits) { try move(&$0) }
        default: try move(&step)
        }
    }
}

/// A movement operator that needs to touch single elements: it is given an unsigned integer type of their width.
protocol WordOperator: MovementOperator {
    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws
}

extension WordOperator {
    func move(_ step: inout Step) throws {
        let elementType = try step.input(movedInput).elementType
        switch elementType.bitWidth {
        case 8: try move(&step, as: UInt8.self)
        case 16: try move(&step, as: UInt16.self)
        case 32: try move(&step, as: UInt32.self)
        case 64: try move(&step, as: UInt64.self)
        case 128: try move(&step, as: Word128.self)
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// Sixteen bytes: an element of the widest type, `complex128`.
struct Word128: TensorElement {
    static var elementType: ElementType { .complex128 }

    var low: UInt64 = 0
    var high: UInt64 = 0
}

extension Tensor {
    /// The elements as words of the same width.
    func words<Word: TensorElement>(_ type: Word.Type) throws -> Elements<Word> {
        guard elementType.bitWidth == Word.elementType.bitWidth else {
            throw TensorError.wrongElementType(elementType, wanted: Word.elementType)
        }
        return Elements(
            base: storage.bytes.baseAddress.map { UnsafeRawPointer($0 + byteOffset) }, count: count, owner: storage)
    }

    /// Write access to the elements as words of the same width: for a step's outputs only, whose memory is the step's.
    func uncheckedMutableWords<Word: TensorElement>(_ type: Word.Type) throws -> MutableElements<Word> {
        guard elementType.bitWidth == Word.elementType.bitWidth else {
            throw TensorError.wrongElementType(elementType, wanted: Word.elementType)
        }
        return MutableElements(base: storage.bytes.baseAddress! + byteOffset, count: count)
    }

    /// Indices into a dimension of `size` elements; negative ones count from its end.
    /// - Throws: `OperatorError` that names an index outside.
    func indices(below size: Int) throws -> [Int] {
        func checked<Index: IntegerElement>(_ type: Index.Type) throws -> [Int] {
            try elements(of: Index.self).map { index in
                let index = Int(truncatingIfNeeded: index)
                guard index >= -size, index < size else {
                    throw OperatorError("index \(index) is outside a dimension of \(size)")
                }
                return index < 0 ? index + size : index
            }
        }
        switch elementType {
        case .int64: return try checked(Int64.self)
        case .int32: return try checked(Int32.self)
        default: throw OperatorError("indices are \(elementType.name), not int32 or int64")
        }
    }
}

extension Step {
    /// Runs `body` with every string replaced by a number that stands for it; 0 stands for the empty string.
    fileprivate mutating func withStringsAsNumbers(_ body: (inout Step) throws -> Void) throws {
        var table = [""]
        try substituting(.string, with: .int64, body) { strings, target in
            let numbers = try target.uncheckedMutableElements(of: Int64.self)
            for (index, string) in strings.strings.enumerated() {
                numbers[index] = Int64(table.count)
                table.append(string)
            }
        } decode: { numbers, target in
            target.storage.strings = try numbers.elements(of: Int64.self).map { number in
                guard table.indices.contains(Int(number)) else { throw OperatorError("no string has number \(number)") }
                return table[Int(number)]
            }
        }
    }

    /// Runs `body` with every element of a packed type in a byte of its own.
    fileprivate mutating func withPackedAsBytes(
        _ elementType: ElementType, bits: Int, _ body: (inout Step) throws -> Void
    ) throws {
        let perByte = 8 / bits
        let mask = UInt8(1 << bits - 1)
        try substituting(elementType, with: .uint8, body) { packed, target in
            let bytes = try target.uncheckedMutableElements(of: UInt8.self)
            packed.withUnsafeBytes { packed in
                for index in 0..<bytes.count {
                    bytes[index] = packed[index / perByte] >> UInt8(index % perByte * bits) & mask
                }
            }
        } decode: { bytes, target in
            let source = try bytes.elements(of: UInt8.self)
            let packed = UnsafeMutableRawBufferPointer(
                rebasing: target.storage.bytes[target.byteOffset..<target.byteOffset + target.byteCount])
            for index in packed.indices {
                packed[index] = (0..<min(perByte, source.count - index * perByte)).reduce(0) { byte, position in
                    byte | (source[index * perByte + position] & mask) << UInt8(position * bits)
                }
            }
        }
    }

    /// Runs `body` on a step in which tensors of one type have another.
    private mutating func substituting(
        _ own: ElementType, with other: ElementType, _ body: (inout Step) throws -> Void,
        encode: (Tensor, Tensor) throws -> Void, decode: (Tensor, Tensor) throws -> Void
    ) throws {
        let substitutes = try (0..<inputCount).map { index -> Value? in
            guard let tensor = optional(index), tensor.elementType == own else { return value(index) }
            let substitute = try context.budget.allocate(ValueType(other, tensor.shape))
            try encode(tensor, substitute)
            return .tensor(substitute)
        }
        let targets = outputs
        let results = try targets.map { value -> Value? in
            guard case .tensor(let tensor) = value, tensor.elementType == own else { return value }
            return .tensor(try context.budget.allocate(ValueType(other, tensor.shape)))
        }
        var inner = Step(
            name: name, operatorName: operatorName, inputs: substitutes, outputs: results, arity: arity,
            context: context, workspace: workspace, workspaceOffset: workspaceOffset)
        try body(&inner)
        for (result, target) in zip(inner.outputs, targets) {
            guard case .tensor(let target) = target, target.elementType == own, case .tensor(let result) = result
            else { continue }
            try decode(result, target)
        }
    }
}
