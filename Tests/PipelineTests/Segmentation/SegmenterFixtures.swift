import Foundation
import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

/// Small graphs of every segmenter's contract with reference results (`Tests/Fixtures/segmenters.py`).
enum SegmenterFixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/segmenters")

    static func photo() throws -> RGBImage {
        try ImageFile.load(folder.appendingPathComponent("photo.png").path).image
    }

    static func model(_ name: String) throws -> ModelFile {
        try ModelFile(folder.appendingPathComponent(name + ".onnx"))
    }

    static func references(_ name: String) throws -> [String: Tensor] {
        try TensorArchive(contentsOf: folder.appendingPathComponent(name + ".npz")).tensors.mapValues { Tensor($0) }
    }

    static func encoder(_ name: String, cache: EmbeddingCache? = nil) throws -> SAMEncoder {
        let file = try model(name)
        return SAMEncoder(
            try SAMEncoderContract(file.contract.signature), try Session(file.model), cache: cache)
    }

    static func sam(_ encoder: String, _ decoder: String) throws -> SAMModel {
        let file = try model(decoder)
        return try SAMModel(
            self.encoder(encoder),
            SAMDecoder(SAMDecoderContract(file.contract.signature), Session(file.model)))
    }
}
