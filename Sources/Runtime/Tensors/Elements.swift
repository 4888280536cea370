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

// Loops over contiguous elements, with the bounds checked once before entry. They inline their closure, so that the
// compiler can vectorise them.
extension MutableElements {
    /// Sets the elements of `range` from as many elements of `source`, from `index` on.
    @inline(__always)
    func assign<Source: TensorElement>(
        _ range: Range<Int>, from source: Elements<Source>, at index: Int, _ transform: (Source) -> Element
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count && index >= 0 && range.count <= source.count - index,
            "element range out of bounds")
        let target = base + range.lowerBound &* MemoryLayout<Element>.stride
        for offset in 0..<range.count {
            let value = transform(source.load(index &+ offset))
            target.storeBytes(of: value, toByteOffset: offset &* MemoryLayout<Element>.stride, as: Element.self)
        }
    }

    /// Sets the elements of `range` from two sources, each either contiguous from its index on (`step` 1) or one element
    /// repeated (`step` 0).
    @inline(__always)
    func assign<First: TensorElement, Second: TensorElement>(
        _ range: Range<Int>, from first: Elements<First>, at firstIndex: Int, step firstStep: Int,
        and second: Elements<Second>, at secondIndex: Int, step secondStep: Int,
        _ transform: (First, Second) -> Element
    ) {
        guard !range.isEmpty else { return }
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count && firstIndex >= 0 && secondIndex >= 0
                && firstIndex + (range.count - 1) * firstStep < first.count
                && secondIndex + (range.count - 1) * secondStep < second.count,
            "element range out of bounds")
        let target = base + range.lowerBound &* MemoryLayout<Element>.stride
        @inline(__always) func loop(_ firstStep: Int, _ secondStep: Int) {
            for offset in 0..<range.count {
                let value = transform(
                    first.load(firstIndex &+ offset &* firstStep), second.load(secondIndex &+ offset &* secondStep))
                target.storeBytes(of: value, toByteOffset: offset &* MemoryLayout<Element>.stride, as: Element.self)
            }
        }
        switch (firstStep, secondStep) {
        case (1, 1): loop(1, 1)
        case (1, 0): loop(1, 0)
        case (0, 1): loop(0, 1)
        default: loop(firstStep, secondStep)
        }
    }
}

// Parts of the same memory.
extension MutableElements {
    /// The elements from `count` on.
    func dropFirst(_ count: Int) -> MutableElements {
        precondition(count >= 0 && count <= self.count, "element range out of bounds")
        return MutableElements(base: base + count * MemoryLayout<Element>.stride, count: self.count - count)
    }

    /// The first `count` elements.
    func prefix(_ count: Int) -> MutableElements {
        precondition(count >= 0 && count <= self.count, "element range out of bounds")
        return MutableElements(base: base, count: count)
    }

    /// The elements of a range.
    func part(_ range: Range<Int>) -> MutableElements { dropFirst(range.lowerBound).prefix(range.count) }
}
