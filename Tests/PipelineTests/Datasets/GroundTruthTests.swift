import Foundation
import Testing

@testable import Pipeline

@Suite struct GroundTruthTests {
    private let files: MiniatureDataset

    init() throws { files = try MiniatureDataset() }

    private func truth(
        _ rule: Dataset.MaskRule, _ mask: String, width: Int, height: Int
    ) throws -> GroundTruth {
        if !FileManager.default.fileExists(atPath: files.folder.path("masks")) {
            try files.images("images/anything.jpg")
            try files.masks("masks/anything.png")
        }
        let dataset = try Dataset(files.url)
        let sample = Dataset.Sample(
            name: "x", image: files.url, truth: .mask(files.url.appending(path: mask), rule))
        return try dataset.truth(of: sample, width: width, height: height)
    }

    @Test(arguments: [
        (Dataset.MaskRule.above(127), [false, false, false, true, true]),
        (.above(0), [false, true, true, true, true]), (.above(10), [false, false, true, true, true]),
        (.blackIsTampered, [true, true, true, false, false]),
        (.greenAbove(120), [false, false, true, true, true]),
    ])
    func thresholds(_ rule: Dataset.MaskRule, _ expected: [Bool]) throws {
        try files.grey([0, 1, 127, 128, 255], width: 5, "m.png")
        let truth = try truth(rule, "m.png", width: 5, height: 1)
        #expect(truth.mask.values == expected && truth.resizedFrom == nil && truth.warnings.isEmpty)
    }

    /// Columbia's edge masks: red where the image is its own, green where it is another's, compressed by JPEG.
    @Test func greenOfAJPEG() throws {
        try FileManager.default.copyItem(atPath: ImageFixtures.path("444.jpg"), toPath: files.folder.path("m.jpg"))
        let image = try ImageFile.load(files.folder.path("m.jpg")).image
        let truth = try truth(.greenAbove(120), "m.jpg", width: image.width, height: image.height)
        let greens = stride(from: 1, to: image.pixels.count, by: 3).map { image.pixels[$0] > 120 }
        #expect(truth.mask.values == greens && greens.contains(true) && greens.contains(false))
    }

    /// Pillow's grey of the same colors.
    @Test func greyOfColors() throws {
        let colors: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 130, 126, 128]
        try PNGWriter.write(try RGBImage(width: 5, height: 1, pixels: colors), to: files.folder.path("m.png"))
        for (limit, expected) in [
            (75, [true, true, false, true, true]), (76, [false, true, false, true, true]),
            (28, [true, true, true, true, true]), (29, [true, true, false, true, true]),
            (127, [false, true, false, true, false]),
        ] as [(UInt8, [Bool])] {
            let read = try ImageFile.load(files.folder.path("m.png")).image
            #expect(Dataset.MaskRule.above(limit).mask(of: read).values == expected, "\(limit)")
        }
    }

    @Test func anotherSizeIsResizedAndReported() throws {
        try files.masks("m.png")
        let truth = try truth(.above(127), "m.png", width: 8, height: 3)
        #expect(
            truth.mask.values
                == Array(repeating: [true, true, true, true, false, false, false, false], count: 3).flatMap { $0 })
        let size = try #require(truth.resizedFrom)
        #expect(size.width == 4 && size.height == 2)
    }

    @Test func authenticImagesHaveEmptyMasks() throws {
        try files.images("Tp/a.jpg", "Au/b.jpg")
        try files.masks("Gt/a.png")
        let dataset = try Dataset(files.url)
        let truth = try dataset.truth(of: dataset.samples[0], width: 7, height: 5)
        #expect(dataset.samples[0].truth == .authentic)
        #expect(truth.mask.width == 7 && truth.mask.height == 5 && !truth.mask.values.contains(true))
        #expect(throws: RasterError.self) { try dataset.truth(of: dataset.samples[0], width: 0, height: 5) }
    }

    @Test func masksOfZerosAndOnesAreNoticed() throws {
        try files.grey([0, 1, 1, 0], width: 2, "m.png")
        let truth = try truth(.above(127), "m.png", width: 2, height: 2)
        #expect(!truth.mask.values.contains(true) && truth.warnings.count == 1)
    }

    @Test func brokenMasksAreErrors() throws {
        try files.text("text", "m.png")
        #expect(throws: ImageError.self) { try truth(.above(127), "m.png", width: 2, height: 2) }
        #expect(throws: ImageError.self) { try truth(.above(127), "gone.png", width: 2, height: 2) }
    }
}
