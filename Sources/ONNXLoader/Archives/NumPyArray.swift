/// Reading one array in NumPy's format.
enum NumPyArray {
    /// - Throws: `ArchiveError.Problem` when the header is not understood or the elements are not all there.
    static func read(_ region: ByteRegion, limits: ArchiveLimits, budget: inout ByteBudget) throws -> ConstantTensor {
        let header = try region.withUnsafeBytes { try NumPyHeader($0, limits: limits) }
        let type = try DataType(header.descriptor)
        var count = 1
        for dimension in header.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw ArchiveError.Problem.malformed("the shape \(header.shape) is too large") }
            count = product
        }
        let (expected, overflow) = count.multipliedReportingOverflow(by: type.size)
        guard !overflow, expected == region.count - header.length else {
            throw ArchiveError.Problem.payloadMismatch(
                expected: overflow ? .max : expected, found: region.count - header.length)
        }
        var bytes = region.part(header.length, count: expected)
        if type.isBigEndian { bytes = try ElementLayout.swapped(bytes, width: type.unit, budget: &budget) }
        if header.isColumnMajor {
            bytes = try ElementLayout.contiguous(
                bytes, size: type.size, offset: 0, shape: header.shape,
                strides: ElementLayout.columnMajorStrides(header.shape), budget: &budget)
        }
        if type.elementType == .bool { bytes = try ElementLayout.booleans(bytes, budget: &budget) }
        guard type.elementType == .string else {
            return try ConstantTensor(elementType: type.elementType, shape: header.shape, payload: .bytes(bytes))
        }
        try budget.take(count * MemoryLayout<[UInt8]>.stride + expected)
        let strings = try (0..<count).map { index in
            try type.string(bytes.part(index * type.size, count: type.size))
        }
        return try ConstantTensor(elementType: .string, shape: header.shape, payload: .strings(strings))
    }
}

/// An array-protocol type string such as `<f4`.
private struct DataType {
    let elementType: ElementType
    /// Bytes of an element, and of the unit that byte order applies to.
    let size: Int
    let unit: Int
    let isBigEndian: Bool
    private let isUnicode: Bool

    init(_ descriptor: String) throws {
        let order = descriptor.first
        let code = descriptor.dropFirst().first
        guard code != "O" else {
            throw ArchiveError.Problem.unsupportedType("'O' (Python objects, which only running a pickle could read)")
        }
        guard let order, "<>|=".contains(order), let code, let digits = Int(descriptor.dropFirst(2)) else {
            throw ArchiveError.Problem.unsupportedType(quoted(descriptor))
        }
        isBigEndian = order == ">"
        isUnicode = code == "U"
        if code == "U" || code == "S" {
            guard digits > 0, digits <= 1 << 20 else { throw ArchiveError.Problem.unsupportedType(quoted(descriptor)) }
            elementType = .string
            unit = code == "U" ? 4 : 1
            size = digits * unit
            return
        }
        guard let known = Self.numbers["\(code)\(digits)"] else {
            throw ArchiveError.Problem.unsupportedType(quoted(descriptor))
        }
        elementType = known
        size = digits
        unit = code == "c" ? digits / 2 : digits
    }

    /// A string without the zero characters that fill it up, as UTF-8.
    func string(_ bytes: ByteRegion) throws -> [UInt8] {
        try bytes.withUnsafeBytes { bytes in
            guard isUnicode else { return Array(bytes[..<((bytes.lastIndex { $0 != 0 } ?? -1) + 1)]) }
            var scalars = String.UnicodeScalarView()
            for start in stride(from: 0, to: bytes.count, by: 4) {
                let value = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
                guard let scalar = Unicode.Scalar(value) else {
                    throw ArchiveError.Problem.malformed("a string holds \(value), which is no Unicode character")
                }
                scalars.append(scalar)
            }
            while scalars.last == "\0" { scalars.removeLast() }
            return Array(String(scalars).utf8)
        }
    }

    private static let numbers: [String: ElementType] = [
        "b1": .bool, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32,
        "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64, "c8": .complex64, "c16": .complex128,
    ]
}
