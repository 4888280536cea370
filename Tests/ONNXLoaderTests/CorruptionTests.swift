import Foundation
import TestSupport
import Testing

@testable import ONNXLoader

/// Truncated and corrupted files are refused or read, but they crash nothing.
@Suite struct CorruptionTests {
    /// Reference: at which lengths the onnx package parses the file. An end between two fields of the model is the
    /// end of a shorter model.
    @Test func truncationAtEveryByte() throws {
        let bytes = try [UInt8](Data(contentsOf: resource("everything.onnx")))
        let whole = try JSONDecoder().decode(
            Set<Int>.self, from: Data(contentsOf: resource("everything.prefixes.json")))
        let folder = try TemporaryFolder()
        for length in 1..<bytes.count {
            let url = try folder.write(Array(bytes.prefix(length)))
            let error = try loaderError { _ = try Model(contentsOf: url) }
            switch error {
            case .truncated(_, _, let offset):
                #expect(!whole.contains(length))
                #expect(offset <= length)
            case .notONNX, .invalidModel, nil:
                // Without a graph, without operator sets, or complete but for the metadata.
                #expect(whole.contains(length), "a copy of \(length) bytes was read")
            default:
                Issue.record("at \(length) bytes: \(String(describing: error))")
            }
        }
    }

    @Test(arguments: 0..<10)
    func randomMutations(_ part: Int) throws {
        let seeds = try ["everything.onnx", "element-types.onnx", "functions.onnx", "sparse.onnx"].map {
            try [UInt8](Data(contentsOf: resource($0)))
        }
        var random = SplitMix64(state: UInt64(part))
        let folder = try TemporaryFolder()
        let rewritten = folder.url.appendingPathComponent("rewritten.onnx")
        var outcomes = [0, 0]
        for round in 0..<1000 {
            let original = seeds[round % seeds.count]
            let url = try folder.write(mutated(original, with: &random))
            // Anything that is not a LoaderError fails the test.
            let error = try loaderError {
                let model = try Model(contentsOf: url, limits: Limits(denseBytes: 1 << 20))
                // What could be read can be written and read again.
                unlink(rewritten.path)
                try model.write(to: rewritten)
                #expect(try Model(contentsOf: rewritten).graph.nodes.count == model.graph.nodes.count)
            }
            #expect(error?.description.isEmpty != true)
            outcomes[error == nil ? 0 : 1] += 1
        }
        // Neither of the two is left untested.
        #expect(outcomes[0] > 50)
        #expect(outcomes[1] > 50)
    }

    /// One to four changes: a bit, a byte, a number made extreme, bytes removed, doubled, or moved.
    private func mutated(_ original: [UInt8], with random: inout SplitMix64) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, position + Int.random(in: 1...16, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 2:
                bytes.replaceSubrange(
                    position..<end, with: Wire.varint(.max >> UInt64.random(in: 0..<64, using: &random)))
            case 3: bytes.removeSubrange(position..<end)
            case 4: bytes.insert(contentsOf: bytes[position..<end], at: position)
            default:
                let part = Array(bytes[position..<end])
                bytes.insert(contentsOf: part, at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }
}
