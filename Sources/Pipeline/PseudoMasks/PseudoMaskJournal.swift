import Foundation

/// What earlier runs made in a folder, and what this one has made so far.
struct PseudoMaskJournal: Sendable {
    private let folder: URL
    private var earlier: [String: PseudoMaskReport.Image] = [:]

    private var report: URL { folder.appendingPathComponent("report.json") }
    private var journal: URL { folder.appendingPathComponent("report.jsonl") }

    /// Makes the dataset's folders.
    /// - Throws: `ImageError` with `.unwritable`.
    init(_ folder: URL) throws(ImageError) {
        self.folder = folder
        for name in ["Tp", "Gt"] {
            let url = folder.appendingPathComponent(name, isDirectory: true)
            do {
                try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            } catch {
                throw ImageError(file: url.path, problem: .unwritable(reason: error.localizedDescription))
            }
        }
        let decoder = JSONDecoder()
        let finished = (try? Data(contentsOf: report)).flatMap { try? decoder.decode(PseudoMaskReport.self, from: $0) }
        // An interrupted run may have left half a line at the end.
        let lines = ((try? Data(contentsOf: journal)) ?? Data()).split(separator: UInt8(ascii: "\n"))
        let begun = lines.compactMap { try? decoder.decode(PseudoMaskReport.Image.self, from: $0) }
        for entry in (finished?.images ?? []) + begun {
            if let fingerprint = entry.fingerprint { earlier[fingerprint] = entry }
        }
    }

    /// A finished image whose files are still there.
    func entry(_ fingerprint: String) -> PseudoMaskReport.Image? {
        guard let entry = earlier[fingerprint] else { return nil }
        let files = [entry.output, entry.mask].compactMap { $0 }.map { folder.appendingPathComponent($0).path }
        return files.allSatisfy { FileManager.default.fileExists(atPath: $0) } ? entry : nil
    }

    mutating func add(_ entry: PseudoMaskReport.Image) throws(ImageError) {
        guard let fingerprint = entry.fingerprint, earlier[fingerprint] == nil else { return }
        earlier[fingerprint] = entry
        try FileBytes.append(try Self.json(entry, [], file: journal.path), to: journal.path)
    }

    /// Writes the report in place of the journal, and removes what only earlier runs made.
    func finish(_ report: PseudoMaskReport) throws(ImageError) {
        let kept = Set(report.images.flatMap { [$0.output, $0.mask] }.compactMap { $0 })
        for name in earlier.values.flatMap({ [$0.output, $0.mask] }).compactMap({ $0 }) where !kept.contains(name) {
            // A report may have been changed by hand: nothing outside the two folders is removed.
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, ["Tp", "Gt"].contains(parts[0]), parts[1] != "..", parts[1] != "." else { continue }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
        try FileBytes.write(folder.appendingPathComponent("report.csv").path, contents: Array(report.table.utf8))
        try FileBytes.write(
            self.report.path, contents: try Self.json(report, .prettyPrinted, file: self.report.path))
        try? FileManager.default.removeItem(at: journal)
    }

    /// With a line end behind it.
    private static func json(
        _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting, file: String
    ) throws(ImageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        do {
            return [UInt8](try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw ImageError(file: file, problem: .unwritable(reason: "\(error)"))
        }
    }
}
