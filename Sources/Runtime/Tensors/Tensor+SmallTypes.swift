import ONNXLoader

// Types of fewer than 8 bits are packed, low bits first; here every element has a byte of its own.
extension Tensor {
    /// The bits of every element of a type of at most 8 bits.
    func codes(bits: Int) -> [UInt8] {
        let perByte = 8 / bits
        let mask = UInt8(truncatingIfNeeded: 1 << bits - 1)
        return withUnsafeBytes { packed in
            (0..<count).map { packed[$0 / perByte] >> UInt8($0 % perByte * bits) & mask }
        }
    }

    /// Writes the bits of every element of a type of at most 8 bits.
    func store<Codes: RandomAccessCollection<UInt8>>(codes: Codes, bits: Int) where Codes.Index == Int {
        let perByte = 8 / bits
        let mask = UInt8(truncatingIfNeeded: 1 << bits - 1)
        let packed = UnsafeMutableRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount])
        for index in packed.indices {
            let first = index * perByte
            packed[index] = (first..<min(first + perByte, codes.count)).reduce(0) { byte, position in
                byte | (codes[position] & mask) << UInt8((position - first) * bits)
            }
        }
    }

    /// The elements of a type of at most 8 bits that is stored only, as `float`, `int8` or `uint8`; itself for any other type.
    func unpacked(budget: MemoryBudget) throws -> Tensor {
        if let format = SmallFloat(elementType), let bits = elementType.bitWidth {
            let result = try budget.allocate(ValueType(.float32, shape))
            let elements = try result.uncheckedMutableElements(of: Float.self)
            for (index, code) in codes(bits: bits).enumerated() { elements[index] = format.values[Int(code)] }
            return result
        }
        guard let bits = elementType.packedIntegerBits else { return self }
        let isSigned = elementType == .int4 || elementType == .int2
        let result = try budget.allocate(ValueType(isSigned ? .int8 : .uint8, shape))
        let codes = codes(bits: bits)
        guard isSigned else {
            let elements = try result.uncheckedMutableElements(of: UInt8.self)
            for (index, code) in codes.enumerated() { elements[index] = code }
            return result
        }
        let elements = try result.uncheckedMutableElements(of: Int8.self)
        let unused = Int8(8 - bits)
        for (index, code) in codes.enumerated() { elements[index] = (Int8(bitPattern: code) << unused) >> unused }
        return result
    }
}

extension ElementType {
    /// Bits of an integer type that is packed; nil for any other type.
    var packedIntegerBits: Int? {
        switch self {
        case .int4, .uint4: 4
        case .int2, .uint2: 2
        default: nil
        }
    }
}
