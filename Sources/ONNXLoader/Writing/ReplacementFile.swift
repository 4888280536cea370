import Foundation

/// A new file that takes its name, perhaps from an older file, only when it is complete; given up, it leaves no trace.
final class ReplacementFile {
    /// Where the file will be, symbolic links followed.
    let path: String
    private(set) var descriptor: Int32
    private let temporaryPath: String

    struct Failure: Error {
        let reason: String

        init(reason: String) { self.reason = reason }
        init(errno code: Int32) { reason = String(cString: strerror(code)) }
    }

    /// - Throws: `Failure`.
    init(_ path: String) throws {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists {
            guard status.st_mode & S_IFMT != S_IFDIR else { throw Failure(reason: "it is a folder") }
            // Replacing a device by a file would break it for everybody.
            guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(reason: "it is not a regular file") }
        }
        self.path = exists ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
        let url = URL(fileURLWithPath: self.path)
        temporaryPath =
            url.deletingLastPathComponent()
            .appendingPathComponent(".\(UUID().uuidString).tmp").path
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        if exists { fchmod(descriptor, status.st_mode & 0o777) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporaryPath)
    }

    /// Gives the file its name.
    /// - Throws: `Failure`.
    func commit() throws {
        let closing = close(descriptor)
        let code = errno
        descriptor = -1
        guard closing == 0 else {
            unlink(temporaryPath)
            throw Failure(errno: code)
        }
        guard rename(temporaryPath, path) == 0 else {
            let code = errno
            unlink(temporaryPath)
            throw Failure(errno: code)
        }
    }

    /// Appends bytes.
    /// - Throws: `Failure`.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                guard errno == EINTR else { throw Failure(errno: errno) }
            } else {
                rest = rest.dropFirst(written)
            }
        }
    }
}

/// The second file of a large model: the data of its initializers.
final class ExternalDataWriter {
    static let alignment = 64

    let file: ReplacementFile
    private var count = 0

    init(_ file: ReplacementFile) { self.file = file }

    /// The name that tensors refer to.
    var location: String { URL(fileURLWithPath: file.path).lastPathComponent }

    /// Appends a tensor's data at the next multiple of the alignment, and returns where that is.
    func append(_ region: ByteRegion) throws -> Int {
        let padding = (Self.alignment - count % Self.alignment) % Self.alignment
        try [UInt8](repeating: 0, count: padding).withUnsafeBytes(file.write)
        try region.withUnsafeBytes(file.write)
        defer { count += padding + region.count }
        return count + padding
    }
}
