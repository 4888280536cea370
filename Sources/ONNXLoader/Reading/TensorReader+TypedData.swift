extension TensorReader {
    /// The elements of a typed field as `raw_data` would hold them.
    func typedPayload(_ elementType: ElementType, field: Int32, shape: [Int], count: Int) throws -> ByteRegion {
        if let place = message.payload(field), place.count > 0 {
            guard !message.has(field) else { throw TensorFailure("has its data in pieces of different kinds") }
            guard let region = reader.file.region(offset: place.offset, count: place.count) else {
                throw TensorFailure("has data outside the file")
            }
            return region
        }
        // Packed sub-byte types have one number for each byte, complex types two for each element.
        guard let byteCount = elementType.byteCount(of: count), let bitWidth = elementType.bitWidth else {
            throw LoaderError.badTensorShape(shape)
        }
        let entryWidth: Int
        switch elementType {
        case .complex64, .complex128: entryWidth = bitWidth / 16
        default: entryWidth = max(1, bitWidth / 8)
        }
        guard message.count(field) == byteCount / entryWidth else {
            throw TensorFailure(
                "of type \(elementType.name) and shape \(described(shape)) needs \(byteCount / entryWidth) numbers "
                    + "and has \(message.count(field))")
        }
        switch elementType {
        case .float32, .complex64: return Self.region(message.floats(field).map(\.bitPattern))
        case .float64, .complex128: return Self.region(message.doubles(field).map(\.bitPattern))
        case .int64: return Self.region(message.int64s(field))
        case .uint64: return Self.region(message.uint64s(field))
        case .uint32: return Self.region(try Self.narrowed(message.uint64s(field), to: UInt32.self))
        case .int32: return Self.region(message.int32s(field))
        case .bool: return Self.region(message.int32s(field).map { UInt8($0 == 0 ? 0 : 1) })
        case _ where entryWidth == 2: return Self.region(try Self.narrowed(message.int32s(field), to: UInt16.self))
        default: return Self.region(try Self.narrowed(message.int32s(field), to: UInt8.self))
        }
    }

    /// The low bits of every number. A number must fit as a signed or as an unsigned one.
    private static func narrowed<Wide: FixedWidthInteger, Narrow: FixedWidthInteger & UnsignedInteger>(
        _ values: [Wide], to: Narrow.Type
    ) throws -> [Narrow] {
        let allowed = -(1 << (Narrow.bitWidth - 1))..<(1 << Narrow.bitWidth)
        return try values.map { value in
            guard let number = Int(exactly: value), allowed.contains(number) else {
                throw TensorFailure("has the number \(value), which does not fit into \(Narrow.bitWidth) bits")
            }
            return Narrow(truncatingIfNeeded: value)
        }
    }

    private static func region<Element: FixedWidthInteger>(_ values: [Element]) -> ByteRegion {
        values.withUnsafeBytes { source in
            ByteRegion(count: source.count) { $0.copyMemory(from: source) }
        }
    }
}
