/// What a file of arrays or weights may take. Sizes that a file declares are never allocated: buffers grow with the
/// bytes that are really there, and these limits bound them.
public struct ArchiveLimits: Sendable, Hashable {
    /// Bytes of all entries after decompression, together with copies made for byte order or layout.
    public var totalBytes: Int
    /// Entries of a zip archive, or tensors.
    public var entries: Int
    /// Bytes of a JSON header or a pickle.
    public var headerBytes: Int
    /// Objects, stack slots and memo slots of a pickle, each.
    public var pickleObjects: Int
    /// Dictionaries inside dictionaries.
    public var depth: Int

    public init(
        totalBytes: Int = 8 << 30, entries: Int = 1 << 18, headerBytes: Int = 32 << 20, pickleObjects: Int = 1 << 21,
        depth: Int = 64
    ) {
        self.totalBytes = totalBytes
        self.entries = entries
        self.headerBytes = headerBytes
        self.pickleObjects = pickleObjects
        self.depth = depth
    }
}

/// Counts down `ArchiveLimits.totalBytes` while a file is read.
struct ByteBudget {
    let limit: Int
    private(set) var left: Int

    init(_ limits: ArchiveLimits) {
        limit = limits.totalBytes
        left = limits.totalBytes
    }

    mutating func take(_ bytes: Int) throws(ArchiveError.Problem) {
        guard bytes <= left else { throw .exceedsLimit("bytes of content", limit) }
        left -= bytes
    }
}

extension ArchiveError.Problem: Error {}

/// Gives the problems that `body` throws the file and the entry that they happened in.
func naming<Result>(_ file: String, _ entry: String? = nil, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let problem as ArchiveError.Problem {
        throw ArchiveError(file: file, entry: entry, problem: problem)
    } catch let error as LoaderError {
        throw ArchiveError(file: file, entry: entry, problem: .malformed(error.description))
    }
}
