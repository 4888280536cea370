import Glibc

/// Reading and replacing whole files, with errors that say which of many things went wrong.
enum FileBytes {
    /// The bytes of a regular file.
    static func read(_ path: String, limit: Int) throws(ImageError.Problem) -> [UInt8] {
        try read(path) { size throws(ImageError.Problem) in
            guard size <= limit else { throw .fileTooLarge(bytes: size, limit: limit) }
            return size
        }
    }

    /// The first bytes of a regular file: as many as `count`, or all of a shorter one.
    static func readStart(_ path: String, count: Int) throws(ImageError.Problem) -> [UInt8] {
        try read(path) { size in min(size, count) }
    }

    /// - Parameter wanted: the number of bytes to read, from the file's size.
    private static func read(
        _ path: String, wanted: (Int) throws(ImageError.Problem) -> Int
    ) throws(ImageError.Problem) -> [UInt8] {
        // Opening a pipe would wait for its writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? .notFound : .unreadable(reason: message(errno))
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .unreadable(reason: message(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .isDirectory
        default: throw .notAFile
        }
        guard status.st_size > 0 else { throw .empty }
        let size = try wanted(Int(status.st_size))

        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = 0
            while count < size {
                let received = Glibc.read(file, buffer.baseAddress.unsafelyUnwrapped + count, size - count)
                if received < 0 && errno == EINTR { continue }
                if received < 0 { failure = errno }
                guard received > 0 else { return }
                count += received
            }
        }
        guard failure == 0 else { throw .unreadable(reason: message(failure)) }
        guard !bytes.isEmpty else { throw .empty }
        return bytes
    }

    /// Writes a file that appears under its name only when it is complete; an older one is replaced in the same instant.
    ///
    /// - Parameter body: writes to the open file it is given; returns 0 or an errno.
    /// - Throws: `ImageError` with `.unwritable`; nothing is left behind then.
    static func write(_ path: String, _ body: (Int32) -> Int32) throws(ImageError) {
        let (file, temporary) = try create(besides: path)
        var failure = body(file)
        if close(file) != 0 && failure == 0 { failure = errno }
        if failure == 0 && rename(temporary, path) != 0 { failure = errno }
        guard failure != 0 else { return }
        unlink(temporary)
        throw ImageError(file: path, problem: .unwritable(reason: message(failure)))
    }

    /// Writes bytes to a file; see `write(_:_:)`.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    static func write(_ path: String, contents: [UInt8]) throws(ImageError) {
        try write(path) { file in put(contents, into: file) }
    }

    /// Adds bytes to the end of a file, which is made when there is none.
    ///
    /// - Throws: `ImageError` with `.unwritable`.
    static func append(_ contents: [UInt8], to path: String) throws(ImageError) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw ImageError(file: path, problem: .unwritable(reason: message(errno))) }
        var failure = put(contents, into: file)
        if close(file) != 0 && failure == 0 { failure = errno }
        guard failure == 0 else { throw ImageError(file: path, problem: .unwritable(reason: message(failure))) }
    }

    /// Writes all bytes to an open file.
    /// - Returns: 0, or the errno of what failed.
    static func put(_ contents: [UInt8], into file: Int32) -> Int32 {
        contents.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let written = Glibc.write(file, part.baseAddress, part.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { return written < 0 ? errno : EIO }
                rest = rest.dropFirst(written)
            }
            return 0
        }
    }

    private static func create(besides path: String) throws(ImageError) -> (file: Int32, name: String) {
        for _ in 0..<100 {
            let name = "\(path).\(String(UInt32.random(in: 0 ... .max), radix: 36)).part"
            let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if file >= 0 { return (file, name) }
            guard errno == EEXIST else { break }
        }
        throw ImageError(file: path, problem: .unwritable(reason: message(errno)))
    }

    private static func message(_ code: Int32) -> String { String(cString: strerror(code)) }
}
