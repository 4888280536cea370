import Foundation
import Testing

@testable import Pipeline

@Suite struct PseudoMaskDatasetTests {
    private let files: MiniatureDataset
    private let teacher: BlobTeacher

    init() throws {
        files = try MiniatureDataset()
        teacher = try BlobTeacher()
    }

    private func make(
        _ boxes: String, _ images: [String], dropsPoor: Bool = false, thresholds: BoxTeacher.Thresholds = .init()
    ) throws -> PseudoMaskReport {
        try files.text(boxes, "boxes.json")
        return try PseudoMaskDataset(
            folder: files.url.appending(path: "out"), teacher: BoxTeacher(teacher.sam, thresholds: thresholds),
            models: [.init(role: "sam-encoder", file: "blob", sha256: "0")], dropsPoor: dropsPoor
        ).make(
            try BoxAnnotations(files.url.appending(path: "boxes.json")), source: "boxes.json",
            images: images.map { files.url.appending(path: $0) })
    }

    private func coco(_ boxes: [(String, [Double])]) -> String {
        let images = boxes.enumerated().map { "{\"id\": \($0.offset), \"file_name\": \"\($0.element.0)\"}" }
        let annotations = boxes.enumerated().map { "{\"image_id\": \($0.offset), \"bbox\": \($0.element.1)}" }
        return
            "{\"images\": [\(images.joined(separator: ","))], \"annotations\": [\(annotations.joined(separator: ","))]}"
    }

    @Test func imagesAndMasksMakeADataset() throws {
        try files.images("in/one/a.png", "in/two/a.jpg", "in/b.tif", "in/none.jpg")
        try files.text("no image", "in/broken.jpg")
        let report = try make(
            coco([
                ("one/a.png", [2, 2, 10, 8]), ("one/a.png", [-5, 2, 9, 9]), ("one/a.png", [900, 2, 3, 3]),
                ("two/a.jpg", [4, 4, 12, 12]), ("b.tif", [1, 1, 10, 10]), ("broken.jpg", [1, 1, 10, 10]),
                ("gone.jpg", [1, 1, 10, 10]),
            ]), ["in/one/a.png", "in/two/a.jpg", "in/b.tif", "in/none.jpg", "in/broken.jpg", "in/missing.jpg"])
        #expect(report.images.map(\.status) == [.done, .done, .done, .noBoxes, .failed, .noBoxes])
        #expect(report.images.map(\.output) == ["Tp/a.png", "Tp/a-2.jpg", "Tp/b.tif", nil, nil, nil])
        #expect(report.boxesWithoutImages == ["gone.jpg: no such image was given"])
        #expect(report.images[0].boxes.map(\.problems) == [[], [.clipped], [.outside]])
        #expect(report.images[0].boxes.map(\.isUsed) == [true, true, false])

        let dataset = try Dataset(files.url.appending(path: "out"))
        #expect(dataset.summary == ["Tp/a-2.jpg Gt/a-2.png", "Tp/a.png Gt/a.png", "Tp/b.tif Gt/b.png"])
        let skipped: Set = ["report.json", "report.csv"]
        #expect(Set(dataset.skipped.map(\.file)) == skipped)
        #expect(
            try Data(contentsOf: dataset.samples[1].image)
                == Data(contentsOf: files.url.appending(path: "in/one/a.png")))
        // The mask is the union of the boxes' masks.
        let image = try ImageFile.load(dataset.samples[1].image).image
        let boxes = [PixelBox(left: 2, top: 2, right: 12, bottom: 10), PixelBox(left: 0, top: 2, right: 4, bottom: 11)]
        let masks = try BoxTeacher(teacher.sam).masks(in: image, boxes: boxes)
        let truth = try dataset.truth(of: dataset.samples[1], width: image.width, height: image.height)
        #expect(Mask(truth.mask) == masks[0].mask.union(masks[1].mask))
        #expect(truth.resizedFrom == nil)

        let rows = try DelimitedText.records(
            try String(contentsOf: files.url.appending(path: "out/report.csv"), encoding: .utf8), separator: ",",
            file: "report.csv")
        #expect(rows.count == 1 + 5 + 3 && rows.allSatisfy { $0.fields.count == 16 })
        let written = try JSONDecoder().decode(
            PseudoMaskReport.self, from: try Data(contentsOf: files.url.appending(path: "out/report.json")))
        #expect(written.images.count == 6)
    }

    @Test func whatIsFinishedIsNotDoneAgain() throws {
        try files.images("a.png", "b.jpg")
        let boxes = coco([("a.png", [2, 2, 10, 8]), ("b.jpg", [4, 4, 12, 12])])
        var before = 0
        let first = try make(boxes, ["a.png", "b.jpg"])
        #expect(teacher.encodedImages(before: &before) == 2)
        let again = try make(boxes, ["a.png", "b.jpg"])
        #expect(teacher.encodedImages(before: &before) == 0)
        #expect(again.table == first.table)
        // Another box, another option, a lost file: only what they touch.
        _ = try make(coco([("a.png", [2, 2, 10, 8]), ("b.jpg", [4, 4, 12, 13])]), ["a.png", "b.jpg"])
        #expect(teacher.encodedImages(before: &before) == 1)
        try FileManager.default.removeItem(at: files.url.appending(path: "out/Gt/a.png"))
        _ = try make(coco([("a.png", [2, 2, 10, 8]), ("b.jpg", [4, 4, 12, 13])]), ["a.png", "b.jpg"])
        #expect(teacher.encodedImages(before: &before) == 1)
        _ = try make(boxes, ["a.png", "b.jpg"], thresholds: .init(predictedIoU: 0.1))
        #expect(teacher.encodedImages(before: &before) == 2)
        // An image that is no longer part of it leaves the dataset.
        _ = try make(boxes, ["a.png"])
        #expect(try Dataset(files.url.appending(path: "out")).summary == ["Tp/a.png Gt/a.png"])
    }

    @Test func anInterruptedRunGoesOn() throws {
        try files.images("a.png", "b.jpg")
        let boxes = coco([("a.png", [2, 2, 10, 8]), ("b.jpg", [4, 4, 12, 12])])
        let report = try make(boxes, ["a.png", "b.jpg"])
        var before = 0
        _ = teacher.encodedImages(before: &before)
        // What a run leaves that was stopped while it wrote its second line.
        let line = try JSONEncoder().encode(report.images[0]) + Data("\n{\"image\": \"b".utf8)
        try line.write(to: files.url.appending(path: "out/report.jsonl"))
        try FileManager.default.removeItem(at: files.url.appending(path: "out/report.json"))
        _ = try make(boxes, ["a.png", "b.jpg"])
        #expect(teacher.encodedImages(before: &before) == 1)
        #expect(!FileManager.default.fileExists(atPath: files.url.appending(path: "out/report.jsonl").path))
    }

    @Test func poorMasksCanBeLeftOut() throws {
        try files.images("a.png")
        let boxes = coco([("a.png", [2, 2, 10, 8])])
        let report = try make(boxes, ["a.png"], dropsPoor: true, thresholds: .init(predictedIoU: 1))
        #expect(report.images[0].status == .noMask && report.images[0].poorBoxes.count == 1)
        #expect(!FileManager.default.fileExists(atPath: files.url.appending(path: "out/Gt/a.png").path))
    }

    /// A tool that turns photos before it shows them writes the turned size into its file.
    @Test func boxesOnTheTurnedPhoto() throws {
        let file = try ImageFile.load(ImageFixtures.path("turned.jpg"))
        let (width, height) = (file.image.width, file.image.height)
        #expect(file.orientation.swapsSides && width != height)
        for format in ["turned", "stored"] {
            let isTurned = format == "turned"
            try files.text(
                """
                {"images": [{"id": 1, "file_name": "t.jpg", "width": \(isTurned ? height : width),
                  "height": \(isTurned ? width : height)}],
                 "annotations": [{"image_id": 1, "bbox": [1, 2, 5, 3]}]}
                """, "\(format).json")
            let annotation = try BoxAnnotations(files.url.appending(path: "\(format).json")).images[0]
            let edges = annotation.storedEdges(of: annotation.boxes[0], file)
            let box = BoundingBox(
                x: Int(edges.left), y: Int(edges.top), width: Int(edges.width), height: Int(edges.height))
            let shown = isTurned ? box.oriented(file.orientation, storedWidth: width, storedHeight: height) : box
            #expect(shown == BoundingBox(x: 1, y: 2, width: 5, height: 3))
        }
    }
}
