/// The elements of a float, double, float16 or bfloat16 tensor, each exactly as a Double.
struct FloatingPointElements {
    let count: Int
    private let region: ByteRegion
    private let elementType: ElementType

    /// nil for other element types.
    init?(_ tensor: ConstantTensor) {
        guard Self.handles(tensor.elementType), case .bytes(let region) = tensor.payload else { return nil }
        self.region = region
        count = tensor.count
        elementType = tensor.elementType
    }

    static func handles(_ type: ElementType) -> Bool { [.float32, .float64, .float16, .bfloat16].contains(type) }

    func array() -> [Double] {
        region.withUnsafeBytes { bytes in
            switch elementType {
            case .float64: (0..<count).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
            case .float32: (0..<count).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
            case .float16: (0..<count).map { Double(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: Float16.self)) }
            default:
                (0..<count).map {
                    Double(
                        Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16))
                }
            }
        }
    }

    /// `values` as elements of `type`, each rounded once, to nearest, ties to even.
    ///
    /// - Returns: nil when a finite value has no finite counterpart, or `type` is not one of the four.
    static func encode(_ values: [Double], as type: ElementType) -> ByteRegion? {
        switch type {
        case .float64: return region(values)
        case .float32: return encode(values) { Float($0) }
        case .float16: return encode(values) { Float16($0) }
        case .bfloat16:
            var isFinite = true
            let bits = values.map { value in
                let bits = bfloat16(value)
                if value.isFinite, bits & 0x7f80 == 0x7f80 { isFinite = false }
                return bits
            }
            return isFinite ? region(bits) : nil
        default: return nil
        }
    }

    private static func encode<Element: BinaryFloatingPoint & BitwiseCopyable>(
        _ values: [Double], _ round: (Double) -> Element
    ) -> ByteRegion? {
        var isFinite = true
        let elements = values.map { value in
            let element = round(value)
            if value.isFinite, !element.isFinite { isFinite = false }
            return element
        }
        return isFinite ? region(elements) : nil
    }

    private static func region<Element: BitwiseCopyable>(_ elements: [Element]) -> ByteRegion {
        elements.withUnsafeBytes { ByteRegion(copying: $0) }
    }

    /// The upper half of the binary32 nearest in the sense of rounding to odd, so that the second rounding cannot err.
    private static func bfloat16(_ value: Double) -> UInt16 {
        guard !value.isNaN else { return 0x7fc0 }
        var single = Float(value)
        if single.isFinite, Double(single) != value {
            if abs(Double(single)) > abs(value) { single = single > 0 ? single.nextDown : single.nextUp }
            single = Float(bitPattern: single.bitPattern | 1)
        }
        let bits = single.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
    }
}
