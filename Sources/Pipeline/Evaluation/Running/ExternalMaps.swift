import Foundation
import ONNXLoader
import Runtime

/// Maps that another tool made of a dataset's images: PNG (8 or 16 bits), TIFF, BMP, JPEG or WebP (8 bits), `.npy` and
/// `.npz` (the only array, or the one called `map`; values in 0 ... 1, or whole numbers up to 255 or 65535).
public struct ExternalMaps: Sendable {
    /// What the user calls them.
    public let name: String
    private let filesByPath: [String: [URL]]
    private let filesByStem: [String: [URL]]

    /// - Throws: `ExternalMapsError.unreadable`.
    public init(name: String, folder: URL) throws(ExternalMapsError) {
        self.name = name
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory), isDirectory.boolValue,
            let paths = FileManager.default.enumerator(atPath: folder.path)
        else { throw .unreadable(folder: folder.path) }
        var byPath: [String: [URL]] = [:]
        var byStem: [String: [URL]] = [:]
        for case let path as String in paths {
            let url = folder.appendingPathComponent(path)
            guard
                ["png", "tif", "tiff", "bmp", "jpg", "jpeg", "webp", "npy", "npz"]
                    .contains(url.pathExtension.lowercased())
            else { continue }
            byPath[Self.withoutExtension(path), default: []].append(url)
            byStem[Self.withoutExtension(url.lastPathComponent), default: []].append(url)
        }
        filesByPath = byPath
        filesByStem = byStem
    }

    /// The file of an image's map: at the image's own path, or anywhere under its stem or whole file name.
    /// - Parameter isOnly: whether no other image of the dataset has this one's stem.
    /// - Throws: `ExternalMapsError.missing` or `ambiguous`.
    func file(for sample: String, isOnly: Bool) throws(ExternalMapsError) -> URL {
        let fileName = sample.split(separator: "/").last.map(String.init) ?? sample
        let stem = Self.withoutExtension(fileName)
        var candidates = filesByPath[Self.withoutExtension(sample)] ?? filesByPath[sample] ?? []
        if candidates.isEmpty { candidates = filesByStem[fileName] ?? [] }
        if candidates.isEmpty, isOnly { candidates = filesByStem[stem] ?? [] }
        guard let file = candidates.first else {
            guard isOnly || filesByStem[stem] == nil else { throw .sharedStem(name: name, stem: stem) }
            throw .missing(name: name, stem: stem)
        }
        guard candidates.count == 1 else {
            throw .ambiguous(name: name, stem: stem, files: candidates.map(\.lastPathComponent).sorted())
        }
        return file
    }

    private static func withoutExtension(_ path: String) -> String {
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return path }
        return String(path[..<dot])
    }

    /// The map in a file.
    /// - Throws: `ImageError`, `ArchiveError`, or `ExternalMapsError.notAMap`.
    static func read(_ file: URL) throws -> LevelMap {
        guard ["npy", "npz"].contains(file.pathExtension.lowercased()) else {
            return try LevelMap(contentsOf: file.path)
        }
        let tensors = try TensorArchive(contentsOf: file).tensors
        guard let constant = tensors.count == 1 ? tensors.values.first : tensors["map"] else {
            throw ExternalMapsError.notAMap(
                file: file.path, reason: "it holds \(tensors.keys.sorted().joined(separator: ", ")) and no array `map`")
        }
        let sides = constant.shape.filter { $0 != 1 }
        let shape = sides.count == 2 ? sides : Array(constant.shape.suffix(2))
        guard shape.count == 2, constant.shape.reduce(1, *) == shape[0] * shape[1] else {
            throw ExternalMapsError.notAMap(file: file.path, reason: "the shape \(constant.shape) is not that of a map")
        }
        let tensor = Tensor(constant)
        let values: [Float]
        switch tensor.elementType {
        case .uint8: values = try tensor.array(of: UInt8.self).map { Float($0) / 255 }
        case .uint16: values = try tensor.array(of: UInt16.self).map { Float($0) / 65535 }
        case .bool: values = try tensor.array(of: Bool.self).map { $0 ? 1 : 0 }
        default: values = try tensor.floats(named: file.lastPathComponent)
        }
        if let wrong = values.first(where: { !(-1e-6...1.000001).contains($0) }) {
            throw ExternalMapsError.notAMap(file: file.path, reason: "its value \(wrong) is not in 0 … 1")
        }
        return LevelMap(try FloatMap(width: shape[1], height: shape[0], values: values))
    }
}

/// Why there is no map of an image.
public enum ExternalMapsError: Error, Sendable, Hashable, CustomStringConvertible {
    case unreadable(folder: String)
    case missing(name: String, stem: String)
    case sharedStem(name: String, stem: String)
    case ambiguous(name: String, stem: String, files: [String])
    case notAMap(file: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let folder): "\(folder): there is no such folder of maps, or it cannot be read"
        case .missing(let name, let stem): "\(name): no map called \(stem).png or .npy"
        case .sharedStem(let name, let stem):
            "\(name): several images are called \(stem); lay the maps in folders as the images lie"
        case .ambiguous(let name, let stem, let files):
            "\(name): several maps for \(stem): \(files.joined(separator: ", "))"
        case .notAMap(let file, let reason): "\(file): this is not a map: \(reason)"
        }
    }
}
