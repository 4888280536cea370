import Foundation
import Testing

/// The built `pipeline eval` on a miniature dataset with the embedded classifier.
@Suite struct PipelineEvalTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for folder in ["set/Tp", "set/Gt", "set/Au", "maps"] {
            try FileManager.default.createDirectory(at: scratch.url(folder), withIntermediateDirectories: true)
        }
        for (name, seed) in [("Tp/one", 1), ("Tp/two", 2), ("Au/three", 3)] {
            try bitmap { x, y in UInt8((x * x * seed + y * 31 + x * y) % 251) }.write(
                to: scratch.url("set/\(name).bmp"))
        }
        for name in ["one", "two", "broken"] {
            try bitmap { x, y in x > 20 && y > 30 ? 255 : 0 }.write(to: scratch.url("set/Gt/\(name).bmp"))
        }
        try Data([0xff, 0xd8, 0xff, 0xe0]).write(to: scratch.url("set/Tp/broken.jpg"))
        try bitmap { x, y in x > 20 && y > 30 ? 200 : 60 }.write(to: scratch.url("maps/one.bmp"))
        try bitmap(side: 24) { x, _ in UInt8(x * 10) }.write(to: scratch.url("maps/three.bmp"))
    }

    /// A grey 24-bit BMP file.
    private func bitmap(side: Int = 48, _ level: (_ x: Int, _ y: Int) -> UInt8) -> Data {
        let size = 3 * side * side
        func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
        var data = Data("BM".utf8)
        data += number(54 + size, 4) + number(0, 4) + number(54, 4) + number(40, 4) + number(side, 4) + number(side, 4)
        data += number(1, 2) + number(24, 2) + number(0, 4) + number(size, 4) + number(0, 16)
        for y in (0..<side).reversed() {
            for x in 0..<side { data += [UInt8](repeating: level(x, y), count: 3) }
        }
        return data
    }

    private func evaluate(_ arguments: String...) throws -> [String: Any] {
        let result = try pipeline(
            ["eval", scratch.path("set"), "--json", "--bootstrap", "20", "--out", scratch.path("out")] + arguments)
        #expect(result.exitCode == 0, "\(result.errors)")
        return try result.json()
    }

    private func counts(_ summary: [String: Any], row: String, _ scoring: String = "default") throws -> [String: Int] {
        let rows = try #require(summary["rows"] as? [[String: Any]])
        let found = try #require(
            rows.first { ($0["row"] as? [String: Any])?["id"] as? String == row && $0["scoring"] as? String == scoring }
        )
        return try #require(found["counts"] as? [String: Int])
    }

    private func timing(_ summary: [String: Any]) throws -> [Int] {
        let timing = try #require(summary["timing"] as? [String: Any])
        return [try #require(timing["evaluated"] as? Int), try #require(timing["resumed"] as? Int)]
    }

    @Test func rowsFilesAndSkippedImages() throws {
        let summary = try evaluate("--maps", "Other=" + scratch.path("maps"), "--protocol", "all", "--save-maps")
        let rows = try #require(summary["rows"] as? [[String: Any]])
        let ids = Set(rows.compactMap { ($0["row"] as? [String: Any])?["id"] as? String })
        #expect(ids.isSuperset(of: ["classifier", "maps.Other"]))
        #expect(ids.count { $0.hasPrefix("view.") } == 3)
        #expect(rows.count == 5 * ids.count)

        let classifier = try counts(summary, row: "classifier")
        #expect(classifier["images"] == 3 && classifier["scored"] == 2 && classifier["emptyMask"] == 1)
        #expect(classifier["skipped"] == 1)
        let other = try counts(summary, row: "maps.Other")
        #expect(other["images"] == 2 && other["scored"] == 1 && other["missingMaps"] == 1 && other["resizedMaps"] == 1)
        #expect(try counts(summary, row: "classifier", "benco")["scored"] == 3)
        let skipped = try #require(summary["skipped"] as? [[String: String]])
        #expect(skipped.contains { $0["file"] == "Tp/broken.jpg" })

        for name in ["report.html", "summary.csv", "summary.json", "images.csv", "images.jsonl"] {
            #expect(FileManager.default.fileExists(atPath: scratch.path("out/" + name)), "\(name)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("out/thumbnails")).count == 3)
        for row in ids {
            let maps = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out/maps/" + row))
            #expect(maps.count == (row == "maps.Other" ? 2 : 3), "\(row)")
        }
    }

    @Test func finishedImagesAreNotEvaluatedAgain() throws {
        let first = try evaluate()
        #expect(try timing(first) == [3, 0])
        let second = try evaluate()
        #expect(try timing(second) == [0, 3])
        #expect(try counts(first, row: "classifier") == counts(second, row: "classifier"))

        // Thresholds and resamples need no new maps; another image, a lost result or another option do.
        #expect(try timing(evaluate("--map-threshold", "0.3", "--seed", "9")) == [0, 3])
        try bitmap { x, y in UInt8((x + y) % 200) }.write(to: scratch.url("set/Tp/two.bmp"))
        #expect(try timing(evaluate()) == [1, 2])
        let results = try FileManager.default.contentsOfDirectory(atPath: scratch.path("out/results")).sorted()
        try Data("TSEVAL01".utf8).write(to: scratch.url("out/results/" + results[0]))
        #expect(try timing(evaluate()) == [1, 2])
        #expect(try timing(evaluate("--scale", "fit")) == [3, 0])
        #expect(try timing(evaluate("--scale", "fit", "--views", "2,3")) == [3, 0])
    }

    @Test func onlyTheViewsThatTakePartHaveRows() throws {
        let summary = try evaluate("--views", "2,4", "--thumbnails", "0")
        let rows = try #require(summary["rows"] as? [[String: Any]])
        let ids = rows.compactMap { ($0["row"] as? [String: Any])?["id"] as? String }
        #expect(ids == ["classifier", "view.logit_2", "view.logit_4"])
    }

    @Test func degradedImagesHaveRows() throws {
        let summary = try evaluate("--robustness", "--thumbnails", "0")
        for row in ["blur-3.classifier", "noise-23.classifier", "jpeg-50.classifier", "resize-125.classifier"] {
            #expect(try counts(summary, row: row)["images"] == 3, "\(row)")
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.path("out/thumbnails")))
    }

    @Test(arguments: [
        ["--protocol", "unknown"], ["--protocol", "default,default"], ["--maps", "none"], ["--threshold", "2"],
        ["--bootstrap", "-1"], ["--refine", "evidence,"], ["--layout", "unknown"],
    ])
    func badArgumentsAreRefused(_ arguments: [String]) throws {
        #expect(try pipeline(["eval", scratch.path("set")] + arguments).exitCode == 64)
    }

    @Test func whatCannotBeEvaluatedIsSaid() throws {
        func error(_ arguments: String...) throws -> String {
            let result = try pipeline(["eval"] + arguments)
            #expect(result.exitCode == 1)
            return result.errors
        }
        #expect(try error(scratch.path("nowhere")).contains("no such file or folder"))
        #expect(
            try error(scratch.path("set"), "--maps", "A=" + scratch.path("nowhere")).contains("no such folder of maps"))
        let file = try scratch.write("", to: "file")
        #expect(try error(scratch.path("set"), "--out", file).contains("cannot be written"))
        let maps = "A=" + scratch.path("maps")
        #expect(try error(scratch.path("set"), "--maps", maps, "--maps", maps).contains("called A"))
    }
}
