import Foundation

/// Files beside a model that hold data of its tensors; each is mapped once.
///
/// A location is followed only inside the model's folder. No part of it may be a symbolic link, the file must be a
/// regular one with a single name (no further hard link), and all of that is asked of what was opened, not of a path
/// that might change meanwhile.
final class ExternalData {
    private let folder: String
    private var folderDescriptor: Int32 = -1
    private var files: [String: Result<MappedFile, Failure>] = [:]

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter folder: the model's.
    init(folder: String) { self.folder = folder }

    deinit {
        if folderDescriptor >= 0 { close(folderDescriptor) }
    }

    /// The data that a tensor's `external_data` entries describe.
    /// - Throws: `Failure`.
    func region(_ entries: [String: String], byteCount: Int) throws -> ByteRegion {
        guard let location = entries["location"], !location.isEmpty else {
            throw Failure(description: "has external data without a location")
        }
        let offset = try number(entries, "offset") ?? 0
        if let length = try number(entries, "length"), length != byteCount {
            throw Failure(
                description: "needs \(byteCount) bytes and is declared with \(length) bytes of external data "
                    + "in \(quoted(location))")
        }
        let components = try components(of: location)
        let key = components.joined(separator: "/")
        let result = files[key] ?? Result { () throws(Failure) in try map(components, location: location) }
        files[key] = result
        let file = try result.get()
        guard let region = file.region(offset: offset, count: byteCount) else {
            throw Failure(
                description: "needs \(byteCount) bytes from byte \(offset) of \(quoted(location)), "
                    + "which has only \(file.bytes.count) bytes; is it complete?")
        }
        return region
    }

    private func number(_ entries: [String: String], _ key: String) throws -> Int? {
        guard let text = entries[key], !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
            throw Failure(description: "has external data with the \(key) \(quoted(text)), which is not a number")
        }
        return number
    }

    /// The names from the model's folder to the file.
    private func components(of location: String) throws -> [String] {
        func refused(_ reason: String) -> Failure {
            Failure(description: "has external data at \(quoted(location)): \(reason)")
        }
        guard !location.hasPrefix("/") else { throw refused("the location must be relative to the model's folder") }
        guard !location.utf8.contains(0) else { throw refused("the location has a zero byte") }
        var components: [String] = []
        for component in location.split(separator: "/") where component != "." {
            if component != ".." {
                components.append(String(component))
            } else if components.popLast() == nil {
                throw refused("the location leads out of the model's folder")
            }
        }
        guard !components.isEmpty else { throw refused("the location is the model's folder itself") }
        return components
    }

    private func map(_ components: [String], location: String) throws(Failure) -> MappedFile {
        let directoryFlags = MappedFile.openFlags | O_DIRECTORY
        if folderDescriptor < 0 { folderDescriptor = open(folder, directoryFlags) }
        guard folderDescriptor >= 0 else { throw failure(errno, location) }
        var parent = folderDescriptor
        defer {
            if parent != folderDescriptor { close(parent) }
        }
        for component in components.dropLast() {
            let next = openat(parent, component, directoryFlags | O_NOFOLLOW)
            let code = errno
            if parent != folderDescriptor { close(parent) }
            parent = next
            guard next >= 0 else {
                parent = folderDescriptor
                throw failure(code, location)
            }
        }
        let descriptor = openat(parent, components[components.count - 1], MappedFile.openFlags | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure(errno, location) }
        do {
            return try MappedFile(closing: descriptor) { status in
                guard status.st_nlink == 1 else {
                    throw Failure(
                        description: "has external data in \(quoted(location)), which has further hard links "
                            + "and is not read for safety; copy it to a file of its own")
                }
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            let reason = (error as? MappedFile.Failure)?.reason ?? "\(error)"
            throw Failure(description: "has external data in \(quoted(location)), which cannot be read: \(reason)")
        }
    }

    private func failure(_ code: Int32, _ location: String) -> Failure {
        let reason =
            switch code {
            case ENOENT: "there is no such file in the model's folder; keep both together"
            case ELOOP, ENOTDIR: "a symbolic link or a file stands in its path, which is not followed for safety"
            default: String(cString: strerror(code))
            }
        return Failure(description: "has external data in \(quoted(location)), which cannot be read: \(reason)")
    }
}
