import ONNXLoader

extension Tensor {
    /// The elements as another type, in memory of its own.
    /// - Throws: `OperatorError` when there is no conversion.
    public func converted(to elementType: ElementType) throws -> Tensor {
        let target = Tensor(
            elementType: elementType, shape: shape,
            storage: TensorStorage(byteCount: try ValueType(elementType, shape).byteCount))
        try convert(into: target)
        return target
    }

    func converted(to elementType: ElementType, budget: MemoryBudget) throws -> Tensor {
        let target = try budget.allocate(ValueType(elementType, shape))
        try convert(into: target)
        return target
    }

    /// Writes the elements into memory of the same count, converted as C does: floats to integers truncate (and saturate,
    /// where C leaves it open), integers to narrower ones wrap, anything to bool asks whether it differs from zero.
    func convert(into target: Tensor) throws {
        guard target.count == count else { throw TensorError.countMismatch(shape: target.shape, count: count) }
        if target.elementType == elementType, elementType != .string {
            return withUnsafeBytes { source in
                (target.storage.bytes.baseAddress! + target.byteOffset).copyMemory(
                    from: source.baseAddress!, byteCount: source.count)
            }
        }
        switch (elementType, target.elementType) {
        case (.float16, .float32): return try HalfKernel.widen(elements(), into: target.uncheckedMutableElements())
        case (.float32, .float16): return try HalfKernel.narrow(elements(), into: target.uncheckedMutableElements())
        default: break
        }
        switch elementType {
        case .float32: try convertNumbers(Float.self, into: target)
        case .float64: try convertNumbers(Double.self, into: target)
        case .int64: try convertNumbers(Int64.self, into: target)
        case .int32: try convertNumbers(Int32.self, into: target)
        case .int16: try convertNumbers(Int16.self, into: target)
        case .int8: try convertNumbers(Int8.self, into: target)
        case .uint64: try convertNumbers(UInt64.self, into: target)
        case .uint32: try convertNumbers(UInt32.self, into: target)
        case .uint16: try convertNumbers(UInt16.self, into: target)
        case .uint8: try convertNumbers(UInt8.self, into: target)
        case .bool: try convertValues(from: { ($0 as Bool) ? UInt8(1) : 0 }, into: target)
        case .float16: try convertValues(from: { Float($0 as Float16) }, into: target)
        case .bfloat16: try convertValues(from: { ($0 as BFloat16).float }, into: target)
        default: throw OperatorError("no conversion from \(elementType.name) to \(target.elementType.name)")
        }
    }

    private func convertNumbers<Source: NumericElement>(_ type: Source.Type, into target: Tensor) throws {
        try convertValues(from: { ($0 as Source) }, into: target)
    }

    private func convertValues<Stored: TensorElement, Source: NumericElement>(
        from widen: (Stored) -> Source, into target: Tensor
    ) throws {
        let source = try elements(of: Stored.self)
        func write<Target: TensorElement>(_ convert: (Source) -> Target) throws {
            let result = try target.uncheckedMutableElements(of: Target.self)
            result.assign(0..<count, from: source, at: 0) { convert(widen($0)) }
        }
        func writeInteger<Target: IntegerElement>(_ type: Target.Type) throws {
            try write { $0.converted(to: type) }
        }
        switch target.elementType {
        case .float32: try write { Float($0.double) }
        case .float64: try write { $0.double }
        case .int64: try writeInteger(Int64.self)
        case .int32: try writeInteger(Int32.self)
        case .int16: try writeInteger(Int16.self)
        case .int8: try writeInteger(Int8.self)
        case .uint64: try writeInteger(UInt64.self)
        case .uint32: try writeInteger(UInt32.self)
        case .uint16: try writeInteger(UInt16.self)
        case .uint8: try writeInteger(UInt8.self)
        case .bool: try write { $0 != 0 }
        case .float16: try write { Float16(Float($0.double)) }
        case .bfloat16: try write { BFloat16(Float($0.double)) }
        default: throw OperatorError("no conversion from \(elementType.name) to \(target.elementType.name)")
        }
    }
}
