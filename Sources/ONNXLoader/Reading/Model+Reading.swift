import CONNX
import Foundation

extension Model {
    /// The IR version and the default domain's operator set version up to which everything that a file says is known.
    public static let newestKnown = (irVersion: 13, opset: 26)

    /// Opens an ONNX file. The file is mapped, and tensors stay where they are in it; external data likewise.
    ///
    /// What is odd but harmless is in `warnings`. Of what a file can say, quantisation annotations, training
    /// information and the metadata of nodes, values and tensors are left out.
    ///
    /// As long as the model lives, the file may be replaced (a new one renamed over it), but not shortened or written
    /// to in place: reading a tensor that is no longer there ends the process (SIGBUS).
    /// - Throws: `LoaderError`; for a model that is wrong in itself, `LoaderError.invalidModel` with all its problems.
    public init(contentsOf url: URL, limits: Limits = Limits()) throws {
        let file = try MappedFile.open(url.path)
        let document = try Document(parsing: file, name: url.path, limits: limits)
        guard document.root.has(Fields.Model.graph) else {
            throw LoaderError.notONNX(file: url.path, reason: file.guess ?? "there is no graph in it")
        }
        let reader = ModelReader(file: file, url: url, limits: limits)
        self = reader.model(document.root)
        if document.hasRepairedText {
            warnings.append("some text in the file is not UTF-8; characters in it were replaced")
        }
        var problems = reader.problems
        for problem in self.problems() { problems.add(problem) }
        guard problems.isEmpty else {
            throw LoaderError.invalidModel(file: url.path, problems: problems.all)
        }
    }
}

extension Document {
    /// Parses a mapped file.
    /// - Parameter name: the file's name for errors.
    convenience init(parsing file: MappedFile, name: String, limits: Limits) throws {
        guard file.bytes.count > 0 else { throw LoaderError.emptyFile(file: name) }
        var failure = connx_failure()
        let limits = limits.clamped
        let counts = connx_limits(
            structureBytes: limits.structureBytes, fields: limits.fields, depth: Int32(limits.depth))
        let document = file.withoutReadAhead {
            connx_read(file.bytes.baseAddress, file.bytes.count, counts, &failure)
        }
        guard let document else {
            if let guess = file.guess { throw LoaderError.notONNX(file: name, reason: guess) }
            throw LoaderError(reading: failure, file: name, limits: limits)
        }
        self.init(owning: document)
    }
}

extension Limits {
    /// The limits within what libprotobuf can count.
    fileprivate var clamped: Limits {
        Limits(
            structureBytes: max(0, min(structureBytes, Int(Int32.max))), fields: max(0, fields),
            depth: max(1, min(depth, 1000)), denseBytes: denseBytes)
    }
}

extension LoaderError {
    fileprivate init(reading failure: connx_failure, file: String, limits: Limits) {
        let field = withUnsafeBytes(of: failure.field) {
            printable(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self))
        }
        switch failure.status {
        case CONNX_TRUNCATED:
            self = .truncated(file: file, field: field, offset: failure.offset)
        case CONNX_TOO_DEEP:
            self = .limitExceeded(
                file: file, field: field, limit: "messages are nested deeper than the limit of \(limits.depth)")
        case CONNX_TOO_LARGE:
            self = .limitExceeded(
                file: file, field: field,
                limit: "more than the limit of \(limits.structureBytes) bytes of protobuf; "
                    + "store the weights as external data")
        case CONNX_TOO_MANY_FIELDS:
            self = .limitExceeded(
                file: file, field: field, limit: "the structure has more than the limit of \(limits.fields) fields")
        case CONNX_OUT_OF_MEMORY:
            self = .unreadable(file: file, reason: "there is not enough memory for its structure")
        default:
            self = .malformed(file: file, field: field, offset: failure.offset)
        }
    }
}

extension MappedFile {
    /// What a file that is not an ONNX file seems to be instead.
    fileprivate var guess: String? {
        let head = bytes.prefix(512)
        func begins(_ text: String) -> Bool { head.starts(with: text.utf8) }
        if begins("version https://git-lfs") {
            return "it is a Git LFS pointer; fetch the file that it stands for with `git lfs pull`"
        }
        if begins("PK\u{3}\u{4}") { return "it is a zip archive, such as a PyTorch checkpoint or .npz" }
        if begins("<") { return "it looks like a web page or XML" }
        let isText = head.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }
        return isText ? "it looks like text" : nil
    }
}
