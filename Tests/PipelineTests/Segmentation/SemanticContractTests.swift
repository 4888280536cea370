import Foundation
import Runtime
import Testing

@testable import Pipeline

/// Every export of DeepLab and PSPNet that is read, against Pillow's resizing, ONNX Runtime and NumPy.
@Suite struct SemanticContractTests {
    static let names = ["torchvision", "frozen", "slim", "panoptic", "semseg", "keras"]

    @Test(arguments: names) func labelsAgreeWithONNXRuntime(_ name: String) throws {
        let file = try SegmenterFixtures.model(name)
        let segmenter = try SemanticSegmenter(file.contract, try Session(file.model))
        let photo = try SegmenterFixtures.photo()
        let expected = try #require(SegmenterFixtures.references(name)["labels"]).array(of: Int32.self)
        let labels = try segmenter.labels(of: photo)
        var found = [Int32](repeating: -1, count: photo.width * photo.height)
        for label in labels.labels {
            labels.mask(label, width: photo.width, height: photo.height).forEachPixelIndex { found[$0] = Int32(label) }
        }
        #expect(found.count == expected.count)
        let equal = zip(found, expected).filter(==).count
        #expect(Double(equal) >= 0.999 * Double(expected.count), "\(expected.count - equal) pixels differ")
        #expect(Set(found) == Set(expected))
    }

    @Test func classNamesAndBackground() throws {
        let file = try SegmenterFixtures.model("keras")
        func labels(_ options: SemanticSegmenter.Options) throws -> Set<String?> {
            let segmenter = try SemanticSegmenter(file.contract, try Session(file.model), options: options)
            let candidates = try segmenter.candidates(in: try SegmenterFixtures.photo())
            #expect(candidates.allSatisfy { $0.segmenter == "pspnet" })
            return Set(candidates.map(\.label))
        }
        #expect(try labels(.init()) == ["bird", "leaf", "sky", "sun"])
        #expect(try labels(.init(includesBackground: true)) == ["background", "bird", "leaf", "sky", "sun"])
    }

    /// DeepLab2: the whole class, each instance of it, and their components.
    @Test func panopticCandidates() throws {
        let file = try SegmenterFixtures.model("panoptic")
        let segmenter = try SemanticSegmenter(
            file.contract, try Session(file.model), options: .init(minimumAreaFraction: 0))
        let photo = try SegmenterFixtures.photo()
        let ids = try #require(SegmenterFixtures.references("panoptic")["labels"]).array(of: Int32.self)
        func mask(_ isPart: @escaping (Int32) -> Bool) -> Mask {
            Mask(width: photo.width, height: photo.height) { x, y in isPart(ids[y * photo.width + x]) }
        }
        let leaves = try segmenter.candidates(in: photo).filter { $0.label == "leaf" }.map(\.mask)
        for expected in [mask { $0 / 256 == 2 }, mask { $0 == 513 }, mask { $0 == 514 }] {
            #expect(!expected.isEmpty)
            #expect((leaves.map { $0.intersectionOverUnion(expected) }.max() ?? 0) >= 0.99)
        }
    }
}
