import Foundation

@testable import ONNXLoader

/// Files that `Tests/Fixtures/archives.py` wrote with NumPy, safetensors and PyTorch.
enum ArchiveFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/archives")

    static func url(_ name: String) -> URL { folder.appending(path: name) }

    static func read(_ name: String, limits: ArchiveLimits = ArchiveLimits()) throws -> TensorArchive {
        try TensorArchive(contentsOf: url(name), limits: limits)
    }

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url(name))) }

    /// Limits that a small file cannot legitimately reach.
    static let tight = ArchiveLimits(
        totalBytes: 4 << 20, entries: 5000, headerBytes: 1 << 20, pickleObjects: 20_000, depth: 32)
}

extension ConstantTensor {
    /// The elements in memory as `Element`.
    func elements<Element: BitwiseCopyable>(_ type: Element.Type = Element.self) -> [Element] {
        guard case .bytes(let region) = payload else { return [] }
        return region.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self) }
        }
    }

    var texts: [String] {
        guard case .strings(let strings) = payload else { return [] }
        return strings.map { String(decoding: $0, as: UTF8.self) }
    }
}
