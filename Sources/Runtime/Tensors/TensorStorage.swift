import Foundation
import ONNXLoader

/// Memory behind tensors: its own, a mapped file's, or a part of an arena. Immutable once a tensor has been handed out,
/// except through a sole reference to memory of its own.
final class TensorStorage: @unchecked Sendable {
    /// Every allocation starts at a multiple of this, so that a SIMD kernel's aligned path applies.
    static let alignment = 64

    /// Memory of this size and more lies in huge pages where the system has them: it takes several times as long to fault
    /// in small ones as to write what they hold.
    private static let hugeByteCount = 4 << 20
    private static let hugePageByteCount = 2 << 20

    let bytes: UnsafeMutableRawBufferPointer
    /// Elements of a string tensor; written by the step that makes the tensor only.
    var strings: [String]
    /// Whether the memory may be written through a sole reference to this object.
    let isOwned: Bool
    private let owner: AnyObject?
    private let release: (@Sendable () -> Void)?

    /// Uninitialised memory of its own; `release` is called after it is freed.
    init(byteCount: Int, release: (@Sendable () -> Void)? = nil) {
        let isHuge = byteCount >= Self.hugeByteCount
        bytes = .allocate(
            byteCount: Swift.max(byteCount, 1), alignment: isHuge ? Self.hugePageByteCount : Self.alignment)
        #if os(Linux)
            if isHuge { madvise(bytes.baseAddress, byteCount, MADV_HUGEPAGE) }
        #endif
        strings = []
        isOwned = true
        owner = nil
        self.release = release
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

    deinit {
        if isOwned {
            bytes.deallocate()
            release?()
        }
    }
}
