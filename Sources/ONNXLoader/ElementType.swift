/// The element types of the ONNX specification, with `TensorProto.DataType`'s numbers.
public enum ElementType: Int, Sendable, Hashable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16
    case float8E4M3FN = 17
    case float8E4M3FNUZ = 18
    case float8E5M2 = 19
    case float8E5M2FNUZ = 20
    case uint4 = 21
    case int4 = 22
    case float4E2M1 = 23
    case float8E8M0 = 24
    case uint2 = 25
    case int2 = 26

    /// Bits of one element as stored in `raw_data`; nil for strings.
    public var bitWidth: Int? {
        switch self {
        case .string: nil
        case .complex128: 128
        case .int64, .uint64, .float64, .complex64: 64
        case .float32, .int32, .uint32: 32
        case .int16, .uint16, .float16, .bfloat16: 16
        case .uint8, .int8, .bool, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float8E8M0: 8
        case .uint4, .int4, .float4E2M1: 4
        case .uint2, .int2: 2
        }
    }

    /// The name that the specification's type constraints use, such as `float` or `int64`.
    public var name: String {
        switch self {
        case .float32: "float"
        case .float64: "double"
        case .float8E4M3FN: "float8e4m3fn"
        case .float8E4M3FNUZ: "float8e4m3fnuz"
        case .float8E5M2: "float8e5m2"
        case .float8E5M2FNUZ: "float8e5m2fnuz"
        case .float4E2M1: "float4e2m1"
        case .float8E8M0: "float8e8m0"
        default: String(describing: self)
        }
    }

    /// Bytes that `count` elements occupy in `raw_data` (sub-byte types are packed, the last byte padded); nil for strings and on overflow.
    public func byteCount(of count: Int) -> Int? {
        guard let bitWidth, count >= 0 else { return nil }
        let (bits, overflow) = count.multipliedReportingOverflow(by: bitWidth)
        return overflow ? nil : bits / 8 + (bits % 8 == 0 ? 0 : 1)
    }
}
