import Foundation
import ONNXLoader
import Testing

@testable import Runtime

/// Small graphs of every family by both of PyTorch's exporters, against ONNX Runtime's outputs (`Tests/Fixtures/models.py`).
@Test(arguments: Fixture.all)
func fixtureAgreesWithONNXRuntime(_ fixture: Fixture) throws {
    let session = try Session(contentsOf: fixture.model)
    try fixture.check(session.run(fixture.inputs()))
}

/// The optimised file gives the same outputs, and so do its weights straight from the mapping.
@Test(arguments: Fixture.all)
func optimizedFixtureAgreesWithONNXRuntime(_ fixture: Fixture) throws {
    let model = try Model(contentsOf: fixture.model)
    let (optimized, report) = try Optimizer.optimize(model)
    #expect(report.nodesAfter <= report.nodesBefore)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).onnx")
    defer { try? FileManager.default.removeItem(at: file) }
    try optimized.write(to: file)
    try fixture.check(Session(contentsOf: file).run(fixture.inputs()))
}

/// Values inside the graph, fetched together with the outputs, leave the outputs as they are.
@Test(arguments: Fixture.all.filter { $0.name.hasPrefix("resnet") || $0.name.hasPrefix("vit") })
func everyInnerValueCanBeFetched(_ fixture: Fixture) throws {
    let session = try Session(contentsOf: fixture.model)
    let names = session.model.graph.nodes.flatMap(\.outputs) + session.model.graph.outputs.map(\.name)
    let values = try session.run(fixture.inputs(), outputs: names)
    #expect(Set(values.keys) == Set(names))
    try fixture.check(values)
}

/// The same bits for any number of threads.
@Test(arguments: Fixture.all.filter { $0.name.hasSuffix("legacy") })
func threadsDoNotChangeResults(_ fixture: Fixture) throws {
    let inputs = try fixture.inputs()
    let one = try Session(contentsOf: fixture.model, options: .init(threads: 1)).run(inputs)
    let three = try Session(contentsOf: fixture.model, options: .init(threads: 3)).run(inputs)
    for (name, tensor) in one {
        let same = try tensor.withUnsafeBytes { left in
            try #require(three[name]).withUnsafeBytes { right in left.elementsEqual(right) }
        }
        #expect(same, "\(name)")
    }
}

struct Fixture: Sendable, CustomTestStringConvertible {
    let name: String

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/models")

    static let all: [Fixture] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".onnx") }.sorted().map { Fixture(name: String($0.dropLast(5))) }
    }()

    var testDescription: String { name }
    var model: URL { Self.folder.appendingPathComponent(name + ".onnx") }

    private func arrays() throws -> [String: Tensor] {
        try TensorArchive(contentsOf: Self.folder.appendingPathComponent(name + ".npz")).tensors.mapValues {
            Tensor($0)
        }
    }

    func inputs() throws -> [String: Tensor] { try arrays().filter { !$0.key.hasPrefix("output:") } }

    func check(_ results: [String: Tensor]) throws {
        let expected = try arrays().filter { $0.key.hasPrefix("output:") }
        #expect(!expected.isEmpty)
        for (key, wanted) in expected {
            let result = try #require(results[String(key.dropFirst("output:".count))])
            #expect(result.elementType == wanted.elementType)
            #expect(result.shape == wanted.shape)
            #expect(difference(result, wanted) <= 1e-4, "\(key): \(difference(result, wanted))")
        }
    }
}

/// The fixtures are there at all: an empty list of arguments would pass.
@Test func fixturesExist() { #expect(Fixture.all.count >= 30) }
