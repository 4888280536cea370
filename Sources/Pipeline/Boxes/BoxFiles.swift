import Foundation

/// The files that boxes are read from, and their format.
struct BoxFiles {
    static let maximumBytes = 512 << 20
    /// Names that annotation tools put beside their files.
    private static let besides: Set<String> = [
        "classes.txt", "notes.json", "readme.txt", "train.txt", "val.txt", "test.txt",
    ]

    /// One file with its place below the folder that was named.
    struct File {
        let url: URL
        let folders: [String]

        var name: String { url.lastPathComponent }
        var stem: String { url.deletingPathExtension().lastPathComponent }
        /// For messages.
        var path: String { (folders + [name]).joined(separator: "/") }

        /// - Throws: `BoxAnnotationError.unreadable`.
        func bytes() throws(BoxAnnotationError) -> [UInt8] {
            do throws(ImageError.Problem) {
                return try FileBytes.read(url.path, limit: maximumBytes)
            } catch {
                throw .unreadable(url.path, reason: error.description)
            }
        }
    }

    let format: BoxAnnotations.Format
    private(set) var files: [File]
    /// YOLO's names of classes, by number.
    let classes: [String]

    /// - Throws: `BoxAnnotationError.notFound`, `unknownFormat` or `ambiguous`; `DatasetError` for the folder.
    init(_ url: URL, format stated: BoxAnnotations.Format?) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) else {
            throw BoxAnnotationError.notFound(url.path)
        }
        let all: [File]
        if isDirectory.boolValue {
            all = try FileTree(url).files.filter { !$0.name.hasPrefix(".") }
                .map { File(url: $0.url, folders: $0.folders) }.sorted { $0.path < $1.path }
        } else {
            all = [File(url: url, folders: [])]
        }
        let candidates = all.filter { !isDirectory.boolValue || !Self.besides.contains($0.name.lowercased()) }
        if let stated {
            format = stated
            files = candidates.filter { Self.suffix(stated) == $0.url.pathExtension.lowercased() }
            if files.isEmpty, !isDirectory.boolValue { files = candidates }
        } else {
            let formats = candidates.map { Self.format(of: $0) }
            let found = Set(formats.compactMap { $0 })
            guard let only = found.first else {
                throw BoxAnnotationError.unknownFormat(url.path, found: candidates.prefix(5).map(\.path))
            }
            guard found.count == 1 else {
                throw BoxAnnotationError.ambiguous(url.path, found.sorted { $0.rawValue < $1.rawValue })
            }
            format = only
            // A text file whose first line is odd is one of them; JSON may be of anything.
            files = zip(candidates, formats).filter { file, format in
                format == only || (only == .yolo && file.url.pathExtension.lowercased() == "txt")
            }.map(\.0)
        }
        guard !files.isEmpty else {
            throw BoxAnnotationError.unknownFormat(url.path, found: candidates.prefix(5).map(\.path))
        }
        let names = all.first { $0.name.lowercased() == "classes.txt" }.flatMap { try? $0.bytes() }
        classes =
            names.map { String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init) } ?? []
    }

    private static func suffix(_ format: BoxAnnotations.Format) -> String {
        switch format {
        case .coco, .labelme: "json"
        case .voc: "xml"
        case .yolo: "txt"
        }
    }

    /// By extension; JSON by the keys that it begins with. An empty text file is YOLO's image without boxes.
    private static func format(of file: File) -> BoxAnnotations.Format? {
        switch file.url.pathExtension.lowercased() {
        case "xml": return .voc
        case "txt":
            guard let bytes = try? FileBytes.readStart(file.url.path, count: 4096) else { return .yolo }
            let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
            let fields = line.split(whereSeparator: \.isWhitespace)
            return fields.isEmpty || (fields.count >= 5 && fields.allSatisfy { Double($0) != nil }) ? .yolo : nil
        case "json":
            guard let bytes = try? file.bytes() else { return nil }
            func has(_ key: String) -> Bool { bytes.contains(subsequence: Array("\"\(key)\"".utf8)) }
            if has("shapes") { return .labelme }
            return has("annotations") && has("images") ? .coco : nil
        default: return nil
        }
    }
}

extension [UInt8] {
    /// Whether bytes stand in these somewhere.
    func contains(subsequence wanted: [UInt8]) -> Bool {
        guard let first = wanted.first else { return true }
        return withUnsafeBufferPointer { bytes in
            var start = 0
            while let found = bytes[start...].firstIndex(of: first) {
                if bytes[found...].starts(with: wanted) { return true }
                start = found + 1
            }
            return false
        }
    }
}
