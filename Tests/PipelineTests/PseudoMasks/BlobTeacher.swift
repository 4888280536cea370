import Foundation
import Runtime
import Synchronization

@testable import Pipeline

/// SAM that draws a blob at its prompt (Tests/Fixtures/blob_network.py), with a count of the images that it encodes.
struct BlobTeacher {
    let encodings = Counter()
    let sam: SAMModel

    init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/segmenters").standardizedFileURL
        let encoder = try ModelFile(folder.appending(path: "blob_encoder.onnx"))
        let decoder = try ModelFile(folder.appending(path: "blob_decoder.onnx"))
        let session = try Session(encoder.model)
        let encodings = encodings
        sam = try SAMModel(
            SAMEncoder(
                SAMEncoderContract(encoder.contract.signature),
                FakeNetwork { inputs in
                    _ = encodings.increment()
                    return try session.run(inputs, outputs: nil)
                }),
            SAMDecoder(SAMDecoderContract(decoder.contract.signature), Session(decoder.model)))
    }

    /// The number of images encoded since the last call, or since the start.
    func encodedImages(before: inout Int) -> Int {
        let count = encodings.increment() - 1
        defer { before = count + 1 }
        return count - before
    }
}
