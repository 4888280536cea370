import ONNXLoader

/// A floating-point type with a quick way to the nearest integer.
protocol QuantizableReal: FloatingElement {
    /// The nearest integer, of two equally near ones the even one, for magnitudes below 2²².
    var nearestInteger: Int32 { get }
}

// Adding 1.5 times the power of two at which the spacing becomes 1 leaves the rounded integer in the lowest bits.
extension Float: QuantizableReal {
    var nearestInteger: Int32 {
        @inline(__always) get { Int32(bitPattern: (self + 0x1.8p23).bitPattern &- Float(0x1.8p23).bitPattern) }
    }
}

extension Double: QuantizableReal {
    var nearestInteger: Int32 {
        @inline(__always) get {
            Int32(truncatingIfNeeded: (self + 0x1.8p52).bitPattern &- Double(0x1.8p52).bitPattern)
        }
    }
}

/// `saturate(round(x) + zero point)` to an integer type of at most 16 bits, or a narrower range; halves to even, NaN to the
/// least value.
struct Quantizer<Wide: QuantizableReal, Target: IntegerElement>: Sendable {
    private let lower, upper: Wide
    private let zeroPoint: Int32

    /// - Parameter bits: how many the values may take.
    init(zeroPoint: Target, bits: Int = Target.bitWidth) {
        let zero = Int32(truncatingIfNeeded: zeroPoint)
        let least: Int32 = Target.isSigned ? -(1 << (bits - 1)) : 0
        lower = Wide(least - zero)
        upper = Wide(least + (1 << bits) - 1 - zero)
        self.zeroPoint = zero
    }

    @inline(__always)
    func callAsFunction(_ value: Wide) -> Target {
        Target(truncatingIfNeeded: min(max(lower, value), upper).nearestInteger &+ zeroPoint)
    }
}

extension ElementType {
    /// Whether it is an integer type of 8 bits.
    var isByte: Bool { self == .uint8 || self == .int8 }
}

extension Array where Element == ValueInfo? {
    /// A required operand of 8-bit integers.
    func requiredBytes(_ index: Int) throws -> ValueInfo {
        let info = try required(index)
        guard info.elementType.isByte else {
            throw OperatorError("input \(index) is \(info.elementType.name), not uint8 or int8")
        }
        return info
    }
}

extension Step {
    /// An input's only element, of any floating-point type.
    func scale(_ index: Int) throws -> Float {
        let scales = try scales(index)
        guard scales.count == 1 else { throw OperatorError("input \(index) has \(scales.count) scales, not one") }
        return scales[0]
    }

    /// An input's elements as binary32, of any floating-point type.
    func scales(_ index: Int) throws -> Elements<Float> {
        let scale = try input(index).unpacked(budget: context.budget)
        guard [.float32, .float16, .bfloat16].contains(scale.elementType) else {
            throw OperatorError("input \(index) is \(scale.elementType.name), not a scale")
        }
        return try scale.converted(to: .float32, budget: context.budget).elements()
    }

    /// An optional input's only element as the given type; 0 when it is absent.
    func zeroPoint<Element: IntegerElement>(_ index: Int, of type: Element.Type = Element.self) throws -> Element {
        guard let tensor = optional(index) else { return 0 }
        let elements = try tensor.elements(of: type)
        guard elements.count == 1 else {
            throw OperatorError("input \(index) has \(elements.count) zero points, not one")
        }
        return elements[0]
    }
}
