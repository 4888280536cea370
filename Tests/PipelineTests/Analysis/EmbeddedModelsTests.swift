import Foundation
import ONNXLoader
import Testing

@testable import Pipeline

/// The models that come with the product, together, on a splice whose mask is known.
@Suite struct EmbeddedModelsTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let models = root.appending(path: "models")

    @Test func eachRoleHasItsModel() throws {
        let opener = ModelOpener(folder: Self.models)
        for role in [ModelRole.classifier, .deeplab, .pspnet, .samEncoder, .samDecoder] {
            let file = try opener.file(for: role)
            #expect(file.model.metadata["training.data"]?.isEmpty == false, "\(file.url.lastPathComponent)")
            #expect(file.model.metadata["licence"]?.isEmpty == false, "\(file.url.lastPathComponent)")
        }
        let sizes = try FileManager.default.contentsOfDirectory(
            at: Self.models, includingPropertiesForKeys: [.fileSizeKey]
        )
        .map { try $0.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0 }
        #expect(sizes.reduce(0, +) <= 40_000_000)
    }

    /// The region that agrees best with the heat is what was pasted.
    @Test(arguments: SegmenterSelection.Kind.allCases)
    func theSamplesSpliceIsFound(_ kind: SegmenterSelection.Kind) throws {
        let set = try ModelSet(folder: Self.models, segmentation: SegmenterSelection([kind]))
        let analyzer = Analyzer(classifiers: set.classifiers, segmenter: set.segmenter, networks: set.networks)
        let analysis = try analyzer.analyze(Self.root.appending(path: "samples/alpine-duck.jpg").path)
        #expect(analysis.isManipulated)
        let picture = try ImageFile.load(Self.root.appending(path: "samples/alpine-duck.mask.png").path).image
        let truth = Mask(width: picture.width, height: picture.height) { x, y in
            picture.pixels[3 * (y * picture.width + x)] > 127
        }
        let best = try #require(analysis.regions.first).candidate.mask
        #expect(best.intersectionOverUnion(truth) >= 0.6)
    }
}
