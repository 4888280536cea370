import Foundation
import Testing

@testable import ONNXLoader

/// Tensors whose data lies in files of their own, and models that point where they should not.
@Suite struct ExternalDataTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func tensor(_ entries: [(String, String)], named name: String = "w", count: Int = 16) -> [UInt8] {
        let external = entries.flatMap { Wire.entry(Fields.Tensor.externalData, $0.0, $0.1) }
        return Wire.bytes(
            Fields.Graph.initializer,
            Wire.text(Fields.Tensor.name, name) + Wire.tensor(.uint8, [count])
                + Wire.integer(Fields.Tensor.dataLocation, 1) + external)
    }

    private func load(_ tensors: [UInt8]) throws -> Model {
        try Model(contentsOf: folder.write(Wire.model(graph: tensors), as: "model/model.onnx"))
    }

    /// The only problem of a model with one tensor in external data.
    private func problem(_ entries: [(String, String)], count: Int = 16) throws -> String? {
        let error = try loaderError { _ = try load(tensor(entries, count: count)) }
        guard case .invalidModel(_, let problems) = error, problems.count == 1 else { return nil }
        #expect(problems[0].kind == .externalData)
        #expect(problems[0].location == "initializer 'w'")
        return problems[0].message
    }

    private let data = (0..<64).map(UInt8.init)

    @Test func partsOfAFile() throws {
        _ = try folder.write(data, as: "model/weights/a.data")
        let initializers = [
            tensor([("location", "weights/a.data")], named: "whole", count: 64),
            tensor([("location", "weights/a.data"), ("offset", "8"), ("length", "16")], named: "part"),
            tensor([("location", "./weights/../weights//a.data"), ("offset", "48")], named: "detour"),
        ]
        let model = try load(initializers.flatMap { $0 })
        let tensors = model.graph.initializers
        #expect(tensors["whole"]?.bytes == data)
        #expect(tensors["part"]?.bytes == Array(data[8..<24]))
        #expect(tensors["detour"]?.bytes == Array(data[48...]))
        // One file is mapped once, however it is written.
        let owners = tensors.values.compactMap { tensor -> ObjectIdentifier? in
            guard case .bytes(let region) = tensor.payload else { return nil }
            return region.owner.map(ObjectIdentifier.init)
        }
        #expect(Set(owners).count == 1)
    }

    @Test func outlivesTheReplacementOfTheFile() throws {
        let url = try folder.write(data, as: "model/a.data")
        let model = try load(tensor([("location", "a.data")]))
        try Data(repeating: 0xff, count: 8).write(to: url, options: .atomic)
        #expect(model.graph.initializers["w"]?.bytes == Array(data[0..<16]))
    }

    @Test(arguments: [
        "../secret", "a/../../secret", "..", ".", "/", "./", "a/..", "/etc/passwd", "//etc/passwd", "", "\0",
        "a.data\0",
    ])
    func locationsOutsideTheFolder(_ location: String) throws {
        _ = try folder.write(data, as: "secret")
        _ = try folder.write(data, as: "model/a.data")
        _ = try folder.write(data, as: "model/a/b.data")
        #expect(try problem([("location", location)]) != nil)
    }

    @Test func absoluteLocationInsideTheFolder() throws {
        let url = try folder.write(data, as: "model/a.data")
        #expect(try problem([("location", url.path)])?.contains("must be relative") == true)
    }

    @Test func symbolicLinks() throws {
        let manager = FileManager.default
        let inside = try folder.write(data, as: "model/real/a.data")
        _ = try folder.write(data, as: "outside/a.data")
        let model = folder.url.appendingPathComponent("model")
        for (link, target) in [("file", inside.path), ("folder", "real"), ("out", "../outside")] {
            try manager.createSymbolicLink(
                atPath: model.appendingPathComponent(link).path, withDestinationPath: target)
        }
        for location in ["file", "folder/a.data", "out/a.data", "real/../folder/a.data"] {
            #expect(try problem([("location", location)])?.contains("not followed for safety") == true)
        }
        #expect(try load(tensor([("location", "real/a.data")])).graph.initializers["w"]?.count == 16)
    }

    @Test func hardLinks() throws {
        let url = try folder.write(data, as: "secret")
        _ = try folder.write([], as: "model/other")
        let linked = folder.url.appendingPathComponent("model/a.data")
        try FileManager.default.linkItem(at: url, to: linked)
        #expect(try problem([("location", "a.data")])?.contains("hard links") == true)
        try FileManager.default.removeItem(at: url)
        #expect(try load(tensor([("location", "a.data")])).graph.initializers["w"]?.count == 16)
    }

    @Test func pipesAndFolders() throws {
        _ = try folder.write(data, as: "model/folder/a.data")
        #expect(mkfifo(folder.url.appendingPathComponent("model/pipe").path, 0o600) == 0)
        #expect(try problem([("location", "pipe")])?.contains("not a regular file") == true)
        #expect(try problem([("location", "folder")])?.contains("a folder") == true)
        #expect(try problem([("location", "folder/a.data/b")])?.contains("not followed") == true)
    }

    struct BadRange: Sendable {
        var location: String? = "a.data"
        var offset: String?
        var length: String?
        let message: String

        var entries: [(String, String)] {
            [("location", location), ("offset", offset), ("length", length)].compactMap { key, value in
                value.map { (key, $0) }
            }
        }

        static let all = [
            BadRange(offset: "49", message: "only 64"),
            BadRange(offset: "65", message: "only 64"),
            BadRange(offset: "\(Int.max)", message: "only 64"),
            BadRange(offset: "\(Int.max - 15)", message: "only 64"),
            BadRange(offset: "99999999999999999999", message: "not a number"),
            BadRange(offset: "-8", message: "not a number"),
            BadRange(offset: "0x8", message: "not a number"),
            BadRange(length: "15", message: "declared with 15"),
            BadRange(length: "1e3", message: "not a number"),
            BadRange(location: "missing.data", message: "no such file"),
            BadRange(location: String(repeating: "x", count: 5000), message: "cannot be read"),
            BadRange(location: nil, offset: "0", message: "without a location"),
            BadRange(location: nil, message: "without a location"),
        ]
    }

    @Test(arguments: BadRange.all)
    func badRanges(_ range: BadRange) throws {
        _ = try folder.write(data, as: "model/a.data")
        #expect(try problem(range.entries)?.contains(range.message) == true)
    }

    @Test func emptyFile() throws {
        _ = try folder.write([], as: "model/a.data")
        #expect(try problem([("location", "a.data")])?.contains("only 0 bytes") == true)
        #expect(try load(tensor([("location", "a.data")], count: 0)).graph.initializers["w"]?.bytes == [])
    }

    @Test func stringsCannotBeExternal() throws {
        _ = try folder.write(data, as: "model/a.data")
        let tensor =
            Wire.tensor(.string, [1]) + Wire.integer(Fields.Tensor.dataLocation, 1)
            + Wire.entry(Fields.Tensor.externalData, "location", "a.data")
        let problems = try problems(of: Wire.model(tensor: tensor))
        #expect(problems.map(\.kind) == [.externalData])
    }
}
