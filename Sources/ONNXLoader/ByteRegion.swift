/// Immutable bytes that stay valid as long as the region lives: a part of a mapped file, or memory of its own.
public struct ByteRegion: @unchecked Sendable {
    /// Keeps the memory alive.
    public let owner: AnyObject?
    public let start: UnsafeRawPointer?
    public let count: Int

    /// A region inside memory that `owner` keeps valid and never changes.
    public init(owner: AnyObject, bytes: UnsafeRawBufferPointer) {
        self.owner = owner
        self.start = bytes.baseAddress
        self.count = bytes.count
    }

    /// A region with a copy of `bytes`.
    public init(copying bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// A region of its own, 64-byte-aligned and zero, that `fill` may write once.
    public init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        let owned = OwnedBytes(count: count)
        try fill(owned.buffer)
        self.init(owner: owned, bytes: UnsafeRawBufferPointer(owned.buffer))
    }

    /// Gives back the memory of bytes that are a file's and will hardly be read again; they stay valid.
    ///
    /// - Parameter owner: of a region that the bytes are a part of; nothing happens unless it is a mapped file.
    public static func releasePages(of bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
        (owner as? MappedFile)?.releasePages(of: bytes)
    }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(owner) { try body(UnsafeRawBufferPointer(start: start, count: count)) }
    }
}

extension ByteRegion: Equatable {
    /// Whether the bytes are the same, wherever they lie.
    public static func == (first: ByteRegion, second: ByteRegion) -> Bool {
        first.withUnsafeBytes { first in second.withUnsafeBytes { first.elementsEqual($0) } }
    }
}

private final class OwnedBytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(count: Int) {
        buffer = .allocate(byteCount: count, alignment: 64)
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { buffer.deallocate() }
}
