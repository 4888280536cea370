import ONNXLoader

/// What the bytes of a quantised tensor mean: `(value - zero point) · scale`, of `uint8` or `int8`.
struct QuantizedBytes: Sendable {
    let scale: Float
    /// The bit that makes a signed byte an unsigned one 128 larger.
    private let flip: UInt8
    private let zero: Int32
    private let quantizer: Quantizer<Float, UInt8>

    init(_ type: ElementType, scale: Float, zeroPoint: Tensor?) throws {
        guard type.isByte else { throw OperatorError("\(type.name) is not uint8 or int8") }
        if let zeroPoint, zeroPoint.elementType != type || zeroPoint.count != 1 {
            throw OperatorError("a zero point \(ValueType(zeroPoint)) does not fit a tensor of \(type.name)")
        }
        self.scale = scale
        flip = type == .int8 ? 0x80 : 0
        let zeroPoint = try (zeroPoint?.words(UInt8.self)[0] ?? 0) ^ flip
        zero = Int32(zeroPoint)
        quantizer = Quantizer(zeroPoint: zeroPoint)
    }

    /// The difference of a byte from the zero point.
    @inline(__always)
    func difference(_ byte: UInt8) -> Int32 { Int32(byte ^ flip) &- zero }

    @inline(__always)
    func real(_ byte: UInt8) -> Float { Float(difference(byte)) * scale }

    @inline(__always)
    func byte(_ real: Float) -> UInt8 { quantizer(real / scale) ^ flip }
}

extension Step {
    /// How an input is quantised, by the inputs that hold its scale and its zero point.
    func quantization(of input: Int, scale: Int, zeroPoint: Int) throws -> QuantizedBytes {
        try QuantizedBytes(try self.input(input).elementType, scale: self.scale(scale), zeroPoint: optional(zeroPoint))
    }

    /// How output 0 is quantised.
    func outputQuantization(scale: Int, zeroPoint: Int) throws -> QuantizedBytes {
        try QuantizedBytes(output(0).elementType, scale: self.scale(scale), zeroPoint: optional(zeroPoint))
    }

    /// An input's and output 0's bytes, whatever their sign.
    func bytes(_ index: Int) throws -> Elements<UInt8> { try input(index).words(UInt8.self) }
    func outputBytes() throws -> MutableElements<UInt8> { try output(0).uncheckedMutableWords(UInt8.self) }
}
