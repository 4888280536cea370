import Foundation
import Testing

/// `pipeline segment`, and segmenters in `pipeline run`, with small graphs.
@Suite struct SegmentTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let photo = fixture("segmenters/photo.png")
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for name in ["torchvision", "keras", "blob_encoder", "blob_decoder"] {
            try FileManager.default.copyItem(
                at: URL(fileURLWithPath: fixture("segmenters/\(name).onnx")), to: scratch.url("\(name).onnx"))
        }
    }

    private func segment(_ arguments: String...) throws -> BuiltExecutable.Result {
        try pipeline(
            ["segment", "--models", scratch.folder.path, "--out", scratch.path("out"), "--json"] + arguments + [photo])
    }

    @Test func everyCandidateIsWritten() throws {
        let result = try segment("--seg", "deeplab,pspnet,sam", "--sam-points-per-side", "4", "--background")
        #expect(result.exitCode == 0, "\(result.errors)")
        let report = try result.json()
        #expect(report["segmenter"] as? String == "deeplab,pspnet,sam")
        #expect(report["width"] as? Int == 150 && report["height"] as? Int == 100)
        #expect((report["models"] as? [Any])?.count == 4)
        let candidates = try #require(report["candidates"] as? [[String: Any]])
        #expect(Set(candidates.compactMap { $0["segmenter"] as? String }) == ["deeplab", "pspnet", "sam"])
        #expect(candidates.contains { $0["label"] as? String == "background" })
        for candidate in candidates {
            let isSAM = candidate["segmenter"] as? String == "sam"
            #expect((candidate["predictedIoU"] != nil) == isSAM && (candidate["stability"] != nil) == isSAM)
            #expect((candidate["label"] == nil) == isSAM)
            #expect((candidate["area"] as? Int ?? 0) > 0 && (candidate["bbox"] as? [Int])?.count == 4)
            let mask = try Data(contentsOf: URL(fileURLWithPath: try #require(candidate["mask"] as? String)))
            #expect(mask.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        }
        let written = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out/photo.masks"))
        #expect(written.count == candidates.count)
        let document = try Data(contentsOf: scratch.url("out/photo.json"))
        let list = try JSONSerialization.jsonObject(with: document) as? [String: Any]
        #expect((list?["candidates"] as? [Any])?.count == candidates.count)

        // Masks of an earlier run do not stay among those of a later one.
        let fewer = try segment("--seg", "sam", "--boxes", "10,10,50,40;90,30,40,40").json()
        #expect((fewer["candidates"] as? [Any])?.count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("out/photo.masks")).count == 2)
    }

    @Test func promptsAndCache() throws {
        let arguments = ["--seg", "sam", "--embedding-cache", scratch.path("cache"), "--points"]
        func candidates(_ points: String) throws -> [[String: Any]] {
            let result = try pipeline(
                ["segment", "--models", scratch.folder.path, "--out", scratch.path("out"), "--json"] + arguments
                    + [points, photo])
            #expect(result.exitCode == 0, "\(result.errors)")
            return try result.json()["candidates"] as? [[String: Any]] ?? []
        }
        #expect(try candidates("40,30").count == 3)
        #expect(try candidates("40,30; 60,30 5,5:0").count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("cache")).count == 1)

        let outside = try segment("--seg", "sam", "--points", "150,30")
        #expect(outside.exitCode == 1 && outside.errors.contains("lies outside the picture of 150 × 100 pixels"))
    }

    @Test func regionsNameTheirSegmenter() throws {
        let result = try pipeline(
            "run", "--seg", "deeplab,sam", "--sam-points-per-side", "4", "--always", "--json", "--models",
            scratch.folder.path, "--out", scratch.path("out"), photo)
        #expect(result.exitCode == 0, "\(result.errors)")
        let report = try result.json()
        #expect(report["segmenter"] as? String == "deeplab,sam")
        let regions = try #require(report["regions"] as? [[String: Any]])
        #expect(!regions.isEmpty)
        #expect(Set(regions.compactMap { $0["segmenter"] as? String }).isSubset(of: ["deeplab", "sam"]))
        #expect(regions.allSatisfy { $0["segmenter"] is String })
    }

    @Test(arguments: [
        ["segment", "x.png"], ["segment", "--seg", "none", "x.png"], ["segment", "--seg", "sam,sam", "x.png"],
        ["segment", "--seg", "sam,", "x.png"], ["segment", "--seg", "deeplab", "--points", "1,2", "x.png"],
        ["segment", "--seg", "sam", "--points", "1", "x.png"],
        ["segment", "--seg", "sam", "--points", "1,2:2", "x.png"],
        ["segment", "--seg", "sam", "--points", "1,2:0", "x.png"],
        ["segment", "--seg", "sam", "--points", "", "x.png"],
        ["segment", "--seg", "sam", "--boxes", "1,2,3", "x.png"],
        ["segment", "--seg", "sam", "--boxes", "1,2,3,0", "x.png"],
        ["segment", "--seg", "sam", "--boxes", "1,2,3,nan", "x.png"],
        ["segment", "--seg", "sam", "--threads", "0", "x.png"],
        ["run", "--seg", "sam", "--sam-crop-layers", "9", "x.png"],
        ["run", "--seg", "sam", "--min-area", "2", "x.png"],
        ["run", "--seg", "sam", "--sam-iou-threshold", "nan", "x.png"],
        ["run", "--seg", "sam", "--sam-points-per-side", "0", "x.png"],
        ["run", "--seg", "sam", "--sam-min-region-area", "-1", "x.png"],
    ])
    func badArgumentsAreRefused(_ arguments: [String]) throws {
        #expect(try pipeline(arguments).exitCode == 64, "\(arguments)")
    }
}
