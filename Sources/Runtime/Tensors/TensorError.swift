import ONNXLoader

/// A tensor was asked for something that it is not.
public enum TensorError: Error, Sendable, Hashable, CustomStringConvertible {
    case badShape([Int])
    case countMismatch(shape: [Int], count: Int)
    case wrongElementType(ElementType, wanted: ElementType)

    public var description: String {
        switch self {
        case .badShape(let shape):
            "the shape \(shape) has a negative size or more elements than can be counted"
        case .countMismatch(let shape, let count):
            "the shape \(shape) does not hold \(count) elements"
        case .wrongElementType(let elementType, let wanted):
            "the tensor holds \(elementType.name), not \(wanted.name)"
        }
    }
}
