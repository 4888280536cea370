import ONNXLoader

/// The element type and the shape of a tensor.
public struct ValueType: Sendable, Hashable, CustomStringConvertible {
    public var elementType: ElementType
    /// Sizes of the dimensions, outermost first; empty for a scalar.
    public var shape: [Int]

    public init(_ elementType: ElementType, _ shape: [Int]) {
        self.elementType = elementType
        self.shape = shape
    }

    /// The type of a tensor.
    public init(_ tensor: Tensor) {
        self.init(tensor.elementType, tensor.shape)
    }

    /// Bytes of all elements; 0 for strings.
    /// - Throws: `TensorError.badShape` when they cannot be counted.
    public var byteCount: Int {
        get throws {
            guard elementType != .string else { return 0 }
            guard let bytes = elementType.byteCount(of: try elementCount(of: shape)) else {
                throw TensorError.badShape(shape)
            }
            return bytes
        }
    }

    public var description: String { "\(elementType.name)[\(shape.map(String.init).joined(separator: ","))]" }
}

/// What is known of an operator's input before it runs.
struct ValueInfo: Sendable {
    var type: ValueType
    /// The value itself, when it is a constant or the step is about to run.
    var value: Tensor?

    var shape: [Int] { type.shape }
    var elementType: ElementType { type.elementType }

    init(_ type: ValueType) {
        self.type = type
    }

    init(_ value: Tensor) {
        self.type = ValueType(value)
        self.value = value
    }
}
