import Foundation
import Runtime
import Synchronization
import Testing

@testable import Pipeline

/// Automatic mask generation on a network that draws blobs, against the published generator on the same network.
@Suite struct SAMGenerationTests {
    struct Case: Decodable {
        struct Options: Decodable {
            let pointsPerSide: Int
            let cropLayers: Int?
            let cropPointsDivisor: Int?
            let minimumRegionArea: Int?

            /// The published generator's arguments.
            enum CodingKeys: String, CodingKey {
                case pointsPerSide = "points_per_side"
                case cropLayers = "crop_n_layers"
                case cropPointsDivisor = "crop_n_points_downscale_factor"
                case minimumRegionArea = "min_mask_region_area"
            }
        }

        struct Expected: Decodable {
            /// Lengths of runs of 0 and 1 in turn, column by column.
            let counts: [Int]
            let area: Int
            let quality: Double
            let stability: Double
        }
        let options: Options
        let masks: [Expected]
    }

    static func mask(_ counts: [Int], width: Int, height: Int) -> Mask {
        var pixels = [Bool](repeating: false, count: width * height)
        var place = 0
        for (index, count) in counts.enumerated() {
            for i in place..<place + count where index % 2 == 1 { pixels[i % height * width + i / height] = true }
            place += count
        }
        return Mask(width: width, height: height) { x, y in pixels[y * width + x] }
    }

    @Test(arguments: 0..<3) func equalsThePublishedGenerator(_ index: Int) throws {
        let data = try Data(contentsOf: SegmenterFixtures.folder.appendingPathComponent("blobs.json"))
        let test = try JSONDecoder().decode([Case].self, from: data)[index]
        let sam = try SegmenterFixtures.sam("blob_encoder", "blob_decoder")
        let photo = try SegmenterFixtures.photo()
        let segmenter = SAMSegmenter(
            sam.encoder, sam.decoder,
            options: .init(
                pointsPerSide: test.options.pointsPerSide, cropLayers: test.options.cropLayers ?? 0,
                cropPointsDivisor: test.options.cropPointsDivisor ?? 1,
                minimumRegionArea: test.options.minimumRegionArea ?? 0))
        var rest = try segmenter.candidates(in: photo)
        #expect(rest.count == test.masks.count && rest.count >= 30)
        for expected in test.masks {
            let mask = Self.mask(expected.counts, width: photo.width, height: photo.height)
            #expect(mask.area == expected.area)
            let overlaps = rest.map { $0.mask.intersectionOverUnion(mask) }
            let best = try #require(overlaps.indices.max { overlaps[$0] < overlaps[$1] })
            #expect(overlaps[best] >= 0.99)
            #expect(abs(Double(rest[best].score ?? 0) - expected.quality) < 1e-4)
            #expect(abs((rest[best].stability ?? 0) - expected.stability) < 5e-3)
            rest.remove(at: best)
        }
    }

    /// With one thread the decoder is never asked twice at once, and the masks are the same.
    @Test func threadsAreBounded() throws {
        let sam = try SegmenterFixtures.sam("blob_encoder", "blob_decoder")
        let file = try SegmenterFixtures.model("blob_decoder")
        let session = try Session(file.model, options: .init(threads: 1))
        let running = Mutex<(now: Int, most: Int)>((0, 0))
        let decoder = SAMDecoder(
            sam.decoder.contract,
            FakeNetwork { inputs in
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                defer { running.withLock { $0.now -= 1 } }
                return try session.run(inputs, outputs: ["iou_predictions", "low_res_masks"])
            })
        let photo = try SegmenterFixtures.photo()
        let one = SAMSegmenter(sam.encoder, decoder, options: .init(pointsPerSide: 6, threads: 1))
        let masks = try one.candidates(in: photo)
        #expect(running.withLock { $0.most } == 1)
        let several = SAMSegmenter(sam.encoder, sam.decoder, options: .init(pointsPerSide: 6, threads: 3))
        #expect(try several.candidates(in: photo) == masks)
    }

    @Test func promptsInsteadOfTheGrid() throws {
        let sam = try SegmenterFixtures.sam("blob_encoder", "blob_decoder")
        let photo = try SegmenterFixtures.photo()
        let prompts = [
            SAMPrompt(points: [.init(x: 40, y: 30)]), SAMPrompt(box: .init(x: 80, y: 40, width: 40, height: 30)),
        ]
        let shares = Mutex<[Double]>([])
        let candidates = try PromptedSegmenter(sam, prompts: prompts).candidates(in: photo) { share in
            shares.withLock { $0.append(share) }
        }
        // Three for the point that may mean several things, one for the box.
        #expect(candidates.count == 4 && candidates.allSatisfy { $0.segmenter == "sam" && $0.score != nil })
        #expect(candidates[0..<3].allSatisfy { $0.mask.contains(x: 40, y: 30) || $0.mask.area > 0 })
        #expect(candidates[3].mask.contains(x: 100, y: 55))
        #expect(shares.withLock { $0.max() } == 1)

        // The same place of a photo that is turned to be looked at.
        let turned = try PromptedSegmenter(
            sam, prompts: [SAMPrompt(box: .init(x: 100 - 40 - 30, y: 80, width: 30, height: 40))]
        ).candidates(in: photo, orientation: .right) { _ in }
        #expect(turned.map(\.mask) == [candidates[3].mask])

        let outside = PromptedSegmenter(sam, prompts: [SAMPrompt(points: [.init(x: 150, y: 5)])])
        #expect(throws: SAMPromptError.self) { try outside.candidates(in: photo) }
    }

    @Test func severalSegmentersCompete() throws {
        let sam = try SegmenterFixtures.sam("blob_encoder", "blob_decoder")
        let file = try SegmenterFixtures.model("torchvision")
        let deeplab = try SemanticSegmenter(file.contract, try Session(file.model))
        let generator = SAMSegmenter(sam.encoder, sam.decoder, options: .init(pointsPerSide: 4))
        let both = CombinedSegmenter([deeplab, generator])
        #expect(both.name == "deeplab,sam")
        let photo = try SegmenterFixtures.photo()
        let shares = Mutex<[Double]>([])
        let candidates = try both.candidates(in: photo) { share in shares.withLock { $0.append(share) } }
        #expect(candidates == (try deeplab.candidates(in: photo)) + (try generator.candidates(in: photo)))
        #expect(Set(candidates.map(\.segmenter)) == ["deeplab", "sam"])
        #expect(shares.withLock { $0.max() } == 1 && shares.withLock { $0 }.contains(0.5))
    }
}
