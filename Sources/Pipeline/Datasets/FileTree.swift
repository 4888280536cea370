import Foundation
import Glibc

/// All files below a folder. Links are followed, but not into a folder that contains them.
struct FileTree {
    static let maximumFiles = 1 << 21
    static let maximumDepth = 32

    /// A file by its place below the root.
    struct File: Hashable {
        let folders: [String]
        let name: String
        let url: URL

        /// The path from the root.
        var path: String { (folders + [name]).joined(separator: "/") }
        /// The name without its extension.
        var stem: String {
            guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
            return String(name[..<dot])
        }

        static func == (a: File, b: File) -> Bool { a.url == b.url }
        func hash(into hasher: inout Hasher) { hasher.combine(url) }
    }

    let root: URL
    /// In no particular order.
    private(set) var files: [File] = []
    /// Folders that were not entered.
    private(set) var skipped: [Dataset.Skipped] = []

    private struct Identity: Hashable {
        let device: UInt
        let node: UInt
    }

    private struct Folder {
        let path: String
        let components: [String]
        let ancestors: Set<Identity>
    }

    /// - Throws: `DatasetError.unreadable` when the root cannot be read, or `tooManyFiles`.
    init(_ root: URL) throws(DatasetError) {
        self.root = root
        guard let identity = Self.folderIdentity(root.path) else {
            throw .unreadable(root.path, reason: String(cString: strerror(errno)))
        }
        var waiting = [Folder(path: root.path, components: [], ancestors: [identity])]
        while let folder = waiting.popLast() {
            guard let directory = opendir(folder.path) else {
                let reason = String(cString: strerror(errno))
                guard !folder.components.isEmpty else { throw .unreadable(root.path, reason: reason) }
                skip(folder.components, .unreadable(reason: reason))
                continue
            }
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                guard let (name, type) = Self.name(entry), name != ".", name != ".." else { continue }
                guard files.count + waiting.count < Self.maximumFiles else {
                    throw .tooManyFiles(root.path, limit: Self.maximumFiles)
                }
                let path = folder.path + "/" + name
                let isLinkOrUnknown = type == DT_LNK || type == DT_UNKNOWN
                guard type == DT_DIR || (isLinkOrUnknown && Self.folderIdentity(path) != nil) else {
                    files.append(
                        File(
                            folders: folder.components, name: name, url: URL(fileURLWithPath: path, isDirectory: false))
                    )
                    continue
                }
                let components = folder.components + [name]
                guard let identity = Self.folderIdentity(path) else { continue }
                guard !folder.ancestors.contains(identity), components.count <= Self.maximumDepth else {
                    skip(components, .loop)
                    continue
                }
                waiting.append(
                    Folder(path: path, components: components, ancestors: folder.ancestors.union([identity])))
            }
        }
    }

    private mutating func skip(_ components: [String], _ reason: Dataset.Skipped.Reason) {
        skipped.append(.init(file: components.joined(separator: "/"), reason: reason))
    }

    private static func name(_ entry: UnsafeMutablePointer<dirent>) -> (String, Int)? {
        withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
        }.map { ($0, Int(entry.pointee.d_type)) }
    }

    /// nil for what is no folder, or cannot be looked at.
    private static func folderIdentity(_ path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Identity(device: UInt(status.st_dev), node: UInt(status.st_ino))
    }
}
