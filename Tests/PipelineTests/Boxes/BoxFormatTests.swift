import Foundation
import Testing

@testable import Pipeline

@Suite struct BoxFormatTests {
    private let files: MiniatureDataset

    init() throws { files = try MiniatureDataset() }

    private func read(_ name: String, _ format: BoxAnnotations.Format? = nil) throws -> BoxAnnotations {
        try BoxAnnotations(files.url.appending(path: name), format: format)
    }

    private let coco = """
        {"images": [{"id": 7, "file_name": "in/a.jpg", "width": 640, "height": 427}, {"id": "b", "file_name": "b.jpg"}],
         "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 20, 30, 41]},
                         {"id": 2, "image_id": 7, "category_id": 4, "bbox": [639, 0, 1, 427], "iscrowd": 0}],
         "categories": [{"id": 3, "name": "pasted"}]}
        """

    private let voc = """
        <annotation><folder>in</folder><filename>a.jpg</filename><size><width>640</width><height>427</height></size>
          <object><name>pasted</name><bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>61</ymax></bndbox></object>
          <object><name>4</name><part><bndbox><xmin>1</xmin></bndbox></part>
            <bndbox><xmin>640</xmin><ymin>1</ymin><xmax>640</xmax><ymax>427</ymax></bndbox></object>
        </annotation>
        """

    private let labelMe = """
        {"version": "5", "imagePath": "..\\\\in\\\\a.jpg", "imageWidth": 640, "imageHeight": 427, "imageData": null, "shapes": [
          {"label": "pasted", "shape_type": "rectangle", "points": [[10, 20], [40, 61]]},
          {"label": "4", "shape_type": "rectangle", "points": [[640, 427], [639, 0]]}]}
        """

    private let yolo = "0 0.0390625 0.094848 0.046875 0.096019\n4 0.999219 0.5 0.0015625 1\n"

    private let expected = [
        PixelBox(left: 10, top: 20, right: 40, bottom: 61), PixelBox(left: 639, top: 0, right: 640, bottom: 427),
    ]

    @Test func allFormatsGiveTheSameEdges() throws {
        try files.text(coco, "coco/boxes.json")
        try files.text(voc, "voc/a.xml")
        try files.text(labelMe, "labelme/a.json")
        try files.text(yolo, "yolo/a.txt")
        try files.text("pasted\nother\n", "yolo/classes.txt")
        for format in BoxAnnotations.Format.allCases {
            let annotations = try read(format.rawValue)
            #expect(annotations.format == format && annotations.problems.isEmpty)
            let image = annotations.images[0]
            #expect(image.boxes.map { $0.edges(width: 640, height: 427) } == expected, "\(format)")
            #expect(image.boxes.map(\.label) == ["pasted", "4"], "\(format)")
            #expect(image.remarks.isEmpty)
            #expect(image.path.last == (format == .yolo ? "a" : "a.jpg"))
            if format != .yolo { #expect(image.width == 640 && image.height == 427) }
        }
        #expect(try read("coco").images.count == 2)
        #expect(try read("voc/a.xml").images.count == 1)
    }

    /// Boxes of whole pixels survive being written with six decimals, as most tools do, whatever the image's size.
    @Test func decimalsOfSharesLoseNothing() throws {
        var generator = SystemRandomNumberGenerator()
        for (width, height) in [(384, 256), (640, 427), (4000, 3000), (12_289, 8193)] {
            for decimals in [6, 7, 17] {
                let left = Int.random(in: 0..<width, using: &generator)
                let right = Int.random(in: left + 1...width, using: &generator)
                let top = Int.random(in: 0..<height, using: &generator)
                let bottom = Int.random(in: top + 1...height, using: &generator)
                let numbers = [
                    Double(left + right) / 2 / Double(width), Double(top + bottom) / 2 / Double(height),
                    Double(right - left) / Double(width), Double(bottom - top) / Double(height),
                ]
                let line = numbers.map { String(format: "%.\(decimals)f", $0) }.joined(separator: " ")
                try files.text("0 \(line)\n", "x.txt")
                let edges = try read("x.txt").images[0].boxes[0].edges(width: width, height: height)
                let box = PixelBox(
                    left: Double(left), top: Double(top), right: Double(right), bottom: Double(bottom))
                #expect(edges == box, "\(line) of \(width) × \(height)")
            }
        }
        func edges(_ line: String, width: Int) throws -> PixelBox {
            try files.text(line, "x.txt")
            return try read("x.txt").images[0].boxes[0].edges(width: width, height: 1000)
        }
        #expect(try edges("0 0.287760 0.5 0.575521 1", width: 384).left.sign == .plus)
        // Too few decimals for whole pixels, and boxes between pixels, stay as they are.
        #expect(abs(try edges("0 0.5003 0.5 0.1005 1", width: 10_000).left - 4500.5) < 1e-6)
        #expect(abs(try edges("0 0.50005 0.5 0.10001 1", width: 100_000).left - 45_004.5) < 1e-6)
        #expect(abs(try edges("0 0.5 0.5 0.123 1", width: 500).left - 219.25) < 1e-9)
        #expect(abs(try edges("0 0.5 0.5 0.123456 1", width: 1000).left - 438.272) < 1e-9)
    }

    @Test func oddBoxesSpoilNothingElse() throws {
        try files.text(
            """
            {"images": [{"id": 1, "file_name": "a.jpg"}, {"file_name": "x.jpg"}, {"id": 1, "file_name": "again.jpg"}],
             "annotations": [{"image_id": 1, "bbox": [NaN, 1, 2, 3]}, {"image_id": 1, "bbox": [1, 2, 3]},
               {"image_id": 1, "bbox": [1, 2, "3", 4]}, {"image_id": 9, "bbox": [1, 2, 3, 4]}, 5, {"image_id": 1},
               {"image_id": 1, "bbox": [5, 5, 2, 2]}]}
            """, "coco.json")
        let coco = try read("coco.json")
        #expect(coco.images.count == 1 && coco.images[0].boxes.count == 3 && coco.images[0].remarks.count == 2)
        #expect(coco.problems.count == 4)
        let edges = coco.images[0].boxes.map { $0.edges(width: 9, height: 9).fitted(width: 9, height: 9) }
        #expect(edges.map(\.problems) == [[.notANumber], [.notANumber], []])

        try files.text("0 0.5 0.5 0.2\n\n1 0.5 x 0.1 0.1\n2 .5 .5 .5 .5 .9\r\n0 .1 .1 .2 .2 .3 .3\n", "y/a.txt")
        try files.text("", "y/none.txt")
        let yolo = try read("y")
        #expect(yolo.images.map(\.boxes.count) == [2, 0] && yolo.images[0].remarks.count == 2)
        #expect(yolo.images[0].boxes.map(\.place) == ["a.txt#3", "a.txt#4"])

        try files.text(
            """
            {"shapes": [{"shape_type": "polygon", "points": []}, {"shape_type": "rectangle", "points": [[1, 2]]},
              {"shape_type": "rectangle", "points": [[NaN, 2], [3, 4]]}, 3]}
            """, "l.json")
        let labelMe = try read("l.json")
        #expect(labelMe.images[0].path == ["l"] && labelMe.images[0].isStem && labelMe.images[0].remarks.count == 3)
        #expect(
            labelMe.images[0].boxes[0].edges(width: 9, height: 9).fitted(width: 9, height: 9).problems == [.notANumber])

        try files.text(
            """
            <annotation><object><name>x</name></object><object><bndbox><xmin>9</xmin><ymin>x</ymin><xmax>2</xmax>\
            <ymax>3</ymax></bndbox></object><object><bndbox><xmin>40</xmin><ymin>61</ymin><xmax>11</xmax><ymax>21</ymax>\
            </bndbox></object></annotation>
            """, "v.xml")
        let voc = try read("v.xml")
        #expect(voc.images[0].boxes.count == 2 && voc.images[0].remarks.count == 1)
        // Corners in the other order name the same pixels.
        #expect(voc.images[0].boxes[1].edges(width: 1, height: 1).fitted(width: 100, height: 100).box == expected[0])
    }

    @Test func dangerousXMLIsRefused() throws {
        let bomb = """
            <?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
            <annotation><filename>&b;</filename></annotation>
            """
        let outside = """
            <!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>
            """
        let deep = String(repeating: "<annotation>", count: 100_000)
        for text in [bomb, outside, deep, "<annotation>", "<other/>", "", "<annotation>&undefined;</annotation>"] {
            try files.text(text, "x.xml")
            #expect(throws: BoxAnnotationError.self) { try read("x.xml") }
        }
        try voc.data(using: .utf16).unwrapped().write(to: files.place("x.xml"))
        #expect(throws: BoxAnnotationError.self) { try read("x.xml") }
    }

    @Test func oneBadFileAmongMany() throws {
        try files.text(voc, "voc/a.xml")
        try files.text("<annotation>", "voc/b.xml")
        let annotations = try read("voc")
        #expect(annotations.images.count == 1 && annotations.problems.count == 1)
        #expect(annotations.problems.first?.contains("b.xml") == true)
    }

    @Test func formatsAreToldApart() throws {
        try files.images("p/a.jpg")
        try files.text("hello world", "p/readme.txt")
        try files.text("{}", "p/settings.json")
        let unknown = try #require(throws: BoxAnnotationError.self) { try read("p") }
        #expect(unknown.description.contains("--format"))
        try files.text(yolo, "p/a.txt")
        #expect(try read("p").format == .yolo)
        try files.text(voc, "p/a.xml")
        #expect(throws: BoxAnnotationError.ambiguous(files.url.appending(path: "p").path, [.voc, .yolo])) {
            try read("p")
        }
        #expect(try read("p", .voc).images[0].boxes.count == 2)
        #expect(throws: BoxAnnotationError.notFound(files.url.appending(path: "gone").path)) { try read("gone") }
        #expect(throws: BoxAnnotationError.self) { try read("p", .coco) }
        for text in ["{", "[]", "{\"images\": 3, \"annotations\": []}", "{\"images\": [], \"annotations\": []}"] {
            try files.text(text, "bad.json")
            #expect(throws: BoxAnnotationError.self) { try read("bad.json", .coco) }
        }
    }
}
