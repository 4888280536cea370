/// Why a file could not be loaded: what, where, and what to do.
public enum LoaderError: Error, Sendable, Hashable, CustomStringConvertible {
    case badTensorShape([Int])
    case tensorPayloadMismatch(ElementType, shape: [Int], bytes: Int)

    public var description: String {
        switch self {
        case .badTensorShape(let shape):
            "the tensor shape \(shape) has a negative dimension or more elements than can be counted"
        case .tensorPayloadMismatch(let elementType, let shape, let bytes):
            "a \(elementType.name) tensor of shape \(shape) does not fit its payload of \(bytes) bytes"
        }
    }
}
