/// Read access to a tensor's elements, at any alignment. Keeps the storage alive.
public struct Elements<Element: TensorElement>: RandomAccessCollection, @unchecked Sendable {
    let base: UnsafeRawPointer?
    public let count: Int
    private let owner: AnyObject?

    init(base: UnsafeRawPointer?, count: Int, owner: AnyObject?) {
        self.base = base
        self.count = count
        self.owner = owner
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    @inlinable @inline(__always)
    public subscript(index: Int) -> Element {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "element index out of range")
        return load(index)
    }

    @usableFromInline @inline(__always)
    func load(_ index: Int) -> Element {
        base.unsafelyUnwrapped.loadUnaligned(fromByteOffset: index &* MemoryLayout<Element>.stride, as: Element.self)
    }
}

/// Write access to memory that one writer owns for the duration of a call; disjoint parts may be written concurrently.
public struct MutableElements<Element: TensorElement>: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    public let count: Int

    init(base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    public subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "element index out of range")
            return base.load(fromByteOffset: index &* MemoryLayout<Element>.stride, as: Element.self)
        }
        @inline(__always) nonmutating set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "element index out of range")
            base.storeBytes(of: newValue, toByteOffset: index &* MemoryLayout<Element>.stride, as: Element.self)
        }
    }

    /// Copies `source[range]` to the elements from `index` on.
    @inline(__always)
    public func copy(_ source: Elements<Element>, _ range: Range<Int>, to index: Int) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= source.count && index >= 0 && range.count <= count - index,
            "element range out of bounds")
        guard !range.isEmpty, let from = source.base else { return }
        let stride = MemoryLayout<Element>.stride
        (base + index &* stride).copyMemory(
            from: from + range.lowerBound &* stride, byteCount: range.count &* stride)
    }

    /// Sets the elements of `range` to `value`.
    @inline(__always)
    public func fill(_ range: Range<Int>, with value: Element) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "element range out of bounds")
        for index in range {
            base.storeBytes(of: value, toByteOffset: index &* MemoryLayout<Element>.stride, as: Element.self)
        }
    }
}
