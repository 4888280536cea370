import Foundation
import Testing

@testable import Pipeline

@Suite struct BoxMatchingTests {
    private let files: MiniatureDataset

    init() throws { files = try MiniatureDataset() }

    private func match(_ boxes: String, _ images: String...) throws -> (found: [Int?], unmatched: Int) {
        let annotations = try BoxAnnotations(files.url.appending(path: boxes))
        let matching = BoxMatching(annotations, images: images.map { files.url.appending(path: $0) })
        return (matching.boxes.map { $0?.boxes.count }, matching.unmatched.count)
    }

    private func coco(_ names: [String]) -> String {
        let images = names.enumerated().map { "{\"id\": \($0.offset), \"file_name\": \"\($0.element)\"}" }
        let boxes = names.indices.map { "{\"image_id\": \($0), \"bbox\": [0, 0, 1, 1]}" }
        return "{\"images\": [\(images.joined(separator: ","))], \"annotations\": [\(boxes.joined(separator: ","))]}"
    }

    @Test func byNameAndFolders() throws {
        try files.text(coco(["one/a.jpg", "two/a.jpg", "b.jpg", "gone.jpg"]), "c.json")
        // Another extension is the same photo in another format, when there is no exact name.
        let result = try match("c.json", "in/two/a.jpg", "in/one/a.jpg", "in/b.png", "in/d.jpg")
        #expect(result.found == [1, 1, 1, nil] && result.unmatched == 1)
    }

    @Test func imagesOfOneNameAreUncertain() throws {
        try files.text(coco(["a.jpg"]), "c.json")
        let result = try match("c.json", "one/a.jpg", "two/a.jpg")
        #expect(result.found == [nil, nil] && result.unmatched == 1)
    }

    @Test func byStemAndMirroredFolders() throws {
        for name in ["train/a", "val/a", "val/b.c", "val/gone"] {
            try files.text("0 .5 .5 .5 .5", "labels/\(name).txt")
        }
        let result = try match("labels", "images/val/a.jpg", "images/train/a.jpg", "images/val/b.c.jpg")
        #expect(result.found == [1, 1, 1] && result.unmatched == 1)
    }

    @Test func severalFilesForOneImage() throws {
        // COCO may list an image twice; two YOLO files contradict each other.
        try files.text(coco(["a.jpg", "a.jpg"]), "c.json")
        #expect(try match("c.json", "a.jpg").found == [2])
        for name in ["x/a", "y/a"] { try files.text("0 .5 .5 .5 .5", "labels/\(name).txt") }
        let uncertain = try match("labels", "a.jpg")
        #expect(uncertain.found == [nil] && uncertain.unmatched == 1)
        let closer = try match("labels", "x/a.jpg")
        #expect(closer.found == [1] && closer.unmatched == 1)
    }
}
