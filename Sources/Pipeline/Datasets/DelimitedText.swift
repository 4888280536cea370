/// Records of fields, as RFC 4180 has them: fields in quotes may hold separators, line ends and doubled quotes. Spaces and
/// tabs around fields do not count; lines without a field are left out.
enum DelimitedText {
    struct Record: Sendable, Hashable {
        /// The line that the record begins in, from 1.
        let line: Int
        let fields: [String]
    }

    /// - Parameters:
    ///   - separator: nil for any number of spaces and tabs, as in lists for people.
    ///   - file: what an error calls the text.
    /// - Throws: `DatasetError.badList` when a quote is not closed.
    static func records(
        _ text: String, separator: Unicode.Scalar?, file: String
    ) throws(DatasetError) -> [Record] {
        var reader = Reader(separator: separator)
        for scalar in text.unicodeScalars { reader.take(scalar) }
        guard !reader.isQuoted else {
            throw .badList(file, reason: "the quote in line \(reader.quoteLine) is not closed")
        }
        reader.endRecord()
        return reader.records
    }

    private struct Reader {
        let separator: Unicode.Scalar?
        var records: [Record] = []
        var isQuoted = false
        var quoteLine = 0
        private var fields: [String] = []
        private var field = ""
        private var wasQuoted = false
        private var line = 1
        private var recordLine = 1
        private var previous: Unicode.Scalar?

        init(separator: Unicode.Scalar?) { self.separator = separator }

        mutating func take(_ scalar: Unicode.Scalar) {
            defer { previous = scalar }
            let isLineEnd = scalar == "\n" || scalar == "\r"
            if isLineEnd, !(scalar == "\n" && previous == "\r") { line += 1 }
            if isQuoted {
                if scalar == "\"" { isQuoted = false } else { field.unicodeScalars.append(scalar) }
                return
            }
            if scalar == "\"" {
                // The second quote of two stands for one.
                if wasQuoted, previous == "\"" {
                    field.unicodeScalars.append(scalar)
                    isQuoted = true
                } else if trimmed(field).isEmpty {
                    (field, wasQuoted, isQuoted, quoteLine) = ("", true, true, line)
                } else {
                    field.unicodeScalars.append(scalar)
                }
            } else if isLineEnd {
                endRecord()
            } else if let separator, scalar == separator {
                endField()
            } else if separator == nil, isBlank(scalar) {
                if !field.isEmpty || wasQuoted { endField() }
            } else if !(wasQuoted && isBlank(scalar)) {
                field.unicodeScalars.append(scalar)
            }
        }

        mutating func endField() {
            fields.append(wasQuoted ? field : trimmed(field))
            field = ""
            wasQuoted = false
        }

        mutating func endRecord() {
            if separator != nil || !field.isEmpty || wasQuoted { endField() }
            if fields.contains(where: { !$0.isEmpty }) { records.append(Record(line: recordLine, fields: fields)) }
            fields = []
            recordLine = line
        }

        private func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

        private func trimmed(_ text: String) -> String {
            let scalars = text.unicodeScalars.drop(while: isBlank)
            guard let last = scalars.lastIndex(where: { !isBlank($0) }) else { return "" }
            return String(scalars[...last])
        }
    }
}
