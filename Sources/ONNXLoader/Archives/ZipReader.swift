import CZip

/// The entries of a zip archive in memory. An entry is read as far as its bytes go, whatever size it declares.
final class ZipReader {
    private let archive: OpaquePointer
    private let bytes: ByteRegion
    let names: [String]

    /// - Throws: `ArchiveError.Problem` when the central directory cannot be read or has too many entries.
    init(_ bytes: ByteRegion, limits: ArchiveLimits) throws {
        var error = zip_error_t()
        zip_error_init(&error)
        defer { zip_error_fini(&error) }
        guard let source = zip_source_buffer_create(bytes.start, UInt64(bytes.count), 0, &error) else {
            throw ArchiveError.Problem.damagedZip(String(cString: zip_error_strerror(&error)))
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, &error) else {
            zip_source_free(source)
            throw ArchiveError.Problem.damagedZip(String(cString: zip_error_strerror(&error)))
        }
        do {
            names = try Self.names(in: archive, limits: limits)
        } catch {
            zip_discard(archive)
            throw error
        }
        self.archive = archive
        self.bytes = bytes
    }

    deinit { zip_discard(archive) }

    private static func names(in archive: OpaquePointer, limits: ArchiveLimits) throws -> [String] {
        let count = zip_get_num_entries(archive, 0)
        guard count >= 0, count <= limits.entries else {
            throw ArchiveError.Problem.exceedsLimit("entries", limits.entries)
        }
        var seen = Set<String>()
        return try (0..<UInt64(count)).map { index in
            guard let name = zip_get_name(archive, index, 0).flatMap({ String(validatingCString: $0) }) else {
                throw ArchiveError.Problem.badEntryName
            }
            guard seen.insert(name).inserted else { throw ArchiveError.Problem.duplicateName(name) }
            return name
        }
    }

    /// The content of the entry at `index`, decompressed; its checksum is verified.
    /// - Throws: `ArchiveError.Problem` when the entry is damaged or larger than `limit` or the budget.
    func read(_ index: Int, limit: Int = .max, budget: inout ByteBudget) throws -> ByteRegion {
        var status = zip_stat_t()
        zip_stat_init(&status)
        guard zip_stat_index(archive, UInt64(index), 0, &status) == 0,
            status.valid & UInt64(ZIP_STAT_COMP_METHOD) != 0
        else { throw ArchiveError.Problem.damagedZip(String(cString: zip_strerror(archive))) }
        guard status.comp_method == ZIP_CM_STORE || status.comp_method == ZIP_CM_DEFLATE else {
            throw ArchiveError.Problem.unsupportedCompression(Int(status.comp_method))
        }
        guard let file = zip_fopen_index(archive, UInt64(index), 0) else {
            throw ArchiveError.Problem.damagedZip(String(cString: zip_strerror(archive)))
        }
        defer { zip_fclose(file) }
        let buffer = GrowingBuffer()
        while true {
            let space = buffer.reserve()
            let count = zip_fread(file, space.baseAddress.unsafelyUnwrapped, UInt64(space.count))
            guard count >= 0 else {
                throw ArchiveError.Problem.damagedZip(String(cString: zip_file_strerror(file)))
            }
            guard count > 0 else { break }
            try budget.take(Int(count))
            buffer.append(Int(count))
            guard buffer.count <= limit else { throw ArchiveError.Problem.exceedsLimit("bytes in one entry", limit) }
        }
        return ByteRegion(owner: buffer, bytes: buffer.bytes)
    }
}

/// Memory that grows with what is written to it.
private final class GrowingBuffer {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    private(set) var count = 0

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// The space behind what has been written, at least one byte.
    func reserve() -> UnsafeMutableRawBufferPointer {
        if count == memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: memory.count * 2, alignment: 64)
            larger.copyMemory(from: UnsafeRawBufferPointer(memory))
            memory.deallocate()
            memory = larger
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count...])
    }

    func append(_ bytes: Int) { count += bytes }
}
