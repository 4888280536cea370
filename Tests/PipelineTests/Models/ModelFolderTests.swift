import Foundation
import ONNXLoader
import Testing

@testable import Pipeline

@Suite struct ModelFolderTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "is damaged"
    }

    /// A folder with empty files of the given names; what they hold is said by `models`.
    private func withFolder<Result>(
        _ models: [String: Model], others: [String] = [], _ body: (URL, (URL) throws -> Model) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in models.keys + others { try Data().write(to: folder.appendingPathComponent(name)) }
        return try body(folder) { url in
            guard let model = models[url.lastPathComponent] else { throw Broken() }
            return model
        }
    }

    @Test func modelsAreFoundByRole() throws {
        let models = [
            "b.onnx": TestModel.semantic(), "a.ONNX": TestModel.samEncoder, "c.onnx": TestModel.samDecoder,
        ]
        try withFolder(models, others: ["notes.txt", "d.onnx"]) { url, open in
            let folder = try ModelFolder(url, open: open)
            #expect(try folder.model(for: .deeplab).url.lastPathComponent == "b.onnx")
            #expect(try folder.model(for: .samEncoder).contract.role == .samEncoder)
            #expect(try folder.models(for: .samDecoder).map(\.url.lastPathComponent) == ["c.onnx"])
            let error = #expect(throws: ModelFolderError.self) { try folder.model(for: .pspnet) }
            let text = error?.description ?? ""
            for part in [
                "no pspnet in \(url.path)", "a.ONNX is a sam-encoder", "b.onnx is a deeplab",
                "d.onnx cannot be used: is damaged", "convert FILE.onnx --role pspnet --set key=value",
            ] { #expect(text.contains(part), "\(part) in \(text)") }
            #expect(!text.contains("notes.txt"))
        }
    }

    @Test func theUsersWordStandsForAMissingRole() throws {
        let models = [
            "a.onnx": TestModel.semantic(["tamperscope.role": nil]),
            "b.onnx": TestModel.model([TestGraph.value("input", [1, 3, 8, 8])], [TestGraph.value("out", nil)]),
        ]
        try withFolder(models) { url, open in
            let folder = try ModelFolder(url, open: open)
            let file = try folder.model(for: .pspnet, isStated: true)
            #expect(file.url.lastPathComponent == "a.onnx" && file.contract.origin == .argument)
            // What is only looked for has to say so itself.
            let error = #expect(throws: ModelFolderError.self) { try folder.model(for: .pspnet) }
            let text = error?.description ?? ""
            #expect(text.contains("a.onnx does not say what it is for"))
            #expect(text.contains("record it: convert b.onnx --role pspnet --set input.layout=NCHW"))
        }
    }

    @Test func severalModelsAreNamed() throws {
        try withFolder(["x.onnx": TestModel.semantic(), "y.onnx": TestModel.semantic()]) { url, open in
            let folder = try ModelFolder(url, open: open)
            #expect(try folder.models(for: .deeplab).count == 2)
            let error = #expect(throws: ModelFolderError.self) { try folder.model(for: .deeplab) }
            #expect(error?.description.contains("(x.onnx, y.onnx)") == true)
        }
    }

    private func classifier(_ views: String?, quality: String = "90") -> Model {
        var metadata = [
            "tamperscope.role": "classifier", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
            "input.size": "384,384", "input.resize": "stretch", "errorLevels.quality": quality,
            "errorLevels.subsampling": "4:2:0",
        ]
        metadata["views"] = views
        return TestModel.model([TestGraph.value("levels", [1, 3, 384, 384])], [TestGraph.value("out", nil)], metadata)
    }

    @Test func viewsOfOneModelAreFoundTogether() throws {
        let models = [
            "a.onnx": classifier("logit_4:features_4"), "b.onnx": classifier("logit_2:features_2"),
            "c.onnx": classifier("logit_3:features_3"),
        ]
        try withFolder(models) { url, open in
            let files = try ModelFolder(url, open: open).classifiers()
            #expect(files.map(\.url.lastPathComponent) == ["b.onnx", "c.onnx", "a.onnx"])
        }
    }

    @Test func otherClassifiersAreNotMixed() throws {
        for other in [
            classifier("logit_2:features"), classifier(nil), classifier("logit_3:features_3", quality: "80"),
        ] {
            try withFolder(["a.onnx": classifier("logit_2:features_2"), "b.onnx": other]) { url, open in
                let error = #expect(throws: ModelFolderError.self) { try ModelFolder(url, open: open).classifiers() }
                #expect(error?.description.contains("(a.onnx, b.onnx)") == true)
            }
        }
    }

    @Test func emptyAndMissingFolders() throws {
        try withFolder([:]) { url, open in
            let error = #expect(throws: ModelFolderError.self) {
                try ModelFolder(url, open: open).model(for: .samEncoder)
            }
            #expect(error?.description.contains("there are no .onnx files") == true)
            #expect(throws: ModelFolderError.unreadable(folder: url.appendingPathComponent("no").path)) {
                try ModelFolder(url.appendingPathComponent("no"), open: open)
            }
        }
    }
}
