/// The header of an array in NumPy's format, versions 1 to 3: a Python dictionary with the keys `descr`,
/// `fortran_order` and `shape`.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
struct NumPyHeader {
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    var descriptor: String
    var isColumnMajor: Bool
    var shape: [Int]
    /// Where the elements begin in the file.
    var length: Int

    /// - Throws: `ArchiveError.Problem` unless `bytes` begins with a whole header.
    init(_ bytes: UnsafeRawBufferPointer, limits: ArchiveLimits) throws {
        guard bytes.count >= 10, bytes.prefix(6).elementsEqual(Self.magic) else {
            throw ArchiveError.Problem.malformed("not a NumPy array")
        }
        let isShort = bytes[6] == 1
        guard (1...3).contains(bytes[6]) else {
            throw ArchiveError.Problem.unsupportedType("in NumPy's format \(bytes[6]).\(bytes[7])")
        }
        let start = isShort ? 10 : 12
        guard bytes.count >= start else { throw ArchiveError.Problem.malformed("the header is cut short") }
        let size = (8..<start).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
        guard size <= Swift.min(limits.headerBytes, 1 << 20) else {
            throw ArchiveError.Problem.exceedsLimit("bytes of header", Swift.min(limits.headerBytes, 1 << 20))
        }
        guard bytes.count - start >= size else { throw ArchiveError.Problem.malformed("the header is cut short") }
        length = start + size
        var parser = DictionaryParser(text: Array(bytes[start..<start + size]))
        let entries = try parser.parse()
        guard case .text(let descriptor) = entries["descr"] else {
            throw ArchiveError.Problem.unsupportedType("with named fields")
        }
        guard case .boolean(let isColumnMajor) = entries["fortran_order"], case .tuple(let shape) = entries["shape"]
        else { throw ArchiveError.Problem.malformed("the header lacks 'fortran_order' or 'shape'") }
        self.descriptor = descriptor
        self.isColumnMajor = isColumnMajor
        self.shape = shape
    }
}

/// Reads `{'key': value, …}` where a value is a string, True, False, or a tuple of integers.
private struct DictionaryParser {
    enum Value {
        case text(String)
        case boolean(Bool)
        case tuple([Int])
        case other
    }

    let text: [UInt8]
    var position = 0

    init(text: [UInt8]) { self.text = text }

    mutating func parse() throws -> [String: Value] {
        var entries: [String: Value] = [:]
        try expect("{")
        while !accept("}") {
            let key = try string()
            try expect(":")
            guard entries.updateValue(try value(), forKey: key) == nil else {
                throw ArchiveError.Problem.duplicateName(key)
            }
            if !accept(",") {
                try expect("}")
                break
            }
        }
        return entries
    }

    private mutating func value() throws -> Value {
        skipSpace()
        switch position < text.count ? text[position] : 0 {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "("): return .tuple(try tuple())
        case UInt8(ascii: "["):
            throw ArchiveError.Problem.unsupportedType("with named fields")
        default:
            if accept("True") { return .boolean(true) }
            if accept("False") { return .boolean(false) }
            throw malformed()
        }
    }

    private mutating func tuple() throws -> [Int] {
        var numbers: [Int] = []
        try expect("(")
        while !accept(")") {
            skipSpace()
            let start = position
            while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) {
                position += 1
            }
            guard let number = Int(String(decoding: text[start..<position], as: UTF8.self)) else { throw malformed() }
            numbers.append(number)
            _ = accept("L")
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func string() throws -> String {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\""),
            let end = text[(position + 1)...].firstIndex(of: text[position])
        else { throw malformed() }
        defer { position = end + 1 }
        guard let string = String(validating: text[(position + 1)..<end], as: UTF8.self) else { throw malformed() }
        return string
    }

    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
    }

    private mutating func accept(_ token: String) -> Bool {
        skipSpace()
        guard text[position...].starts(with: token.utf8) else { return false }
        position += token.utf8.count
        return true
    }

    private mutating func expect(_ token: String) throws {
        guard accept(token) else { throw malformed() }
    }

    private func malformed() -> ArchiveError.Problem {
        .malformed("the header cannot be understood at byte \(position)")
    }
}
