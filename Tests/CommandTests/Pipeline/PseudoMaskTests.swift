import Foundation
import Testing

/// The built `pipeline pseudo-mask` with a SAM that draws blobs.
@Suite struct PseudoMaskTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try FileManager.default.createDirectory(at: scratch.url("sam"), withIntermediateDirectories: true)
        for name in ["blob_encoder.onnx", "blob_decoder.onnx"] {
            try FileManager.default.copyItem(atPath: fixture("segmenters/\(name)"), toPath: scratch.path("sam/\(name)"))
        }
        try FileManager.default.createDirectory(at: scratch.url("photos"), withIntermediateDirectories: true)
        for (name, source) in [("a.png", "rgb8.png"), ("b.jpg", "420.jpg")] {
            try FileManager.default.copyItem(
                atPath: fixture("images/\(source)"), toPath: scratch.path("photos/\(name)"))
        }
    }

    private func run(_ boxes: String, _ arguments: String...) throws -> BuiltExecutable.Result {
        try pipeline(
            ["pseudo-mask", "--models", scratch.path("sam"), "--boxes", boxes, "--out", scratch.path("out")] + arguments
        )
    }

    private func boxes() throws -> String {
        try scratch.write("0 0.5 0.5 0.5 0.5\n0 3 3 0.1 0.1\n", to: "photos/a.txt")
    }

    @Test func aFolderOfPhotosBecomesADataset() throws {
        _ = try boxes()
        let result = try run(scratch.path("photos"), scratch.path("photos"))
        #expect(result.exitCode == 0)
        #expect(result.output.contains("a.txt#2: outside") && result.output.contains("b.jpg: no boxes"))
        #expect(result.output.contains("1 masks in"))
        for name in ["Tp/a.png", "Gt/a.png", "report.json", "report.csv"] {
            #expect(FileManager.default.fileExists(atPath: scratch.path("out/\(name)")), "\(name)")
        }
        #expect(try Data(contentsOf: scratch.url("out/Tp/a.png")) == Data(contentsOf: scratch.url("photos/a.png")))
    }

    @Test func brokenPhotosAreReportedAndTheOthersDone() throws {
        let boxes = try boxes()
        try FileManager.default.moveItem(atPath: scratch.path("photos/a.png"), toPath: scratch.path("photos/c.png"))
        try FileManager.default.moveItem(atPath: boxes, toPath: scratch.path("photos/c.txt"))
        _ = try scratch.write("0 0.5 0.5 0.5 0.5\n", to: "photos/a.txt")
        let broken = try scratch.write("text", to: "photos/a.png")
        let result = try run(scratch.path("photos"), broken, scratch.path("photos/c.png"))
        #expect(result.exitCode == 1)
        #expect(result.errors.hasPrefix("error: \(broken): ") && result.output.contains("1 failed"))
        #expect(FileManager.default.fileExists(atPath: scratch.path("out/Gt/c.png")))
    }

    @Test func badArgumentsAreRefused() throws {
        #expect(try run(try boxes(), "--min-iou", "2", "x.jpg").exitCode == 64)
        #expect(try run(try boxes(), "--format", "unknown", "x.jpg").exitCode == 64)
        let missing = try run(scratch.path("gone"), scratch.path("photos"))
        #expect(missing.exitCode == 1 && missing.errors.contains("gone: there is no such file or folder"))
        #expect(try pipeline("pseudo-mask", "--help").output.contains("--drop-poor"))
    }

    /// The student's map, refined by the region that SAM makes of a box.
    @Test func aStudentTakesTheClassifiersPlace() throws {
        let sample = Repository.root.appending(path: "samples/desert-flower.jpg").path
        let arguments = [
            "run", "--student", fixture("student/student.onnx"), "--seg", "sam", "--models", scratch.path("sam"),
            "--boxes", "200,150,200,200", "--always", "--json", "--out", scratch.path("out"), sample,
        ]
        let alone = try pipeline(arguments)
        #expect(alone.exitCode == 0)
        let report = try alone.json()
        #expect(report["localizer"] as? String == "student")
        #expect((report["views"] as? [Any])?.isEmpty == true && (report["regions"] as? [Any])?.count == 1)
        let roles = (report["models"] as? [[String: Any]])?.compactMap { $0["role"] as? String }
        #expect(roles == ["student", "sam-encoder", "sam-decoder"])
        let classifier = Repository.root.appending(path: "models/wcbnet-tiny.onnx").path
        let both = try pipeline(arguments + ["--classifier", classifier]).json()
        #expect((both["views"] as? [Any])?.count == 3 && both["localizer"] as? String == "student")
        #expect(both["probability"] as? Double != report["probability"] as? Double)
        let wrong = try pipeline("run", "--student", classifier, sample)
        #expect(wrong.exitCode == 1 && wrong.errors.contains("wcbnet-tiny.onnx"))
    }
}
