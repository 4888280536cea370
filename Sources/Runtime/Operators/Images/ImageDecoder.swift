import ONNXLoader

/// ImageDecoder (opset 20): the pixels of an encoded image as rows × columns × channels; without elements when the bytes
/// are damaged or no image. JPEG 2000 is refused.
struct ImageDecoder: Operator {
    enum PixelFormat: String, CaseIterable {
        case rgb = "RGB", bgr = "BGR", gray = "Grayscale"
    }
    private let format: PixelFormat

    init(_ node: inout NodeReader) throws { format = try node.choice("pixel_format", or: .rgb) }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.elementType == .uint8, input.shape.count == 1 else {
            throw OperatorError("bytes are wanted, not \(input.type)")
        }
        throw DataDependentTypes()
    }

    func run(_ step: inout Step) throws {
        let bytes = try step.elements(0, of: UInt8.self)
        let channels = format == .gray ? 1 : 3
        guard let image = try EncodedImage.decode(bytes, budget: step.context.budget) else {
            _ = try step.allocate(0, ValueType(.uint8, [0, 0, channels]))
            return
        }
        guard format != .rgb else { return step.set(0, .tensor(image)) }
        let output = try step.allocate(0, ValueType(.uint8, image.shape[..<2] + [channels]))
        let (source, target) = (try image.elements(of: UInt8.self), try output.uncheckedMutableElements(of: UInt8.self))
        try step.parallel(image.count / 3, grain: Step.elementGrain) { pixels in
            for pixel in pixels {
                let (red, green, blue) = (source[pixel * 3], source[pixel * 3 + 1], source[pixel * 3 + 2])
                if format == .gray {
                    target[pixel] = luma(red, green, blue)
                } else {
                    target[pixel * 3] = blue
                    target[pixel * 3 + 1] = green
                    target[pixel * 3 + 2] = red
                }
            }
        }
    }

    /// ITU-R BT.601's weights in 16 bits, rounded.
    private func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (19595 * UInt32(red) + 38470 * UInt32(green) + 7471 * UInt32(blue) + 1 << 15) >> 16)
    }
}
