import ONNXLoader

/// A floating-point format of at most 8 bits, as the ONNX specification and the OCP specifications for 8-bit and
/// microscaling formats define them.
struct SmallFloat: Sendable {
    enum RoundingMode: String, CaseIterable {
        case up, down, nearest
    }
    private enum Special { case infinities, signedNaN, singleNaN, none, powersOnly }

    /// The value of every code.
    let values: [Float]
    private let special: Special
    /// Largest code of a finite value without its sign bit.
    private let largest: UInt8
    private let signBit: UInt8

    init?(_ type: ElementType) {
        switch type {
        case .float8E4M3FN: self.init(exponentBits: 4, fractionBits: 3, bias: 7, .signedNaN, largest: 0x7e)
        case .float8E4M3FNUZ: self.init(exponentBits: 4, fractionBits: 3, bias: 8, .singleNaN, largest: 0x7f)
        case .float8E5M2: self.init(exponentBits: 5, fractionBits: 2, bias: 15, .infinities, largest: 0x7b)
        case .float8E5M2FNUZ: self.init(exponentBits: 5, fractionBits: 2, bias: 16, .singleNaN, largest: 0x7f)
        case .float4E2M1: self.init(exponentBits: 2, fractionBits: 1, bias: 1, .none, largest: 0x7)
        case .float8E8M0: self.init()
        default: return nil
        }
    }

    private init(exponentBits: Int, fractionBits: Int, bias: Int, _ special: Special, largest: UInt8) {
        let signBit = 1 << (exponentBits + fractionBits)
        self.special = special
        self.largest = largest
        self.signBit = UInt8(signBit)
        values = (0..<2 * signBit).map { code in
            let magnitude = code & (signBit - 1)
            if special == .singleNaN, code == signBit { return .nan }
            if magnitude > largest {
                let isInfinite = special == .infinities && magnitude == Int(largest) + 1
                return isInfinite ? (code == magnitude ? .infinity : -.infinity) : .nan
            }
            let exponent = magnitude >> fractionBits
            let fraction = magnitude & (1 << fractionBits - 1)
            let significand = Float(exponent == 0 ? fraction : fraction + 1 << fractionBits)
            let value = Float(sign: .plus, exponent: max(exponent, 1) - bias - fractionBits, significand: significand)
            return code == magnitude ? value : -value
        }
    }

    /// E8M0: a power of two without a sign.
    private init() {
        special = .powersOnly
        largest = 0xfe
        signBit = 0
        values = (0..<256).map { $0 == 255 ? .nan : Float(sign: .plus, exponent: $0 - 127, significand: 1) }
    }

    /// The code of the nearest value, of two equally near ones the even one.
    ///
    /// - Parameters:
    ///   - saturates: whether what is too large becomes the largest value, rather than infinity or NaN.
    ///   - rounding: how E8M0 rounds.
    func code(of x: Float, saturates: Bool, rounding: RoundingMode = .up) -> UInt8 {
        if special == .powersOnly { return powerCode(of: x, saturates: saturates, rounding) }
        let sign = x.sign == .minus ? signBit : 0
        if x.isNaN { return quietNaN(sign) }
        let magnitude = nearestCode(x.magnitude)
        if magnitude > largest {
            guard !saturates, special != .none else { return sign | largest }
            switch special {
            case .infinities: return sign | (largest + 1)
            default: return quietNaN(sign)
            }
        }
        // Where the code of -0 means NaN, there is but one zero.
        return magnitude == 0 && special == .singleNaN ? 0 : sign | magnitude
    }

    private func quietNaN(_ sign: UInt8) -> UInt8 {
        switch special {
        // Infinity with the highest bit of the fraction.
        case .infinities: sign | (largest + 3)
        case .signedNaN: sign | (signBit - 1)
        // A format without NaN has nothing better than -0.
        case .singleNaN, .none, .powersOnly: signBit
        }
    }

    /// One more than the largest code for what rounds to something larger.
    private func nearestCode(_ x: Float) -> UInt8 {
        var low: UInt8 = 0
        var high = largest + 1
        // Invariant: x is at least the value of `low`, and below that of `high`.
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if values[Int(middle)] <= x { low = middle } else { high = middle }
        }
        let lower = values[Int(low)]
        // Beyond the largest value, the spacing would go on as before.
        let upper = low == largest ? 2 * lower - values[Int(low) - 1] : values[Int(low) + 1]
        let distance = x - lower
        let gap = upper - lower
        if distance * 2 == gap { return low & 1 == 0 ? low : low + 1 }
        return distance * 2 < gap ? low : low + 1
    }

    private func powerCode(of x: Float, saturates: Bool, _ rounding: RoundingMode) -> UInt8 {
        if x.isNaN { return 255 }
        let magnitude = x.magnitude
        if magnitude == 0 { return saturates ? 0 : 255 }
        if magnitude.isInfinite { return saturates ? largest : 255 }
        var exponent = Int(magnitude.exponent)
        let significand = magnitude.significand
        switch rounding {
        case .up: exponent += significand > 1 ? 1 : 0
        case .down: break
        case .nearest: exponent += significand >= 1.5 ? 1 : 0
        }
        if exponent > 127 { return saturates ? largest : 255 }
        if exponent < -127 { return saturates ? 0 : 255 }
        return UInt8(exponent + 127)
    }
}
