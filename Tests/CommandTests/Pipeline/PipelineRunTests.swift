import Foundation
import Testing

/// The built `pipeline` on real files.
@Suite struct PipelineRunTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let sample = Repository.root.appending(path: "samples/desert-flower.jpg").path
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func helpNamesEveryOption() throws {
        let result = try pipeline("run", "--help")
        #expect(result.exitCode == 0)
        for option in [
            "--seg", "--models", "--classifier", "--refine", "--threshold", "--mask-threshold", "--scale", "--always",
            "--out", "--json", "--views", "--floor", "--distance", "--regions",
            "--view-maps",
        ] {
            #expect(result.output.contains(option), "\(option)")
        }
    }

    @Test func reportHasEveryField() throws {
        let result = try pipeline("run", "--json", "--always", "--out", scratch.path("out"), sample)
        #expect(result.exitCode == 0)
        #expect(result.errors.isEmpty, "nothing but results is printed when standard error is no terminal")
        #expect(result.output.split(separator: "\n").count == 1)
        let report = try result.json()
        #expect(
            Set(report.keys) == [
                "image", "sha256", "width", "height", "probability", "verdict", "views", "segmenter", "regions",
                "refinement", "threshold", "outputs", "models", "timings", "warnings", "version", "floor", "candidates",
                "distance", "localizer",
            ])
        #expect(report["width"] as? Int == 768)
        #expect(report["height"] as? Int == 576)
        #expect((report["views"] as? [[String: Any]])?.compactMap { $0["number"] as? Int } == [2, 3, 4])
        #expect((report["sha256"] as? String)?.count == 64)
        let outputs = try #require(report["outputs"] as? [String: String])
        for name in ["heatmap", "overlay", "mask"] {
            let file = try Data(contentsOf: URL(fileURLWithPath: try #require(outputs[name])))
            #expect(file.starts(with: [0x89, 0x50, 0x4e, 0x47]), "\(name) is a PNG file")
        }
        let written = try Data(contentsOf: scratch.url("out/desert-flower.json"))
        let document = try JSONSerialization.jsonObject(with: written) as? [String: Any]
        #expect(document?["sha256"] as? String == report["sha256"] as? String)
    }

    @Test func viewsAreChosenAndWritten() throws {
        let result = try pipeline(
            "run", "--json", "--always", "--views", "4,2", "--view-maps", "--floor", "0", "--out", scratch.path("out"),
            sample)
        #expect(result.exitCode == 0)
        let report = try result.json()
        #expect(report["floor"] as? Double == 0)
        let views = try #require(report["views"] as? [[String: Any]])
        #expect(views.compactMap { $0["number"] as? Int } == [2, 4])
        let maps = try views.map { try #require($0["map"] as? String) }
        #expect(maps == [2, 4].map { scratch.path("out/desert-flower.view\($0).heatmap.png") })
        let images = try maps.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        // Sixteen bits of grey.
        #expect(images[0] != images[1] && images.allSatisfy { Array($0[24...25]) == [16, 0] })
    }

    @Test func unknownViewsAreNamed() throws {
        let result = try pipeline("run", "--views", "2,5", "--out", scratch.path("out"), sample)
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("there is no view 5; the classifiers have 2, 3, 4"))
    }

    @Test func nothingIsLocatedBelowTheThreshold() throws {
        let result = try pipeline("run", "--json", "--threshold", "1", "--out", scratch.path("out"), sample)
        #expect(result.exitCode == 0)
        let report = try result.json()
        #expect(report["outputs"] is NSNull)
        #expect(report["verdict"] as? String == "no evidence of manipulation found")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")) == ["desert-flower.json"])
    }

    @Test func brokenImagesAreReportedAndTheOthersAnalysed() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: sample))
        try bytes.prefix(bytes.count / 2).write(to: scratch.url("cut.jpg"))
        try Data().write(to: scratch.url("empty.jpg"))
        try FileManager.default.createDirectory(at: scratch.url("folder.jpg"), withIntermediateDirectories: false)
        let bad = ["cut.jpg", "empty.jpg", "folder.jpg", "missing.jpg"].map { scratch.path($0) }
        let result = try pipeline(["run", "--json", "--out", scratch.path("out")] + bad + [sample])
        #expect(result.exitCode == 1)
        #expect(result.output.split(separator: "\n").count == 1)
        #expect(result.errors.split(separator: "\n").count == bad.count)
        for file in bad { #expect(result.errors.contains("error: \(file): "), "\(file)") }
    }

    @Test(arguments: [
        ["run"], ["run", "--threshold", "2", "x.jpg"], ["run", "--seg", "unknown", "x.jpg"],
        ["run", "--threads", "0", "x.jpg"], ["run", "--views", "2,", "x.jpg"], ["run", "--floor", "1.5", "x.jpg"],
        ["run", "--distance", "far", "x.jpg"], ["run", "--regions", "0", "x.jpg"],
        ["run", "--refine", "more", "x.jpg"],
    ])
    func badArgumentsAreRefused(_ arguments: [String]) throws {
        #expect(try pipeline(arguments).exitCode == 64)
    }

    @Test func embeddedModelsStandInForThoseThatAFolderLacks() throws {
        _ = try scratch.write("text", to: "other.onnx")
        let result = try pipeline(
            "run", "--json", "--seg", "deeplab", "--models", scratch.folder.path, "--out", scratch.path("out"), sample)
        #expect(result.exitCode == 0)
        let models = try #require(try result.json()["models"] as? [[String: Any]])
        #expect(models.compactMap { $0["role"] as? String }.sorted() == ["classifier", "deeplab"])
    }

    /// Photos and models beside the checkout; left out where there are none.
    @Test(.enabled(if: Repository.hasShared, "the photographs and models of ../shared are not here"))
    func semanticRegionsOnRealPhotos() throws {
        let folder = Repository.shared.appending(path: "casia1-dev/Tp")
        let photos = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().prefix(2)
        let result = try pipeline(
            ["run", "--seg", "deeplab", "--always", "--json", "--out", scratch.path("out"), "--models"]
                + [Repository.shared.appending(path: "models").path]
                + photos.map { folder.appending(path: $0).path })
        #expect(result.exitCode == 0)
        for line in result.output.split(separator: "\n") {
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(report["segmenter"] as? String == "deeplab")
            #expect((report["models"] as? [Any])?.count == 2)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("out")).count == 4 * photos.count)
    }
}

/// The method's flags on a photo in which a DeepLab finds several regions; left out where there are none.
@Suite(.enabled(if: Repository.hasShared, "the photographs and models of ../shared are not here"))
struct PipelineMethodTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let photo = Repository.shared.appending(path: "casia1-dev/Au/Au_cha_0090.jpg").path
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func report(_ flags: String...) throws -> [String: Any] {
        let result = try pipeline(
            ["run", "--seg", "deeplab", "--always", "--json", "--out", scratch.path("out"), "--models"]
                + [Repository.shared.appending(path: "models").path] + flags + [photo])
        #expect(result.exitCode == 0, "\(result.errors)")
        return try result.json()
    }

    @Test func flagsReachTheReport() throws {
        let report = try report("--distance", "raw", "--refine", "literal", "--floor", "0.05", "--regions", "1")
        #expect(report["distance"] as? String == "raw" && report["refinement"] as? String == "literal")
        #expect(report["floor"] as? Double == 0.05)
        let regions = try #require(report["regions"] as? [[String: Any]])
        #expect(regions.count == 1 && regions[0]["segmenter"] as? String == "deeplab")
        let candidates = try #require(report["candidates"] as? [String: Int])
        #expect((candidates["count"] ?? 0) >= 2)
        let stages = try #require(report["timings"] as? [String: Double])
        #expect(
            Set(stages.keys) == [
                "decode", "errorLevels", "classify", "activation", "segment", "candidates", "similarity", "refine",
                "write",
            ])
        #expect(stages.values.allSatisfy { $0 >= 0 } && (stages["classify"] ?? 0) > 0 && (stages["segment"] ?? 0) > 0)
    }

    /// Distances in pixels are larger than shares of the largest one, and than nearness to the outline.
    @Test func readingsOfDistanceDiffer() throws {
        let values = try ["normalised", "raw", "proximity"].map { distance in
            let regions = try #require(try report("--distance", distance)["regions"] as? [[String: Any]])
            return try #require(regions.first?["similarity"] as? Double)
        }
        #expect(values[1] > values[0] && values[1] > values[2] && values[0] != values[2])
    }

    @Test func refinementsDiffer() throws {
        let maps = try ["evidence", "histogram", "literal", "gate", "none"].map { refinement in
            let outputs = try #require(try report("--refine", refinement)["outputs"] as? [String: String])
            return try Data(contentsOf: URL(fileURLWithPath: try #require(outputs["heatmap"])))
        }
        #expect(Set(maps).count == 5)
    }
}

/// Where this package lies.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let shared = root.deletingLastPathComponent().appending(path: "shared")
    static let hasShared = FileManager.default.fileExists(atPath: shared.appending(path: "models").path)
}
