/// A tensor's value as a file holds it: little-endian, row-major, sub-byte types packed low bits first.
public struct ConstantTensor: Sendable, Equatable {
    public enum Payload: Sendable, Equatable {
        case bytes(ByteRegion)
        case strings([[UInt8]])
    }

    public let elementType: ElementType
    /// Sizes of the dimensions; empty for a scalar. Their product is checked against the payload.
    public let shape: [Int]
    public let payload: Payload
    public var documentation: String

    /// The number of elements.
    public let count: Int

    /// - Throws: `LoaderError` when a dimension is negative, the product overflows, or the payload is of another size.
    public init(elementType: ElementType, shape: [Int], payload: Payload, documentation: String = "") throws {
        let count = try Self.count(of: shape)
        switch payload {
        case .bytes(let region):
            guard let expected = elementType.byteCount(of: count), expected == region.count else {
                throw LoaderError.tensorPayloadMismatch(elementType, shape: shape, bytes: region.count)
            }
        case .strings(let strings):
            guard elementType == .string, strings.count == count else {
                throw LoaderError.tensorPayloadMismatch(elementType, shape: shape, bytes: strings.count)
            }
        }
        self.elementType = elementType
        self.shape = shape
        self.payload = payload
        self.documentation = documentation
        self.count = count
    }

    /// The number of elements of a shape.
    /// - Throws: `LoaderError.badTensorShape` when a dimension is negative, or the product of those that are not zero
    ///   overflows: then no product of some of them does.
    public static func count(of shape: [Int]) throws -> Int {
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: max(1, dimension))
            guard dimension >= 0, !overflow else { throw LoaderError.badTensorShape(shape) }
            count = product
        }
        return shape.contains(0) ? 0 : count
    }
}
