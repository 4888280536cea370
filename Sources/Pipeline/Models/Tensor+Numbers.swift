import ONNXLoader
import Runtime

extension Tensor {
    /// Calls `body` with the elements as single-precision numbers; without a copy when they are such already.
    /// - Throws: `InferenceError.unexpectedType` for types that are not floating-point.
    func withFloats<Result>(named name: String, _ body: (UnsafeBufferPointer<Float>) throws -> Result) throws -> Result
    {
        if elementType == .float32 {
            let direct = try withUnsafeBytes { bytes -> Result? in
                guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else { return nil }
                return try body(bytes.bindMemory(to: Float.self))
            }
            if let direct { return direct }
        }
        return try floats(named: name).withUnsafeBufferPointer(body)
    }

    /// The elements as single-precision numbers.
    /// - Throws: `InferenceError.unexpectedType` for types that are not floating-point.
    func floats(named name: String) throws -> [Float] {
        switch elementType {
        case .float32: try array(of: Float.self)
        case .float16: try elements(of: Float16.self).map { Float($0) }
        case .bfloat16: try elements(of: BFloat16.self).map(\.float)
        case .float64: try elements(of: Double.self).map { Float($0) }
        default:
            throw InferenceError.unexpectedType(
                value: name, type: elementType.name, expected: "float, float16, bfloat16 or double")
        }
    }

    /// The elements as whole numbers.
    /// - Throws: `InferenceError.unexpectedType` for types that are not integers.
    func integers(named name: String) throws -> [Int] {
        switch elementType {
        case .int64: try elements(of: Int64.self).map { Int($0) }
        case .int32: try elements(of: Int32.self).map { Int($0) }
        case .int16: try elements(of: Int16.self).map { Int($0) }
        case .int8: try elements(of: Int8.self).map { Int($0) }
        case .uint64: try elements(of: UInt64.self).map { Int(truncatingIfNeeded: $0) }
        case .uint32: try elements(of: UInt32.self).map { Int($0) }
        case .uint16: try elements(of: UInt16.self).map { Int($0) }
        case .uint8: try elements(of: UInt8.self).map { Int($0) }
        default:
            throw InferenceError.unexpectedType(value: name, type: elementType.name, expected: "an integer type")
        }
    }
}
