import Foundation
import ONNXLoader

/// Memory behind tensors: its own, a mapped file's, or a part of an arena. Immutable once a tensor has been handed out,
/// except through a sole reference to memory of its own.
final class TensorStorage: @unchecked Sendable {
    /// Every allocation starts at a multiple of this, so that a SIMD kernel's aligned path applies.
    static let alignment = 64

    /// Memory of this size and more lies in huge pages where the system has them: it takes several times as long to fault
    /// in small ones as to write what they hold.
    static let hugeByteCount = 4 << 20
    private static let hugePageByteCount = 2 << 20

    let bytes: UnsafeMutableRawBufferPointer
    /// Elements of a string tensor; written by the step that makes the tensor only.
    var strings: [String]
    /// Whether the memory may be written through a sole reference to this object.
    let isOwned: Bool
    private let owner: AnyObject?
    private let release: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?

    /// Uninitialised memory of its own.
    convenience init(byteCount: Int) {
        self.init(taking: Self.allocate(byteCount: byteCount)) { $0.deallocate() }
    }

    /// Memory that `allocate` made, which `release` is given in the end.
    init(
        taking bytes: UnsafeMutableRawBufferPointer,
        release: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Void
    ) {
        self.bytes = bytes
        strings = []
        isOwned = true
        owner = nil
        self.release = release
    }

    /// Uninitialised memory, to be deallocated by whoever has it last.
    static func allocate(byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let isHuge = byteCount >= hugeByteCount
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Swift.max(byteCount, 1), alignment: isHuge ? hugePageByteCount : alignment)
        #if os(Linux)
            if isHuge { madvise(bytes.baseAddress, byteCount, MADV_HUGEPAGE) }
        #endif
        return bytes
    }

    /// Memory that `owner` keeps valid.
    init(owner: AnyObject?, bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
        strings = []
        isOwned = false
        self.owner = owner
        release = nil
    }

    init(strings: [String]) {
        bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        self.strings = strings
        isOwned = false
        owner = nil
        release = nil
    }

    /// Gives back the memory of a part that is a file's; it stays valid.
    func releasePages(from offset: Int, count: Int) {
        guard offset >= 0, count > 0, offset <= bytes.count, count <= bytes.count - offset else { return }
        ByteRegion.releasePages(of: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), owner: owner)
    }

    deinit { release?(bytes) }
}
