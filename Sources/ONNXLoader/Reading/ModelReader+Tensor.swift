extension ModelReader {
    /// A tensor in any of its storage forms; nil when something is wrong with it, which is noted.
    func tensor(_ message: Message, at location: String) -> ConstantTensor? {
        do {
            return try TensorReader(message: message, reader: self).tensor()
        } catch let failure as TensorFailure {
            problems.add(failure.kind, at: location, failure.message)
        } catch let error as LoaderError {
            problems.add(.tensor, at: location, error.description)
        } catch {
            problems.add(.tensor, at: location, "\(error)")
        }
        return nil
    }
}

/// What is wrong with a tensor; its place is added by the caller.
struct TensorFailure: Error {
    let kind: Problem.Kind
    let message: String

    init(_ message: String, kind: Problem.Kind = .tensor) {
        self.kind = kind
        self.message = message
    }
}

/// Reads one TensorProto.
struct TensorReader {
    typealias Field = Fields.Tensor

    let message: Message
    let reader: ModelReader

    func tensor() throws -> ConstantTensor {
        guard !message.has(Field.segment) else { throw TensorFailure("is split into segments, which is not supported") }
        let number = Int(message.int(Field.elementType))
        guard let elementType = ElementType(rawValue: number) else {
            throw TensorFailure(number == 0 ? "has no element type" : "has the unknown element type \(number)")
        }
        let shape = message.int64s(Field.dimensions).map { Int($0) }
        return try ConstantTensor(
            elementType: elementType, shape: shape,
            payload: payload(elementType, shape: shape, count: ConstantTensor.count(of: shape)),
            documentation: message.string(Field.documentation))
    }

    private func payload(_ elementType: ElementType, shape: [Int], count: Int) throws -> ConstantTensor.Payload {
        if message.int(Field.dataLocation) == 1 {
            return .bytes(try externalPayload(elementType, count: count))
        }
        let typed = [
            Field.floatData, Field.int32Data, Field.stringData, Field.int64Data, Field.doubleData, Field.uint64Data,
        ].filter { message.has($0) || message.payload($0).map { $0.count > 0 } == true }
        let raw = message.payload(Field.rawData)
        if let raw, raw.count > 0 || typed.isEmpty {
            guard typed.isEmpty else {
                throw TensorFailure("has data in raw_data and in \(Self.name(of: typed[0]))")
            }
            guard elementType != .string || raw.count == 0 else {
                throw TensorFailure("holds strings in raw_data; they belong into string_data")
            }
            return elementType == .string ? .strings([]) : .bytes(try region(raw))
        }
        let field = Self.typedField(of: elementType)
        if let other = typed.first(where: { $0 != field }) {
            throw TensorFailure(
                "is of type \(elementType.name), whose data belongs into \(Self.name(of: field)), "
                    + "but has data in \(Self.name(of: other))")
        }
        guard !typed.isEmpty || count == 0 else {
            throw TensorFailure("is of shape \(described(shape)) but has no data")
        }
        if elementType == .string {
            return .strings((0..<message.count(field)).map { message.bytes(field, $0) })
        }
        return .bytes(try typedPayload(elementType, field: field, shape: shape, count: count))
    }

    private func region(_ place: (offset: Int, count: Int)) throws -> ByteRegion {
        guard let region = reader.file.region(offset: place.offset, count: place.count) else {
            throw TensorFailure("has data outside the file")
        }
        return region
    }

    private func externalPayload(_ elementType: ElementType, count: Int) throws -> ByteRegion {
        guard let byteCount = elementType.byteCount(of: count) else {
            throw TensorFailure("of type \(elementType.name) cannot lie in external data", kind: .externalData)
        }
        let entries = reader.entries(message, Field.externalData)
        do {
            return try reader.externalData.region(entries, byteCount: byteCount)
        } catch let failure as ExternalData.Failure {
            throw TensorFailure(failure.description, kind: .externalData)
        }
    }

    /// The field that holds the elements one by one.
    private static func typedField(of elementType: ElementType) -> Int32 {
        switch elementType {
        case .float32, .complex64: Field.floatData
        case .float64, .complex128: Field.doubleData
        case .int64: Field.int64Data
        case .uint32, .uint64: Field.uint64Data
        case .string: Field.stringData
        default: Field.int32Data
        }
    }

    private static func name(of field: Int32) -> String {
        switch field {
        case Field.floatData: "float_data"
        case Field.int32Data: "int32_data"
        case Field.stringData: "string_data"
        case Field.int64Data: "int64_data"
        case Field.doubleData: "double_data"
        default: "uint64_data"
        }
    }
}
