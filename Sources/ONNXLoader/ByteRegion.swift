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
        let owned = OwnedBytes(Array(bytes))
        self.init(owner: owned, bytes: UnsafeRawBufferPointer(owned.buffer))
    }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(owner) { try body(UnsafeRawBufferPointer(start: start, count: count)) }
    }
}

private final class OwnedBytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(_ bytes: [UInt8]) {
        buffer = .allocate(byteCount: bytes.count, alignment: 64)
        buffer.copyBytes(from: bytes)
    }

    deinit { buffer.deallocate() }
}
