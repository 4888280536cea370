import Foundation
import Testing

@testable import Pipeline

@Suite struct DatasetPairingTests {
    private let files: MiniatureDataset

    init() throws { files = try MiniatureDataset() }

    @Test func stemsThatAreNotUniquePairWithNothing() throws {
        try files.images("Tp/a.jpg", "Tp/a.png", "Tp/b.jpg", "Tp/c.jpg", "Tp/d_gt.jpg")
        // A mask's whole name goes before what is left of it without a suffix.
        try files.masks("Gt/a_gt.png", "Gt/b_gt.png", "Gt/b_mask.png", "Gt/c.png", "Gt/c_gt.png", "Gt/d_gt.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.summary == ["Tp/c.jpg Gt/c.png", "Tp/d_gt.jpg Gt/d_gt.png"])
        #expect(
            dataset.reasons == [
                "Tp/a.jpg": .duplicateStem(others: ["Tp/a.png"]), "Tp/a.png": .duplicateStem(others: ["Tp/a.jpg"]),
                "Gt/a_gt.png": .duplicateStem(others: ["Tp/a.jpg", "Tp/a.png"]),
                "Tp/b.jpg": .duplicateStem(others: ["Gt/b_gt.png", "Gt/b_mask.png"]),
                "Gt/b_gt.png": .duplicateStem(others: ["Gt/b_mask.png"]),
                "Gt/b_mask.png": .duplicateStem(others: ["Gt/b_gt.png"]),
                "Gt/c_gt.png": .duplicateStem(others: ["Gt/c.png"]),
            ])
    }

    /// By order, each of these would get its neighbour's mask.
    @Test func orderDoesNotMatter() throws {
        try files.images("Tp/a.jpg", "Tp/b.jpg", "Tp/c.jpg")
        try files.masks("Gt/b.png", "Gt/c.png", "Gt/d.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.summary == ["Tp/b.jpg Gt/b.png", "Tp/c.jpg Gt/c.png"])
        #expect(dataset.reasons == ["Tp/a.jpg": .noMask(stems: ["a"]), "Gt/d.png": .maskWithoutImage])
    }

    @Test func foldersInsideMustAgree() throws {
        try files.images("Tp/one/a.jpg", "Tp/two/a.jpg", "Tp/two/b.jpg", "Tp/two/c.jpg")
        try files.masks("Gt/one/a.png", "Gt/one/b.png", "Gt/c.png")
        let dataset = try Dataset(files.url)
        #expect(dataset.summary == ["Tp/one/a.jpg Gt/one/a.png", "Tp/two/c.jpg Gt/c.png"])
        #expect(dataset.reasons["Tp/two/a.jpg"] == .noMask(stems: ["a"]))
        #expect(dataset.reasons["Tp/two/b.jpg"] == .noMask(stems: ["b"]))
        #expect(dataset.reasons["Gt/one/b.png"] == .maskWithoutImage)
    }

    @Test func filesThatAreNoImagesAreNamed() throws {
        try files.images("Tp/a.jpg", "Tp/b.jpg")
        try files.masks("Gt/a.png")
        try files.text("", "Tp/empty.jpg")
        try files.text("GIF89a and so on", "Tp/moving.gif")
        try files.text("GIF89a and so on", "Gt/b.png")
        try FileManager.default.createSymbolicLink(
            at: files.place("Tp/dangling.jpg"), withDestinationURL: files.url.appending(path: "nowhere"))
        let dataset = try Dataset(files.url)
        #expect(dataset.summary == ["Tp/a.jpg Gt/a.png"])
        #expect(
            dataset.reasons == [
                "Tp/empty.jpg": .empty, "Tp/moving.gif": .unknownFormat(name: "GIF"),
                "Gt/b.png": .unknownFormat(name: "GIF"), "Tp/b.jpg": .noMask(stems: ["b"]),
                "Tp/dangling.jpg": .missing(path: files.url.standardizedFileURL.path + "/Tp/dangling.jpg"),
            ])
    }

    @Test func linksAreFollowedButNotInCircles() throws {
        let elsewhere = try MiniatureDataset()
        try elsewhere.images("photos/a.jpg")
        try files.masks("Gt/a.png")
        try FileManager.default.createSymbolicLink(
            at: files.place("Tp"), withDestinationURL: elsewhere.url.appending(path: "photos"))
        try FileManager.default.createSymbolicLink(
            at: elsewhere.place("photos/again"), withDestinationURL: files.url)
        try FileManager.default.createSymbolicLink(
            at: files.place("Gt/itself"), withDestinationURL: files.url.appending(path: "Gt"))
        let dataset = try Dataset(files.url)
        #expect(dataset.summary == ["Tp/a.jpg Gt/a.png"])
        #expect(dataset.reasons == ["Tp/again": .loop, "Gt/itself": .loop])
    }

    /// Collections with a folder for each scene give all files one name.
    @Test func manyFilesOfOneStem() {
        func member(_ top: String, _ inner: [String], _ name: String) -> MaskPairing.Member {
            let file = FileTree.File(
                folders: [top] + inner, name: name,
                url: URL(fileURLWithPath: "/\(([top] + inner).joined(separator: "/"))/\(name)", isDirectory: false))
            return .init(file: file, keys: [file.stem], scope: [], inner: inner)
        }
        let count = 4000
        let nested = MaskPairing(
            images: (0..<count).map { member("Tp", ["\($0)"], "image.jpg") },
            masks: (0..<count).map { member("Gt", ["\($0)"], "image.png") })
        #expect(nested.pairs.count == count && nested.skipped.isEmpty)
        #expect(nested.pairs.allSatisfy { $0.image.folders[1] == $0.mask.folders[1] })
        let uncertain = MaskPairing(
            images: (0..<count).map { member("Tp", ["\($0)"], "image.jpg") }, masks: [member("Gt", [], "image.png")])
        #expect(uncertain.pairs.isEmpty && uncertain.skipped.count == count + 1)
        #expect(
            uncertain.skipped.allSatisfy { skipped in
                if case .duplicateStem(let others) = skipped.reason {
                    !others.contains(skipped.file) && others.count == 4
                } else {
                    false
                }
            })
    }
}
