import ONNXLoader

/// StringSplit (opset 20): the parts of every string between delimiters, or between runs of white space, filled up with
/// empty strings to the largest number of parts; and the numbers of parts.
struct StringSplit: Operator {
    /// Nil for white space.
    private let delimiter: [UInt8]?
    private let mostSplits: Int

    init(_ node: inout NodeReader) throws {
        let delimiter = try node.string("delimiter", or: "")
        self.delimiter = delimiter.isEmpty ? nil : Array(delimiter.utf8)
        let mostSplits = try node.int("maxsplit", or: -1)
        self.mostSplits = mostSplits < 0 ? .max : mostSplits
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        guard try inputs.required(0).elementType == .string else { throw OperatorError("the input is not a string") }
        throw DataDependentTypes()
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let parts = input.strings.map { split($0) }
        let longest = parts.reduce(0) { max($0, $1.count) }
        let output = try step.allocate(0, ValueType(.string, input.shape + [longest]))
        for (row, parts) in parts.enumerated() {
            output.storage.strings.replaceSubrange(row * longest..<row * longest + parts.count, with: parts)
        }
        let counts = try step.allocate(1, ValueType(.int64, input.shape)).uncheckedMutableElements(of: Int64.self)
        for (row, parts) in parts.enumerated() { counts[row] = Int64(parts.count) }
    }

    private func split(_ string: String) -> [String] {
        guard let delimiter else {
            return string.unicodeScalars.split(
                maxSplits: mostSplits, whereSeparator: \.properties.isWhitespace
            ).map { part in
                // What is left after the last split still starts with the white space of the split before.
                String(String.UnicodeScalarView(part.drop(while: \.properties.isWhitespace)))
            }.filter { !$0.isEmpty }
        }
        let bytes = Array(string.utf8)
        var parts: [String] = []
        var start = 0
        var position = 0
        while parts.count < mostSplits, position + delimiter.count <= bytes.count {
            if bytes[position] == delimiter[0], bytes[position...].starts(with: delimiter) {
                parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
                position += delimiter.count
                start = position
            } else {
                position += 1
            }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }
}
