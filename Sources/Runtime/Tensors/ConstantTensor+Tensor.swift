import ONNXLoader

extension ConstantTensor {
    /// A tensor's value as a model holds it, without copying it.
    public init(_ tensor: Tensor) throws {
        let payload: Payload =
            tensor.elementType == .string
            ? .strings(tensor.strings.map { Array($0.utf8) })
            : .bytes(tensor.withUnsafeBytes { ByteRegion(owner: tensor.storage, bytes: $0) })
        try self.init(elementType: tensor.elementType, shape: tensor.shape, payload: payload)
    }
}
