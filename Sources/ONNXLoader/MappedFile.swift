import Foundation

/// A regular file, mapped read-only for as long as the object lives.
///
/// The pages are the file's: replacing the file (a new file renamed over it) leaves the mapping as it is, but a program
/// that shortens the file in place takes pages away, and touching them ends the process (SIGBUS). Writers of models
/// replace their files.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    enum Failure: Error {
        case isDirectory
        case notRegularFile
        case unreadable(errno: Int32)

        var reason: String {
            switch self {
            case .isDirectory: "it is a folder"
            case .notRegularFile: "it is not a regular file"
            case .unreadable(let code): String(cString: strerror(code))
            }
        }
    }

    /// Flags for opening a file without waiting for the other end of a pipe and without passing it on to children.
    static let openFlags = O_RDONLY | O_NONBLOCK | O_CLOEXEC

    /// Maps the file that an open descriptor stands for, and closes the descriptor.
    /// - Parameter check: looks at the opened file's status before it is mapped.
    init(closing descriptor: Int32, check: (stat) throws -> Void = { _ in }) throws {
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure.unreadable(errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw Failure.isDirectory
        default: throw Failure.notRegularFile
        }
        try check(status)
        let count = Int(status.st_size)
        guard count > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw Failure.unreadable(errno: errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    /// Runs `body`, which touches little of the file here and there: nothing is read from the disk beyond that.
    func withoutReadAhead<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        madvise(start, bytes.count, MADV_RANDOM)
        defer { madvise(start, bytes.count, MADV_NORMAL) }
        return try body()
    }

    /// Gives back the memory of whole pages inside `part`, a part of the file: what is read again comes from the file.
    func releasePages(of part: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, let start = part.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let offset = start - base
        guard page > 0, offset >= 0, offset <= bytes.count, part.count <= bytes.count - offset else { return }
        let first = (offset + page - 1) / page * page
        let last = (offset + part.count) / page * page
        guard first < last else { return }
        madvise(UnsafeMutableRawPointer(mutating: base + first), last - first, MADV_DONTNEED)
    }

    /// A part of the file; nil when the file does not have it.
    func region(offset: Int, count: Int) -> ByteRegion? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return ByteRegion(owner: self, bytes: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
    }
}

extension MappedFile {
    /// Maps the file at a path of the user's choice; symbolic links are followed.
    static func open(_ file: String) throws -> MappedFile {
        let descriptor = Foundation.open(file, openFlags)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { throw LoaderError.notFound(file: file) }
            throw LoaderError.unreadable(file: file, reason: String(cString: strerror(errno)))
        }
        do {
            return try MappedFile(closing: descriptor)
        } catch Failure.isDirectory {
            throw LoaderError.isDirectory(file: file)
        } catch Failure.notRegularFile {
            throw LoaderError.notRegularFile(file: file)
        } catch let failure as Failure {
            throw LoaderError.unreadable(file: file, reason: failure.reason)
        }
    }
}
