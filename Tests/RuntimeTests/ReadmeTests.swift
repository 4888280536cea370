import Foundation
import Runtime
import Testing

// The README's example, word for word: it must compile, and run.
func features(of model: URL, image: [Float]) throws -> [Float] {
    let session = try Session(contentsOf: model)
    let input = try Tensor(image, shape: [1, 3, 64, 64])
    // Any value of the graph can be fetched by name; only what it needs is computed.
    let name = session.model.graph.nodes[0].outputs[0]
    let results = try session.run(["input": input], outputs: [name])
    return try results[name]?.array(of: Float.self) ?? []
}

@Test func readmeExampleRuns() throws {
    let model = Fixture.folder.appendingPathComponent("resnet_legacy.onnx")
    // The first node is a convolution with 8 channels and stride 2.
    #expect(try features(of: model, image: Array(repeating: 0.5, count: 3 * 64 * 64)).count == 8 * 32 * 32)
}

@Test func readmeShowsTheExample() throws {
    let readme = try String(
        contentsOf: Fixture.folder.appendingPathComponent("../../../README.md").standardizedFileURL, encoding: .utf8)
    let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
    let start = try #require(source.range(of: "func features(of"))
    let end = try #require(source.range(of: "\n}\n", range: start.upperBound..<source.endIndex))
    #expect(readme.contains(source[start.lowerBound..<end.upperBound]))
}
