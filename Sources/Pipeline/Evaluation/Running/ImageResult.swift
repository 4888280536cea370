import Foundation

/// What is kept of one image: every row's histograms, from which all figures of all protocols are made. Thresholds,
/// intervals and reports can change without looking at the image again.
struct ImageResult: Codable, Sendable {
    struct Row: Codable, Sendable {
        var row: EvaluationRow
        /// Of a manipulation anywhere in the (degraded) image, by the classifiers.
        var probability: Double
        /// Of a manipulation anywhere in the image, by this row alone; nil where that is `probability`.
        var score: Double?
        /// The map's highest value, 0 to 1.
        var maximum: Double
        /// The size that another tool's map had, when it was not the image's.
        var resizedFrom: [Int]?
        /// Where each preparation's histogram lies in the file.
        var sections: [EvaluationProtocol.Preparation: Section]
    }

    struct Section: Codable, Sendable {
        var offset: Int
        var count: Int
    }

    /// What the result depends on; another key, another result.
    var key: String
    var name: String
    /// By the dataset's label; the mask may be empty nonetheless.
    var isManipulated: Bool
    var width: Int
    var height: Int
    /// Manipulated pixels.
    var maskArea: Int
    /// The mask's own size, when it is not the image's.
    var maskResizedFrom: [Int]?
    /// Of the image as it is.
    var probability: Double
    var rows: [Row] = []
    /// Why a row has no map of this image, by the row's id.
    var missing: [String: String] = [:]
    var warnings: [String] = []
    /// By stage.
    var seconds: [String: Double] = [:]
}

extension EvaluationProtocol.Preparation: CodingKeyRepresentable {}

/// A result with the file that its histograms are read from when they are needed.
struct StoredResult: Sendable {
    let result: ImageResult
    let file: URL
    /// Where the histograms begin.
    let start: Int

    /// - Throws: `EvaluationError.unreadableResult`.
    func histogram(
        _ row: ImageResult.Row, _ preparation: EvaluationProtocol.Preparation
    ) throws(EvaluationError) -> ScoreHistogram {
        do {
            guard let section = row.sections[preparation] else { throw ScoreHistogram.Malformed() }
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            try handle.seek(toOffset: UInt64(start + section.offset))
            guard let data = try handle.read(upToCount: section.count), data.count == section.count else {
                throw ScoreHistogram.Malformed()
            }
            return try ScoreHistogram(packed: [UInt8](data))
        } catch {
            throw .unreadableResult(file: file.path)
        }
    }
}

/// The results of finished images, a file each. A file appears when it is complete, so that an interrupted run goes on where
/// it stopped.
///
/// A file: 8 bytes of signature, the length of the head as a 64-bit little-endian number, the head (`ImageResult` as JSON), the
/// packed histograms.
struct ResultStore: Sendable {
    static let signature = Array("TSEVAL01".utf8)
    let folder: URL

    /// - Throws: `EvaluationError.unwritable`.
    init(_ folder: URL) throws(EvaluationError) {
        self.folder = folder
        try makeFolder(folder)
    }

    /// The result of an image; nil when there is none, it belongs to another key, or it is damaged.
    func result(for name: String, key: String) -> StoredResult? {
        let file = file(for: name)
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        guard let start = try? handle.read(upToCount: 16), start.count == 16, start.starts(with: Self.signature),
            let size = try? handle.seekToEnd()
        else { return nil }
        let length = start.dropFirst(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= size - 16, length <= 1 << 30, (try? handle.seek(toOffset: 16)) != nil,
            let head = try? handle.read(upToCount: Int(length)), head.count == Int(length),
            let result = try? JSONDecoder().decode(ImageResult.self, from: head), result.key == key, result.name == name
        else { return nil }
        let end = size - 16 - length
        let areThere = result.rows.allSatisfy { row in
            row.sections.values.allSatisfy { section in
                section.offset >= 0 && section.count >= 0 && section.offset <= end
                    && section.count <= end - UInt64(section.offset)
            }
        }
        return areThere ? StoredResult(result: result, file: file, start: 16 + Int(length)) : nil
    }

    /// Keeps a result in place of an older one.
    /// - Parameter histograms: what the sections of `result` point into.
    /// - Throws: `EvaluationError.unwritable`.
    func write(_ result: ImageResult, histograms: [UInt8]) throws(EvaluationError) -> StoredResult {
        let file = file(for: result.name)
        do {
            let head = try JSONEncoder().encode(result)
            var bytes = Data(Self.signature)
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: head.count >> shift)) }
            bytes.append(head)
            bytes.append(contentsOf: histograms)
            try bytes.write(to: file, options: .atomic)
            return StoredResult(result: result, file: file, start: 16 + head.count)
        } catch {
            throw .unwritable(path: file.path, reason: error.localizedDescription)
        }
    }

    private func file(for name: String) -> URL { folder.appendingPathComponent(resultStem(name) + ".result") }
}

/// A name for the files that belong to an image: its own, as far as a file system takes it, and what makes it the only one.
func resultStem(_ name: String) -> String {
    // FNV-1a of the whole name.
    let digest = name.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let last = name.split(separator: "/").last.map(String.init) ?? name
    return String(EvaluationRow.fileSafe(last).prefix(60)) + "-" + String(digest, radix: 16)
}

/// - Throws: `EvaluationError.unwritable`.
func makeFolder(_ folder: URL) throws(EvaluationError) {
    do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
        throw .unwritable(path: folder.path, reason: error.localizedDescription)
    }
}

/// Why an evaluation cannot go on.
public enum EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
    case unwritable(path: String, reason: String)
    case unreadableResult(file: String)
    /// No image could be evaluated; with the first reasons.
    case nothingEvaluated(skipped: [String])
    /// Two sets of maps would have the same row.
    case sameName(String)

    public var description: String {
        switch self {
        case .unwritable(let path, let reason):
            "\(path): cannot be written (\(reason)); name another folder with --out"
        case .unreadableResult(let file):
            "\(file): the result was changed while it was read; delete it and run again"
        case .nothingEvaluated(let skipped):
            "no image of the dataset could be evaluated: " + skipped.joined(separator: "; ")
        case .sameName(let name):
            "two sets of maps are called \(name); give each its own name"
        }
    }
}
