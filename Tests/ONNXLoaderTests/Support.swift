import Foundation

@testable import ONNXLoader

/// A file that Tests/Fixtures/loader.py wrote.
func resource(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("Models").appendingPathComponent(name)
}

/// A folder that is removed with the value that stands for it.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ bytes: [UInt8], as name: String = "model.onnx") throws -> URL {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        // Foundation would wait for the disk, and so would some file systems when a file is overwritten.
        unlink(file.path)
        guard let stream = fopen(file.path, "w") else { throw CocoaError(.fileWriteUnknown) }
        defer { fclose(stream) }
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
        return file
    }
}

/// Bytes of protobuf, written by hand from the description of its encoding.
enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }

    static func integer(_ field: Int32, _ value: Int) -> [UInt8] {
        varint(UInt64(field) << 3) + varint(UInt64(bitPattern: Int64(value)))
    }

    static func bytes(_ field: Int32, _ contents: [UInt8]) -> [UInt8] {
        header(field, length: UInt64(contents.count)) + contents
    }

    static func text(_ field: Int32, _ text: String) -> [UInt8] { bytes(field, Array(text.utf8)) }

    /// The beginning of a field that claims to have `length` bytes.
    static func header(_ field: Int32, length: UInt64) -> [UInt8] { varint(UInt64(field) << 3 | 2) + varint(length) }

    static func entry(_ field: Int32, _ key: String, _ value: String) -> [UInt8] {
        bytes(field, text(1, key) + text(2, value))
    }

    static let version = integer(Fields.Model.irVersion, 8)
    static let opset = bytes(Fields.Model.opsetImport, integer(Fields.OperatorSet.version, 17))

    /// A model with the given fields of its graph.
    static func model(graph: [UInt8]) -> [UInt8] { version + opset + bytes(Fields.Model.graph, graph) }

    /// A model with one initializer named `w`, of the given fields.
    static func model(tensor: [UInt8]) -> [UInt8] {
        model(graph: bytes(Fields.Graph.initializer, text(Fields.Tensor.name, "w") + tensor))
    }

    static func tensor(_ elementType: ElementType, _ shape: [Int]) -> [UInt8] {
        shape.flatMap { integer(Fields.Tensor.dimensions, $0) }
            + integer(Fields.Tensor.elementType, elementType.rawValue)
    }
}

extension Model {
    /// Opens a model with these bytes.
    init(bytes: [UInt8], limits: Limits = Limits()) throws {
        let folder = try TemporaryFolder()
        try self.init(contentsOf: folder.write(bytes), limits: limits)
    }
}

extension ConstantTensor {
    /// The bytes of the payload; empty for strings.
    var bytes: [UInt8] {
        guard case .bytes(let region) = payload else { return [] }
        return region.withUnsafeBytes(Array.init)
    }
}

extension [UInt8] {
    init(hexadecimal text: String) {
        let digits = text.compactMap { $0.hexDigitValue.map(UInt8.init) }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Numbers as they lie in memory on a little-endian machine.
    init<Number>(_ numbers: [Number]) {
        self = numbers.withUnsafeBytes { [UInt8]($0) }
    }
}

/// The error that a body throws, as one of the loader; nil when it throws none.
func loaderError(_ body: () throws -> Void) throws -> LoaderError? {
    do {
        try body()
        return nil
    } catch let error as LoaderError {
        return error
    }
}

/// The problems that opening a model with these bytes reports.
func problems(of bytes: [UInt8], limits: Limits = Limits()) throws -> [Problem] {
    guard case .invalidModel(_, let problems) = try loaderError({ _ = try Model(bytes: bytes, limits: limits) }) else {
        return []
    }
    return problems
}
