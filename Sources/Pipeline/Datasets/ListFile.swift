import Foundation

/// A list of images and masks: JSON `[[image, mask or "Negative"], …]`, CSV `image,mask`, or lines `image mask label`.
///
/// Paths are relative to the list's folder, or absolute. A mask `Negative`, `None` or nothing, or the label 0, says
/// that the image is authentic.
struct ListFile {
    static let wanted = "a JSON, CSV or text file that names an image and its mask in each entry"
    static let maximumBytes = 256 << 20

    struct Row {
        /// For messages: the number of a line or of a JSON entry.
        let place: Int
        let image: String
        let mask: String?
        let label: String?
    }

    let url: URL
    private let rows: [Result<Row, BadRow>]

    struct BadRow: Error {
        let place: Int
        let reason: String
    }

    /// - Throws: `DatasetError.badList`.
    init(_ url: URL) throws(DatasetError) {
        self.url = url
        let text = try Self.text(of: url)
        let start = text.unicodeScalars.first { !$0.properties.isWhitespace }
        rows =
            start == "[" || start == "{"
            ? try Self.jsonRows(text, file: url.path) : try Self.textRows(text, url)
    }

    /// A file as text: UTF-8, or UTF-16 when it says so by its first bytes.
    /// - Throws: `DatasetError.badList`.
    static func text(of url: URL) throws(DatasetError) -> String {
        let bytes: [UInt8]
        do throws(ImageError.Problem) {
            bytes = try FileBytes.read(url.path, limit: maximumBytes)
        } catch {
            throw .badList(url.path, reason: error.description)
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]),
            let text = String(data: Data(bytes), encoding: .utf16)
        {
            return text
        }
        guard
            let text = String(
                validating: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
        else { throw .badList(url.path, reason: "it is not UTF-8 text") }
        return text
    }

    func contents(root: URL) -> DatasetContents {
        var contents = DatasetContents()
        var seen: Set<String> = []
        for row in rows {
            switch row {
            case .failure(let bad): contents.skip(name(bad.place), .badRow(reason: bad.reason))
            case .success(let row): add(row, root, &seen, &contents)
            }
        }
        return contents
    }

    private func add(_ row: Row, _ root: URL, _ seen: inout Set<String>, _ contents: inout DatasetContents) {
        let image = resolve(row.image, root)
        let path = image.path
        let prefix = root.path.hasSuffix("/") ? root.path : root.path + "/"
        let sampleName = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
        guard seen.insert(sampleName).inserted else { return contents.skip(name(row.place), .duplicate) }
        if let problem = FileHeader.problem(image) {
            if case .missing = problem { return contents.skip(name(row.place), .missing(path: row.image)) }
            return contents.skip(sampleName, problem)
        }
        let label = row.label.flatMap { Double($0) }
        guard let mask = row.mask.flatMap({ Self.meansAuthentic($0) ? nil : $0 }), label != 0 else {
            // Without a mask the label decides, and silence means authentic.
            guard label == nil || label == 0 else { return contents.skip(sampleName, .noMask(stems: [])) }
            contents.samples.append(.init(name: sampleName, image: image, truth: .authentic))
            return
        }
        let maskURL = resolve(mask, root)
        if let problem = FileHeader.problem(maskURL) {
            if case .missing = problem { return contents.skip(sampleName, .missing(path: mask)) }
            return contents.skip(sampleName, .unreadable(reason: "its mask \(quoted(mask)): \(problem)"))
        }
        contents.samples.append(.init(name: sampleName, image: image, truth: .mask(maskURL, .above(127))))
    }

    private func name(_ place: Int) -> String { "\(url.lastPathComponent):\(place)" }

    /// Lists from Windows part folders by backslashes.
    private func resolve(_ path: String, _ root: URL) -> URL {
        let direct = URL(fileURLWithPath: path, relativeTo: root).standardizedFileURL
        guard path.contains("\\"), !FileManager.default.fileExists(atPath: direct.path) else { return direct }
        let slashes = path.replacingOccurrences(of: "\\", with: "/")
        return URL(fileURLWithPath: slashes, relativeTo: root).standardizedFileURL
    }

    private static func meansAuthentic(_ mask: String) -> Bool {
        ["", "-", "negative", "none", "null", "nan", "authentic"].contains(mask.lowercased())
    }
}

extension ListFile {
    private static func jsonRows(_ text: String, file: String) throws(DatasetError) -> [Result<Row, BadRow>] {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: Data(text.utf8))
        } catch {
            throw .badList(file, reason: "the JSON is not a list of [image, mask] (\(error))")
        }
        return entries.enumerated().map { index, entry in
            guard let image = entry.image, !image.isEmpty else {
                return .failure(BadRow(place: index + 1, reason: "the entry names no image"))
            }
            return .success(Row(place: index + 1, image: image, mask: entry.mask, label: entry.label))
        }
    }

    /// `[image, mask]` or `{"image": …, "mask": …, "label": …}`.
    private struct Entry: Decodable {
        var image: String?
        var mask: String?
        var label: String?

        private enum Key: String, CodingKey { case image, mask, label }

        init(from decoder: any Decoder) throws {
            if let container = try? decoder.container(keyedBy: Key.self) {
                image = try? container.decode(String.self, forKey: .image)
                mask = try? container.decode(String.self, forKey: .mask)
                label = (try? container.decode(Int.self, forKey: .label)).map(String.init)
                return
            }
            guard var container = try? decoder.unkeyedContainer() else { return }
            image = try? container.decode(String.self)
            guard image != nil, !container.isAtEnd else { return }
            mask = try? container.decode(String.self)
        }
    }

    private static func textRows(_ text: String, _ url: URL) throws(DatasetError) -> [Result<Row, BadRow>] {
        let separator = separator(of: text, extension: url.pathExtension.lowercased())
        var records = try DelimitedText.records(text, separator: separator, file: url.path)
        var columns = ListColumns.positions(ofText: separator == nil)
        if let named = records.first.flatMap({ ListColumns(header: $0.fields) }) {
            columns = { _ in named }
            records.removeFirst()
        }
        return records.filter { !$0.fields[0].hasPrefix("#") }.map { record in
            let chosen = columns(record.fields)
            func field(_ column: Int?) -> String? {
                column.flatMap { record.fields.indices.contains($0) ? record.fields[$0] : nil }
            }
            guard let image = field(chosen.image), !image.isEmpty else {
                return .failure(BadRow(place: record.line, reason: "the line names no image"))
            }
            return .success(
                Row(place: record.line, image: image, mask: field(chosen.mask), label: field(chosen.label)))
        }
    }

    /// Comma, semicolon or tab, whichever the first line has; nil for spaces.
    private static func separator(of text: String, extension suffix: String) -> Unicode.Scalar? {
        let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }
        if let found = (["\t", ";", ","] as [Unicode.Scalar]).first(where: { line.contains($0) }) { return found }
        return suffix == "csv" ? "," : suffix == "tsv" ? "\t" : nil
    }
}

/// Which fields of a line are image, mask and label.
struct ListColumns: Sendable {
    let image: Int
    let mask: Int?
    let label: Int?

    init(image: Int, mask: Int?, label: Int?) {
        self.image = image
        self.mask = mask
        self.label = label
    }

    /// nil when the fields are not names of columns.
    init?(header: [String]) {
        func column(_ names: Set<String>) -> Int? {
            header.firstIndex { names.contains($0.lowercased().replacingOccurrences(of: " ", with: "_")) }
        }
        guard
            let image = column(["image", "img", "path", "file", "filename", "image_path", "img_path", "image_file"])
        else { return nil }
        self.init(
            image: image,
            mask: column(["mask", "gt", "mask_path", "gt_path", "mask_file", "groundtruth", "ground_truth"]),
            label: column(["label", "class", "target", "manipulated", "tampered"]))
    }

    /// Image, mask and, when there are three or more fields and the last is a number, label. A line of text with two
    /// fields may leave the mask out.
    static func positions(ofText isText: Bool) -> @Sendable ([String]) -> ListColumns {
        { fields in
            let last = fields.count - 1
            let endsInNumber = last > 0 && ["0", "1", "0.0", "1.0"].contains(fields[last])
            if last == 1, endsInNumber { return ListColumns(image: 0, mask: nil, label: 1) }
            return ListColumns(image: 0, mask: 1, label: endsInNumber ? last : nil)
        }
    }
}
