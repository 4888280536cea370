import Foundation
import Runtime
import Testing

@testable import Pipeline

@Suite struct EmbeddingCacheTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    private func encoder(_ calls: Counter, checksum: String = "a", shape: [Int] = [1, 2, 4, 4]) throws -> SAMEncoder {
        let model = TestModel.model(
            [TestGraph.value("image", [1, 3, 64, 64])], [TestGraph.value("image_embeddings", [1, nil, nil, nil])])
        return SAMEncoder(
            try SAMEncoderContract(ModelSignature(model.graph)),
            FakeNetwork { inputs in
                _ = calls.increment()
                let sum = try #require(inputs["image"]).array(of: Float.self).reduce(0, +)
                let count = shape.reduce(1, *)
                return ["image_embeddings": try Tensor((0..<count).map { sum + Float($0) }, shape: shape)]
            }, cache: EmbeddingCache(folder: folder, encoder: checksum))
    }

    private func image(_ value: UInt8) throws -> RGBImage {
        try RGBImage(width: 8, height: 6, pixels: [UInt8](repeating: value, count: 3 * 48))
    }

    /// Calls so far; counting is a call of its own.
    private func values(_ embedding: SAMEncoder.Embedding) throws -> [Float] {
        try #require(embedding.tensors["image_embeddings"]).array(of: Float.self)
    }

    private var files: [URL] {
        get throws { try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) }
    }

    @Test func anEmbeddingIsMadeOnce() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let calls = Counter()
        let first = try values(encoder(calls).encode(try image(9)))
        let second = try encoder(calls).encode(try image(9))
        #expect(try values(second) == first && second.tensors["image_embeddings"]?.shape == [1, 2, 4, 4])
        #expect(second.frame == SAMFrame(imageWidth: 8, imageHeight: 6, side: 64))
        #expect(calls.increment() == 2)
        // Another image, another encoder and another part have their own.
        _ = try encoder(calls).encode(try image(10))
        _ = try encoder(calls, checksum: "b").encode(try image(9))
        let part = BoundingBox(x: 0, y: 0, width: 4, height: 6)
        _ = try encoder(calls).encode([part], of: try image(9)) { _, embedding in embedding }
        #expect(calls.increment() == 6)
        #expect(try files.count == 4)
    }

    @Test func damagedAndForeignFilesAreReplaced() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let calls = Counter()
        let expected = try values(encoder(calls).encode(try image(9)))
        let file = try #require(files.first)
        let good = try Data(contentsOf: file)
        var made = 1
        var damages = [Data(), Data("text".utf8), good.dropLast(), good + [0], good.prefix(100)]
        for place in stride(from: 0, to: good.count, by: 37) {
            var damaged = good
            damaged[place] ^= 0x10
            damages.append(damaged)
        }
        for damaged in damages {
            try Data(damaged).write(to: file)
            #expect(try values(encoder(calls).encode(try image(9))) == expected)
            made += 1
            #expect(try Data(contentsOf: file) == good)
        }
        #expect(calls.increment() == made + 1)
        // One that is whole, but of another image.
        _ = try encoder(calls).encode(try image(10))
        let other = try #require(try files.first { $0.lastPathComponent != file.lastPathComponent })
        try Data(contentsOf: other).write(to: file)
        #expect(try values(encoder(calls).encode(try image(9))) == expected)
        #expect(calls.increment() == made + 4)
    }

    @Test func aFolderThatCannotBeWrittenIsNamed() throws {
        try Data("text".utf8).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = #expect(throws: ImageError.self) { try encoder(Counter()).encode(try image(9)) }
        #expect(error?.description.contains(folder.path) == true)
    }

    /// Sizes that a file claims are held against what it has.
    @Test func claimedSizesAreChecked() throws {
        let tensor = try Tensor([Float](repeating: 1, count: 4), shape: [2, 2])
        let bytes = try #require(EmbeddingFile.bytes(["a": tensor], key: String(repeating: "k", count: 64)))
        #expect(
            try EmbeddingFile.read(bytes, key: String(repeating: "k", count: 64))?["a"]?.array(of: Float.self) == [
                1, 1, 1, 1,
            ])
        #expect(EmbeddingFile.read(bytes, key: String(repeating: "l", count: 64)) == nil)
        // The first size, behind mark, key, count, name and type, with a digest that fits it.
        var content = Array(bytes.dropLast(64))
        let place = content.count - 16 - 8
        for size in [UInt8(3), 255] {
            for i in 0..<4 { content[place + i] = size }
            let forged = content + Array(try Checksum.sha256(content).utf8)
            #expect(EmbeddingFile.read(forged, key: String(repeating: "k", count: 64)) == nil)
        }
    }
}
