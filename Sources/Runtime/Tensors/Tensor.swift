import ONNXLoader

/// A multidimensional array: a value, row-major and contiguous, of one ONNX element type.
///
/// Copies share storage until one of them is written. A constant of a model points into the mapped file, at whatever
/// alignment it has there; everything else starts at a multiple of 64 bytes. Types of fewer than 8 bits are packed as
/// in the file.
public struct Tensor: Sendable {
    public let elementType: ElementType
    /// Sizes of the dimensions, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The number of elements, the product of `shape`.
    public let count: Int
    var storage: TensorStorage
    /// Where the first element lies in the storage.
    let byteOffset: Int

    /// A tensor over storage that is known to be large enough.
    init(elementType: ElementType, shape: [Int], storage: TensorStorage, byteOffset: Int = 0) {
        self.elementType = elementType
        self.shape = shape
        self.count = shape.reduce(1, *)
        self.storage = storage
        self.byteOffset = byteOffset
        assert(elementType == .string || byteOffset + byteCount <= storage.bytes.count)
    }

    /// Elements in row-major order.
    /// - Throws: `TensorError.countMismatch` unless the product of `shape` is the number of elements.
    public init<Element: TensorElement>(_ elements: [Element], shape: [Int]) throws {
        guard try elementCount(of: shape) == elements.count else {
            throw TensorError.countMismatch(shape: shape, count: elements.count)
        }
        let storage = TensorStorage(byteCount: elements.count * MemoryLayout<Element>.stride)
        elements.withUnsafeBytes { storage.bytes.copyMemory(from: $0) }
        self.init(elementType: Element.elementType, shape: shape, storage: storage)
    }

    /// A scalar.
    public init<Element: TensorElement>(_ element: Element) {
        let storage = TensorStorage(byteCount: MemoryLayout<Element>.stride)
        storage.bytes.storeBytes(of: element, as: Element.self)
        self.init(elementType: Element.elementType, shape: [], storage: storage)
    }

    /// Strings in row-major order.
    /// - Throws: `TensorError.countMismatch` unless the product of `shape` is the number of strings.
    public init(strings: [String], shape: [Int]) throws {
        guard try elementCount(of: shape) == strings.count else {
            throw TensorError.countMismatch(shape: shape, count: strings.count)
        }
        self.init(elementType: .string, shape: shape, storage: TensorStorage(strings: strings))
    }

    /// The value of a model's constant, without copying it.
    public init(_ constant: ConstantTensor) {
        let storage: TensorStorage
        switch constant.payload {
        case .bytes(let region):
            storage = TensorStorage(
                owner: region.owner,
                bytes: UnsafeMutableRawBufferPointer(
                    start: UnsafeMutableRawPointer(mutating: region.start), count: region.count))
        case .strings(let strings):
            storage = TensorStorage(strings: strings.map { String(decoding: $0, as: UTF8.self) })
        }
        self.init(elementType: constant.elementType, shape: constant.shape, storage: storage)
    }

    /// Bytes of all elements; 0 for strings.
    public var byteCount: Int { elementType.byteCount(of: count) ?? 0 }

    /// The elements of a string tensor; empty for any other type.
    public var strings: [String] { storage.strings }

    /// The same elements under another shape of the same count.
    /// - Throws: `TensorError.countMismatch` when the counts differ.
    public func reshaped(to shape: [Int]) throws -> Tensor {
        guard try elementCount(of: shape) == count else {
            throw TensorError.countMismatch(shape: shape, count: count)
        }
        return Tensor(elementType: elementType, shape: shape, storage: storage, byteOffset: byteOffset)
    }

    /// A view of the elements.
    /// - Throws: `TensorError.wrongElementType` unless `Element` is the tensor's type.
    public func elements<Element: TensorElement>(of type: Element.Type = Element.self) throws -> Elements<Element> {
        guard Element.elementType == elementType else {
            throw TensorError.wrongElementType(elementType, wanted: Element.elementType)
        }
        return Elements(
            base: storage.bytes.baseAddress.map { UnsafeRawPointer($0 + byteOffset) }, count: count, owner: storage)
    }

    /// A copy of the elements.
    /// - Throws: `TensorError.wrongElementType` unless `Element` is the tensor's type.
    public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws -> [Element] {
        Array(try elements(of: type))
    }

    /// The stored bytes, packed for types of fewer than 8 bits.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount]))
        }
    }

    /// Changes the elements in place; copies them first when the storage is shared, mapped, or an arena's.
    /// - Throws: `TensorError.wrongElementType` unless `Element` is the tensor's type.
    public mutating func withMutableElements<Element: TensorElement, Result>(
        of type: Element.Type = Element.self, _ body: (MutableElements<Element>) throws -> Result
    ) throws -> Result {
        guard Element.elementType == elementType else {
            throw TensorError.wrongElementType(elementType, wanted: Element.elementType)
        }
        if !storage.isOwned || !isKnownUniquelyReferenced(&storage) { self = copied() }
        return try body(MutableElements(base: storage.bytes.baseAddress! + byteOffset, count: count))
    }

    /// The same tensor in storage of its own, independent of any file or arena.
    func copied() -> Tensor {
        guard elementType != .string else { return self }
        let copy = TensorStorage(byteCount: byteCount)
        withUnsafeBytes { copy.bytes.copyMemory(from: $0) }
        return Tensor(elementType: elementType, shape: shape, storage: copy)
    }
}
