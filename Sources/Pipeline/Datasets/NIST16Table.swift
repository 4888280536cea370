import Foundation

/// NIST's Nimble Challenge 2016: a table names probes and masks, paths relative to the release's folder.
enum NIST16Table {
    static let wanted = "probe, world and reference/manipulation/NAME-ref.csv, whose fields a vertical bar parts"

    static func matches(_ tree: FileTree) -> Bool { tree.files.contains(where: isTable) }

    /// - Throws: `DatasetError.badList` when a table cannot be read or lacks a column.
    static func read(_ tree: FileTree) throws(DatasetError) -> DatasetContents {
        var contents = DatasetContents(skipped: tree.skipped)
        // Releases for case-preserving systems spell some extensions in other case than the table.
        let files = Dictionary(tree.files.map { ($0.path.lowercased(), $0) }) { first, _ in first }
        var used: Set<FileTree.File> = []
        for table in tree.files.filter(isTable).sorted(by: { $0.path < $1.path }) {
            used.insert(table)
            let base = table.folders.dropLast(2).map { $0 + "/" }.joined()
            let records = try DelimitedText.records(
                try ListFile.text(of: table.url), separator: "|", file: table.url.path)
            let columns = try Columns(records.first?.fields ?? [], file: table.url.path)
            for record in records.dropFirst() {
                add(record, columns, place: "\(table.path):\(record.line)", base, files, &used, &contents)
            }
        }
        for file in tree.files where !used.contains(file) {
            guard file.isBelow("world") else {
                contents.skip(file.path, file.isBelow("mask") ? .maskWithoutImage : .notPartOfLayout)
                continue
            }
            if let problem = FileHeader.problem(file.url) {
                contents.skip(file.path, problem)
            } else {
                contents.samples.append(.init(name: file.path, image: file.url, truth: .authentic))
            }
        }
        return contents
    }

    private static func isTable(_ file: FileTree.File) -> Bool {
        file.folders.suffix(2).map { $0.lowercased() } == ["reference", "manipulation"]
            && file.name.lowercased().hasSuffix("-ref.csv")
    }

    private static func add(
        _ record: DelimitedText.Record, _ columns: Columns, place: String, _ base: String,
        _ files: [String: FileTree.File], _ used: inout Set<FileTree.File>, _ contents: inout DatasetContents
    ) {
        func field(_ column: Int?) -> String {
            guard let column, record.fields.indices.contains(column) else { return "" }
            return record.fields[column]
        }
        func file(_ name: String) -> FileTree.File? {
            files[(base + name.replacingOccurrences(of: "\\", with: "/")).lowercased()]
        }
        let name = field(columns.probe)
        guard !name.isEmpty else { return contents.skip(place, .badRow(reason: "no probe is named")) }
        guard let image = file(name) else { return contents.skip(place, .missing(path: name)) }
        guard used.insert(image).inserted else { return contents.skip(place, .duplicate) }
        if let problem = FileHeader.problem(image.url) { return contents.skip(image.path, problem) }
        guard field(columns.isTarget).uppercased() != "N" else {
            contents.samples.append(.init(name: image.path, image: image.url, truth: .authentic))
            return
        }
        let maskName = field(columns.mask)
        guard !maskName.isEmpty, let mask = file(maskName) else {
            return contents.skip(image.path, maskName.isEmpty ? .noMask(stems: []) : .missing(path: maskName))
        }
        used.insert(mask)
        if let problem = FileHeader.problem(mask.url) { return contents.skip(mask.path, problem) }
        let manipulation: Dataset.Manipulation? =
            field(columns.isSplice).uppercased() == "Y"
            ? .splice : field(columns.isCopyMove).uppercased() == "Y" ? .copyMove : nil
        contents.samples.append(
            .init(
                name: image.path, image: image.url, truth: .mask(mask.url, .blackIsTampered),
                manipulation: manipulation))
    }

    private struct Columns {
        let probe: Int
        let mask: Int
        let isTarget: Int?
        let isSplice: Int?
        let isCopyMove: Int?

        init(_ names: [String], file: String) throws(DatasetError) {
            func column(_ name: String) -> Int? { names.firstIndex { $0.lowercased() == name.lowercased() } }
            guard let probe = column("ProbeFileName"), let mask = column("ProbeMaskFileName") else {
                throw .badList(file, reason: "the columns ProbeFileName and ProbeMaskFileName are not there")
            }
            self.probe = probe
            self.mask = mask
            isTarget = column("IsTarget")
            isSplice = column("IsManipulationTypeSplice")
            isCopyMove = column("IsManipulationTypeCopyClone")
        }
    }
}
