import Foundation
import Testing

@testable import ONNXLoader

/// Files that are not models, and models that ask for too much.
@Suite struct OpeningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func error(_ url: URL, limits: Limits = Limits()) throws -> LoaderError? {
        try loaderError { _ = try Model(contentsOf: url, limits: limits) }
    }

    @Test func missingFile() throws {
        let url = folder.url.appendingPathComponent("missing.onnx")
        #expect(try error(url) == .notFound(file: url.path))
    }

    @Test func folderInsteadOfFile() throws {
        #expect(try error(folder.url) == .isDirectory(file: folder.url.path))
    }

    @Test func emptyFile() throws {
        let url = try folder.write([])
        #expect(try error(url) == .emptyFile(file: url.path))
    }

    @Test func pipeDoesNotBlock() throws {
        let url = folder.url.appendingPathComponent("pipe.onnx")
        #expect(mkfifo(url.path, 0o600) == 0)
        #expect(try error(url) == .notRegularFile(file: url.path))
    }

    @Test(arguments: [
        ("This is a text file, long enough to look like one.\n", "text"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("<!DOCTYPE html><html></html>", "web page"),
        ("PK\u{3}\u{4}\u{14}\0\0\0", "zip archive"),
        ("x", "text"),
    ])
    func otherFormats(_ contents: String, guess: String) throws {
        let error = try error(folder.write(Array(contents.utf8)))
        guard case .notONNX(_, let reason) = error else {
            Issue.record("not recognised: \(String(describing: error))")
            return
        }
        #expect(reason.contains(guess))
    }

    @Test func noGraph() throws {
        let url = try folder.write(Wire.version + Wire.opset)
        #expect(try error(url) == .notONNX(file: url.path, reason: "there is no graph in it"))
    }

    /// A number of more than ten bytes, a wire type that does not exist, field 0, and the end of no group.
    @Test(arguments: [(Array(repeating: UInt8(0xff), count: 20), 0), ([0x0f], 1), ([0x00], 1), ([0x0c], 1)])
    func brokenEncodings(_ bytes: [UInt8], offset: Int) throws {
        let url = try folder.write(Wire.version + bytes)
        let offset = Wire.version.count + offset
        guard case .malformed(url.path, _, offset) = try error(url) else {
            Issue.record("\(String(describing: try error(url)))")
            return
        }
    }

    /// The error names the innermost field in which the file ends.
    @Test func truncationNamesTheField() throws {
        let node =
            Wire.text(Fields.Node.name, "constant") + Wire.text(Fields.Node.operatorType, "Constant")
            + Wire.bytes(
                Fields.Node.attribute,
                Wire.text(Fields.Attribute.name, "value")
                    + Wire.bytes(
                        Fields.Attribute.tensor,
                        Wire.tensor(.uint8, [9]) + Wire.bytes(Fields.Tensor.rawData, Array(repeating: 1, count: 9))))
        let bytes = Wire.model(graph: Wire.bytes(Fields.Graph.node, node))
        let url = try folder.write(bytes.dropLast())
        #expect(
            try error(url)
                == .truncated(
                    file: url.path, field: "graph.node[0] 'constant'.attribute[0] 'value'.t.raw_data",
                    offset: bytes.count - 9))
    }

    @Test(arguments: [UInt64(1) << 31 - 1, 1 << 31, 1 << 32, 1 << 40, 1 << 63, .max])
    func hugeLengths(_ length: UInt64) throws {
        let payload = Wire.tensor(.uint8, [1]) + Wire.header(Fields.Tensor.rawData, length: length) + [0]
        for bytes in [
            Wire.version + Wire.header(Fields.Model.graph, length: length),
            Wire.version + Wire.header(Fields.Model.graph, length: length)
                + Wire.header(Fields.Graph.initializer, length: length) + payload,
            Wire.model(tensor: payload),
            Wire.version + Wire.header(Fields.Model.producerName, length: length) + [0],
            Wire.version + Wire.header(99, length: length) + [0],
        ] {
            guard case .truncated = try error(folder.write(bytes)) else {
                Issue.record("a length of \(length) was not refused")
                continue
            }
        }
    }

    /// One graph inside another, as the attribute of a node, and so on.
    private func nestedGraphs(_ levels: Int) -> [UInt8] {
        (0..<levels).reduce([]) { inner, _ in
            Wire.bytes(
                Fields.Graph.node,
                Wire.text(Fields.Node.operatorType, "If")
                    + Wire.bytes(
                        Fields.Node.attribute,
                        Wire.text(Fields.Attribute.name, "then_branch")
                            + Wire.integer(Fields.Attribute.type, AttributeType.graph.rawValue)
                            + Wire.bytes(Fields.Attribute.graph, inner)))
        }
    }

    private func nestedTypes(_ levels: Int) -> [UInt8] {
        let type = (0..<levels).reduce([UInt8]()) { inner, _ in
            Wire.bytes(Fields.TypeProto.sequence, Wire.bytes(Fields.TypeProto.element, inner))
        }
        return Wire.bytes(
            Fields.Graph.input, Wire.text(Fields.ValueInfo.name, "x") + Wire.bytes(Fields.ValueInfo.type, type))
    }

    @Test func deepNesting() throws {
        // The model and its graph are two levels, a graph inside it three, a type inside another one two.
        #expect(try Model(bytes: Wire.model(graph: nestedGraphs(32))).graph.nodes.count == 1)
        #expect(try Model(bytes: Wire.model(graph: nestedTypes(48))).graph.inputs.count == 1)
        for graph in [nestedGraphs(33), nestedGraphs(5000), nestedTypes(49), nestedTypes(5000)] {
            guard case .limitExceeded(_, _, let limit) = try error(folder.write(Wire.model(graph: graph))) else {
                Issue.record("deep nesting was not refused")
                continue
            }
            #expect(limit.contains("100"))
        }
    }

    @Test func deepGroups() throws {
        let groupStart = Wire.varint(50 << 3 | 3)
        let bytes = Wire.version + Array(repeatElement(groupStart, count: 100_000).joined())
        guard case .limitExceeded = try error(folder.write(bytes)) else {
            Issue.record("deep groups were not refused")
            return
        }
    }

    /// Three bytes of file for each node, which takes hundreds of bytes of memory.
    @Test func manyFields() throws {
        let nodes = Array(repeatElement(Wire.bytes(Fields.Graph.node, []), count: 100_000).joined())
        let url = try folder.write(Wire.model(graph: nodes))
        guard case .limitExceeded(_, let field, let limit) = try error(url, limits: Limits(fields: 50_000)) else {
            Issue.record("many fields were not refused")
            return
        }
        #expect(field.hasPrefix("graph.node["))
        #expect(limit.contains("50000"))
    }

    @Test func structureBytesDoNotCountPayloads() throws {
        let payload = Wire.tensor(.uint8, [5000]) + Wire.bytes(Fields.Tensor.rawData, Array(repeating: 0, count: 5000))
        let name = Wire.text(Fields.Graph.name, String(repeating: "n", count: 5000))
        let limits = Limits(structureBytes: 1000)
        #expect(try error(folder.write(Wire.model(tensor: payload)), limits: limits) == nil)
        guard case .limitExceeded(_, let field, _) = try error(folder.write(Wire.model(graph: name)), limits: limits)
        else {
            Issue.record("the structure was not limited")
            return
        }
        #expect(field.hasPrefix("graph") && field.hasSuffix(".name"))
    }

    @Test func textThatIsNotUTF8() throws {
        let model = try Model(bytes: Wire.model(graph: Wire.bytes(Fields.Graph.name, [0x61, 0xff])))
        #expect(model.graph.name == "a\u{fffd}")
        #expect(model.warnings.contains { $0.contains("UTF-8") })
    }

    /// A terminal must not obey the names in a file.
    @Test func errorsEscapeControlCharacters() throws {
        let node = Wire.text(Fields.Node.name, "a\u{1b}[2Jb") + Wire.text(Fields.Node.input, "\u{7}")
        let problems = try problems(of: Wire.model(graph: Wire.bytes(Fields.Graph.node, node)))
        #expect(!problems.isEmpty)
        for problem in problems {
            #expect(problem.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
    }
}
