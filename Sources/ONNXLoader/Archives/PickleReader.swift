/// The operands of a pickle's opcodes, read from left to right.
struct PickleReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    /// `bytes` must stay valid as long as the reader is used.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func byte() throws -> UInt8 { UInt8(truncatingIfNeeded: try unsigned(1)) }

    /// A little-endian number of `width` bytes, at most 8.
    mutating func unsigned(_ width: Int) throws -> UInt64 {
        try require(width)
        defer { position += width }
        return (0..<width).reversed().reduce(0) { $0 << 8 | UInt64(bytes[position + $1]) }
    }

    /// A length of `width` bytes, checked against what is left of the pickle.
    mutating func length(_ width: Int) throws -> Int {
        let length = try unsigned(width)
        guard length <= UInt64(bytes.count - position) else { throw cutShort }
        return Int(length)
    }

    mutating func skip(_ count: Int) throws {
        try require(count)
        position += count
    }

    mutating func text(_ count: Int) throws -> String {
        try require(count)
        defer { position += count }
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw ArchiveError.Problem.malformed("a text in the pickle is not UTF-8")
        }
        return text
    }

    /// A line of text, without its end.
    mutating func line() throws -> String {
        guard let end = bytes[position...].firstIndex(of: 0x0a) else { throw cutShort }
        let line = try text(end - position)
        position += 1
        return line
    }

    /// A little-endian two's complement number.
    mutating func long(_ count: Int) throws -> PickleValue {
        guard count <= 8 else {
            try skip(count)
            return .largeInteger
        }
        let value = try unsigned(count)
        let unused = 64 - 8 * count
        return .integer(count == 0 ? 0 : Int64(bitPattern: value << unused) >> unused)
    }

    private func require(_ count: Int) throws {
        guard count >= 0, count <= bytes.count - position else { throw cutShort }
    }

    private var cutShort: ArchiveError.Problem { .malformed("the pickle is cut short") }
}
