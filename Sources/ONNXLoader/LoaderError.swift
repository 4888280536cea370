/// Why a file could not be read or written: what, where, and what to do.
public enum LoaderError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A negative dimension, or more elements than can be counted.
    case badTensorShape([Int])
    /// A payload of another size than shape and element type demand; for strings, `bytes` counts them.
    case tensorPayloadMismatch(ElementType, shape: [Int], bytes: Int)

    case notFound(file: String)
    case isDirectory(file: String)
    /// A pipe, a device, or the like.
    case notRegularFile(file: String)
    case emptyFile(file: String)
    case unreadable(file: String, reason: String)
    /// The file is something else, such as text.
    case notONNX(file: String, reason: String)
    /// The file ends inside `field`.
    case truncated(file: String, field: String, offset: Int)
    /// The bytes are not protobuf.
    case malformed(file: String, field: String, offset: Int)
    /// One of the `Limits`.
    case limitExceeded(file: String, field: String, limit: String)
    /// The file can be read, but the model is wrong: everything that is.
    case invalidModel(file: String, problems: [Problem])
    /// The model could not be written; a model file that was there is as it was.
    case unwritable(file: String, reason: String)

    public var description: String {
        switch self {
        case .badTensorShape(let shape):
            "the tensor shape \(described(shape)) has a negative dimension or more elements than can be counted"
        case .tensorPayloadMismatch(let elementType, let shape, let bytes):
            "a \(elementType.name) tensor of shape \(described(shape)) does not fit its payload of \(bytes) "
                + (elementType == .string ? "strings" : "bytes")
        case .notFound(let file):
            "\(file): there is no such file"
        case .isDirectory(let file):
            "\(file): is a folder, not an ONNX file"
        case .notRegularFile(let file):
            "\(file): is not a regular file; copy its contents to one"
        case .emptyFile(let file):
            "\(file): is empty; was its download or export interrupted?"
        case .unreadable(let file, let reason):
            "\(file): cannot be read: \(reason)"
        case .notONNX(let file, let reason):
            "\(file): is not an ONNX file: \(reason)"
        case .truncated(let file, let field, let offset):
            "\(file): ends too early, inside \(place(field, offset)); was its download or export interrupted?"
        case .malformed(let file, let field, let offset):
            "\(file): is damaged or not an ONNX file: no valid protobuf in \(place(field, offset))"
        case .limitExceeded(let file, let field, let limit):
            "\(file): \(field.isEmpty ? "" : "in \(field): ")\(limit)"
        case .invalidModel(let file, let problems):
            "\(file): \(summary(problems))"
        case .unwritable(let file, let reason):
            "\(file): cannot be written: \(reason)"
        }
    }
}

private func place(_ field: String, _ offset: Int) -> String {
    "\(field.isEmpty ? "the model" : field) at byte \(offset)"
}

private func summary(_ problems: [Problem]) -> String {
    let shown = 50
    var lines = ["the model has \(problems.count) \(problems.count == 1 ? "problem" : "problems")"]
    lines += problems.prefix(shown).map { "  \($0)" }
    if problems.count > shown { lines.append("  … and \(problems.count - shown) more") }
    return lines.joined(separator: "\n")
}
