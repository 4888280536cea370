import Foundation
import Testing

@testable import Pipeline

@Suite struct ListFileTests {
    private let files: MiniatureDataset

    init() throws {
        files = try MiniatureDataset()
        try files.images("in/a.jpg", "in/b c.jpg", "in/d.png")
        try files.masks("gt/a.png", "gt/b c.png")
    }

    private func read(_ text: String, _ name: String = "list.txt") throws -> Dataset {
        try files.text(text, name)
        return try Dataset(files.url.appending(path: name))
    }

    private let expected = ["in/a.jpg gt/a.png", "in/b c.jpg gt/b c.png", "in/d.png authentic"]

    @Test(arguments: [
        ("l.json", #"[["in/a.jpg", "gt/a.png"], ["in/b c.jpg", "gt/b c.png"], ["in/d.png", "Negative"]]"#),
        ("l.json", "\u{FEFF}" + #" [["in/a.jpg", "gt/a.png"], ["in/b c.jpg", "gt/b c.png"], ["in/d.png", null]]"#),
        (
            "l.json",
            #"[{"image": "in/a.jpg", "mask": "gt/a.png"}, ["in/b c.jpg", "gt/b c.png"], {"image": "in/d.png", "label": 0}]"#
        ),
        ("l.csv", "image,mask\nin/a.jpg,gt/a.png\n\"in/b c.jpg\",\"gt/b c.png\"\nin/d.png,\n"),
        ("l.csv", "\u{FEFF}label;mask;image\r\n1;gt/a.png;in/a.jpg\r\n1;gt/b c.png;in/b c.jpg\r\n0;;in/d.png"),
        ("l.csv", "in/a.jpg,gt/a.png\n\nin/b c.jpg , gt/b c.png\nin/d.png,Negative,0"),
        ("l.txt", "# comment\nin/a.jpg gt/a.png 1\n\"in/b c.jpg\" \"gt/b c.png\" 1\nin/d.png None 0\n"),
        ("l.txt", "in/a.jpg\tgt/a.png\t1\rin/b c.jpg\tgt/b c.png\t1\rin/d.png\t\t0"),
        ("l.txt", "./in/a.jpg   gt/a.png none 1\n\"in\\b c.jpg\" 'x 1\nin/d.png 0"),
        ("l.txt", "in\\a.jpg\tgt\\a.png\nin\\b c.jpg\tgt\\b c.png\nin\\d.png\t"),
    ])
    func formats(_ name: String, _ text: String) throws {
        let dataset = try read(text, name)
        #expect(dataset.layout == .list && dataset.rules == [.above(127)])
        guard !text.contains("'x") else {
            // A mask that is not there: the image is named, the others are used.
            #expect(dataset.summary == [expected[0], expected[2]])
            #expect(dataset.reasons == ["in/b c.jpg": .missing(path: "'x")])
            return
        }
        #expect(dataset.summary == expected && dataset.skipped.isEmpty)
    }

    @Test func utf16() throws {
        let text = "image,mask\nin/a.jpg,gt/a.png\n"
        try text.data(using: .utf16).unwrapped().write(to: files.place("wide.csv"))
        #expect(try Dataset(files.url.appending(path: "wide.csv")).summary == [expected[0]])
    }

    @Test func pathsOutsideAndWholePathsAreKept() throws {
        let whole = files.folder.path("in/a.jpg")
        try files.text("../in/a.jpg ../gt/a.png\n\(whole) ../gt/a.png\n../in/d.png 0", "lists/l.txt")
        let dataset = try Dataset(files.url.appending(path: "lists/l.txt"))
        #expect(dataset.samples.map(\.name) == [whole, files.folder.path("in/d.png")])
        #expect(dataset.reasons == ["l.txt:2": .duplicate])
    }

    @Test func brokenEntriesAreNamed() throws {
        try files.text("nothing", "in/text.jpg")
        let dataset = try read(
            #"[["in/a.jpg", "gt/a.png"], ["gone.jpg", "gt/a.png"], ["in/d.png", "gt/gone.png"], ["in/text.jpg"], [], 7, [3]]"#,
            "l.json")
        #expect(dataset.summary == [expected[0]])
        let noImage = Dataset.Skipped.Reason.badRow(reason: "the entry names no image")
        #expect(
            dataset.reasons == [
                "l.json:2": .missing(path: "gone.jpg"), "in/d.png": .missing(path: "gt/gone.png"),
                "in/text.jpg": .unknownFormat(name: nil), "l.json:5": noImage, "l.json:6": noImage,
                "l.json:7": noImage,
            ])
        #expect(try read("in/a.jpg gt/a.png\nin/d.png 1").reasons == ["in/d.png": .noMask(stems: [])])
    }

    @Test(arguments: [
        "[[\"in/a.jpg\"", "{\"a\": 1}", "\"in/a.jpg gt/a.png\n", "[" + String(repeating: "[", count: 100_000),
    ])
    func damagedListsAreRefused(_ text: String) throws {
        #expect(throws: DatasetError.self) { try read(text) }
    }

    @Test func otherFilesAreNoLists() throws {
        #expect(throws: DatasetError.self) { try Dataset(files.url.appending(path: "in/a.jpg")) }
        #expect(throws: DatasetError.self) { try read("") }
        #expect(throws: DatasetError.folderIsFile(files.folder.path("in/a.jpg"))) {
            try Dataset(files.url.appending(path: "in/a.jpg"), layout: .folder)
        }
    }

    @Test func quotedFieldsAsRFC4180HasThem() throws {
        let records = try DelimitedText.records(
            "a,\"b \"\"c\"\", d\"\r\n\r\n\"two\nlines\",5\" ,\n,", separator: ",", file: "x")
        #expect(
            records == [
                .init(line: 1, fields: ["a", "b \"c\", d"]), .init(line: 3, fields: ["two\nlines", "5\"", ""]),
            ])
    }
}
