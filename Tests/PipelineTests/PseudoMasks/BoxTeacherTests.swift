import Foundation
import Testing

@testable import Pipeline

@Suite struct BoxTeacherTests {
    private let teacher: BlobTeacher

    init() throws { teacher = try BlobTeacher() }

    private func image() throws -> RGBImage { try ImageFile.load(ImageFixtures.path("rgb8.png")).image }

    /// The same prompt straight to the predictor, with overlaps counted pixel by pixel.
    @Test func masksAndTheirQuality() throws {
        let image = try image()
        let (width, height) = (Double(image.width), Double(image.height))
        let boxes = [
            PixelBox(left: width * 0.2, top: height * 0.3, right: width * 0.7, bottom: height * 0.8),
            PixelBox(left: 0, top: 0, right: 3, bottom: 2),
        ]
        let masks = try BoxTeacher(teacher.sam).masks(in: image, boxes: boxes)
        var before = 0
        #expect(teacher.encodedImages(before: &before) == 1)
        let predictor = try teacher.sam.predictor(for: image)
        for (box, made) in zip(boxes, masks) {
            let expected = try predictor.mask(
                for: SAMPrompt(box: .init(x: box.left, y: box.top, width: box.width, height: box.height)))
            #expect(made.mask == expected.mask && !made.mask.isEmpty)
            #expect(made.predictedIoU == Double(expected.predictedIoU) && made.stability == expected.stability)
            var (shared, covered) = (0.0, 0.0)
            for y in 0..<image.height {
                for x in 0..<image.width {
                    let (centreX, centreY) = (Double(x) + 0.5, Double(y) + 0.5)
                    let isInside =
                        centreX >= box.left && centreX < box.right && centreY >= box.top && centreY < box.bottom
                    if isInside { covered += 1 }
                    if isInside, made.mask.contains(x: x, y: y) { shared += 1 }
                }
            }
            #expect(made.inside == shared / Double(made.mask.area) && made.coverage == shared / covered)
        }
        #expect(masks[1].flags.contains(.leavesBox))
    }

    @Test func thresholdsDecideWhatIsPoor() throws {
        let image = try image()
        let box = PixelBox(left: 4, top: 4, right: Double(image.width - 4), bottom: Double(image.height - 4))
        func flags(_ thresholds: BoxTeacher.Thresholds) throws -> [BoxTeacher.Flag] {
            try BoxTeacher(teacher.sam, thresholds: thresholds).masks(in: image, boxes: [box])[0].flags
        }
        #expect(try flags(.init(predictedIoU: 0, inside: 0, coverage: 0)) == [])
        #expect(try flags(.init(predictedIoU: 1, inside: 0, coverage: 0)) == [.lowPredictedIoU])
        #expect(try flags(.init(predictedIoU: 0, inside: 0, coverage: 1)) == [.coversLittle])
        #expect(try BoxTeacher(teacher.sam).masks(in: image, boxes: []).isEmpty)
    }
}
