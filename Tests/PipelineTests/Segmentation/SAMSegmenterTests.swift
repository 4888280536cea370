import ONNXLoader
import Runtime
import Synchronization
import Testing

@testable import Pipeline

/// A decoder that draws discs, as `prediction` of Tests/Fixtures/method.py does: the reference masks there were made by the
/// published generator with the same discs.
enum DiscDecoder {
    private static let drawn = Mutex<[String: (logits: [[Float]], qualities: [Float])]>([:])

    static func prediction(x: Double, y: Double) -> (logits: [[Float]], qualities: [Float]) {
        let centreX = (x / 180).rounded(.down) * 180 + 90
        let centreY = (y / 180).rounded(.down) * 180 + 90
        return drawn.withLock { drawn in
            let name = "\(centreX) \(centreY)"
            if let prediction = drawn[name] { return prediction }
            let prediction = draw(centreX, centreY)
            drawn[name] = prediction
            return prediction
        }
    }

    private static func draw(_ centreX: Double, _ centreY: Double) -> (logits: [[Float]], qualities: [Float]) {
        let cell = ((centreX + centreY) / 180).truncatingRemainder(dividingBy: 7)
        let distances = (0..<256 * 256).map { index -> Double in
            let dx = (Double(index % 256) + 0.5) * 4 - centreX
            let dy = (Double(index / 256) + 0.5) * 4 - centreY
            return (dx * dx + dy * dy).squareRoot()
        }
        let masks = (0..<4).map { token -> [Float] in
            let radius = Double(20 + 37 * token)
            let steepness = 0.4 + 0.25 * Double(token) + cell.truncatingRemainder(dividingBy: 3) * 0.15
            return distances.map { Float((radius - $0) / steepness) }
        }
        return (masks, (0..<4).map { Float(0.80 + 0.06 * Double($0) + 0.004 * cell) })
    }

    /// Checks what it is fed, counts its calls.
    static func official(_ calls: Counter, imageWidth: Int, imageHeight: Int) -> FakeNetwork {
        FakeNetwork { inputs in
            _ = calls.increment()
            let points = try #require(inputs["point_coords"])
            let coordinates = try points.array(of: Float.self)
            #expect(points.shape == [1, 2, 2] && coordinates[2] == 0 && coordinates[3] == 0)
            #expect(try #require(inputs["point_labels"]).array(of: Float.self) == [1, -1])
            #expect(try #require(inputs["has_mask_input"]).array(of: Float.self) == [0])
            #expect(inputs["mask_input"]?.shape == [1, 1, 256, 256])
            #expect(inputs["image_embeddings"]?.shape == [1, 256, 64, 64])
            if imageWidth > 0 {
                #expect(
                    try #require(inputs["orig_im_size"]).array(of: Float.self) == [
                        Float(imageHeight), Float(imageWidth),
                    ])
            }
            let (logits, qualities) = prediction(x: Double(coordinates[0]), y: Double(coordinates[1]))
            return [
                "low_res_masks": try Tensor(logits.flatMap { $0 }, shape: [1, 4, 256, 256]),
                "iou_predictions": try Tensor(qualities, shape: [1, 4]),
            ]
        }
    }

    static func huggingFace(_ calls: Counter) -> FakeNetwork {
        FakeNetwork { inputs in
            _ = calls.increment()
            let points = try #require(inputs["input_points"])
            #expect(
                try #require(inputs["input_labels"]).array(of: Int64.self)
                    == [Int64](repeating: 1, count: points.shape[1]))
            #expect(inputs["image_positional_embeddings"] != nil)
            let coordinates = try points.array(of: Float.self)
            let predictions = (0..<points.shape[1]).map {
                prediction(x: Double(coordinates[2 * $0]), y: Double(coordinates[2 * $0 + 1]))
            }
            return [
                "pred_masks": try Tensor(
                    predictions.flatMap { $0.logits.dropFirst().flatMap { $0 } },
                    shape: [1, predictions.count, 3, 256, 256]),
                "iou_scores": try Tensor(
                    predictions.flatMap { $0.qualities.dropFirst() }, shape: [1, predictions.count, 3]),
            ]
        }
    }
}

@Suite struct SAMSegmenterTests {
    private static func encoder(_ calls: Counter, _ model: Model = TestModel.samEncoder) throws -> SAMEncoder {
        let contract = try SAMEncoderContract(ModelSignature(model.graph))
        return SAMEncoder(
            contract,
            FakeNetwork { inputs in
                _ = calls.increment()
                #expect(inputs[contract.input.name]?.shape == [1, 3, contract.frameSide, contract.frameSide])
                let embeddings = try Tensor([Float](repeating: 0, count: 256 * 64 * 64), shape: [1, 256, 64, 64])
                return ["image_embeddings": embeddings, "image_positional_embeddings": embeddings]
            })
    }

    /// For tests in which coordinates do not matter.
    private static let smallEncoder = TestModel.model(
        [TestGraph.value("image", [1, 3, 64, 64])], [TestGraph.value("image_embeddings", [1, 256, 4, 4])])

    private static func image(_ width: Int, _ height: Int) throws -> RGBImage {
        try RGBImage(width: width, height: height, pixels: [UInt8](repeating: 128, count: 3 * width * height))
    }

    private static func decoder(_ model: Model, _ network: FakeNetwork) throws -> SAMDecoder {
        SAMDecoder(try SAMDecoderContract(ModelSignature(model.graph)), network)
    }

    /// Boxes, areas, qualities, stabilities and order against the published generator.
    private static func expect(_ masks: [SAMSegmenter.GeneratedMask], _ test: MethodFixtures.Generation) {
        #expect(masks.count == test.masks.count)
        for (mask, expected) in zip(masks, test.masks) {
            // A pixel whose logit is next to nothing may fall on either side of 0.
            let box = mask.mask.boundingBox
            let ours = [box.x, box.y, box.width - 1, box.height - 1]
            #expect(zip(ours, expected.bbox).allSatisfy { abs($0 - $1) <= 1 }, "\(ours) is not \(expected.bbox)")
            #expect(abs(mask.mask.area - expected.area) <= 2)
            #expect(abs(Double(mask.quality) - expected.quality) < 1e-6)
            #expect(abs(mask.stability - expected.stability) < 1e-3)
        }
    }

    @Test(arguments: 0..<3) func equalsThePublishedGenerator(_ index: Int) throws {
        let test = try MethodFixtures.load().generation[index]
        let encodings = Counter()
        let prompts = Counter()
        let layers = test.options.cropLayers ?? 0
        let segmenter = SAMSegmenter(
            try Self.encoder(encodings),
            try Self.decoder(
                TestModel.samDecoder,
                DiscDecoder.official(prompts, imageWidth: layers == 0 ? test.width : 0, imageHeight: test.height)),
            options: .init(
                pointsPerSide: test.options.pointsPerSide, cropLayers: layers,
                cropPointsDivisor: test.options.cropPointsDivisor ?? 1))
        let shares = Mutex<[Double]>([])
        let masks = try segmenter.masks(in: try Self.image(test.width, test.height)) { share in
            shares.withLock { $0.append(share) }
        }
        Self.expect(masks, test)
        // Once for the whole and once for each of four crops, and no point twice.
        let side = test.options.pointsPerSide
        #expect(encodings.increment() == (layers == 0 ? 2 : 6))
        #expect(prompts.increment() == side * side + (layers == 0 ? 0 : 4 * (side / 2) * (side / 2)) + 1)
        #expect(shares.withLock { $0.max() } == 1)
    }

    @Test func huggingFacePairsGiveTheSame() throws {
        let test = try MethodFixtures.load().generation[0]
        let calls = Counter()
        let segmenter = SAMSegmenter(
            try Self.encoder(Counter(), TestModel.huggingFaceEncoder),
            try Self.decoder(TestModel.huggingFaceDecoder, DiscDecoder.huggingFace(calls)),
            options: .init(pointsPerSide: 7))
        Self.expect(try segmenter.masks(in: try Self.image(test.width, test.height)) { _ in }, test)
        // 49 prompts, 16 at a time.
        #expect(calls.increment() == 5)
        // A file that takes five prompts a call gets five in its last call too.
        var fixed = TestModel.huggingFaceDecoder
        fixed.graph.inputs[0] = TestGraph.value("input_points", [1, 5, nil, 2])
        let five = SAMSegmenter(
            try Self.encoder(Counter(), TestModel.huggingFaceEncoder),
            try Self.decoder(fixed, DiscDecoder.huggingFace(Counter())), options: .init(pointsPerSide: 7))
        Self.expect(try five.masks(in: try Self.image(test.width, test.height)) { _ in }, test)
    }

    @Test func candidatesCarryTheQuality() throws {
        let segmenter = SAMSegmenter(
            try Self.encoder(Counter()),
            try Self.decoder(TestModel.samDecoder, DiscDecoder.official(Counter(), imageWidth: 0, imageHeight: 0)),
            options: .init(pointsPerSide: 4))
        let candidates = try segmenter.candidates(in: try Self.image(100, 100))
        #expect(!candidates.isEmpty && candidates.allSatisfy { ($0.score ?? 0) > 0.88 && $0.label == nil })
        #expect(candidates.map { $0.score ?? 0 } == candidates.map { $0.score ?? 0 }.sorted(by: >))
        #expect(segmenter.name == "sam")
    }

    @Test(arguments: [(1, 1), (4000, 3), (2, 900)]) func oddImagesDoNoHarm(_ width: Int, _ height: Int) throws {
        let segmenter = SAMSegmenter(
            try Self.encoder(Counter()),
            try Self.decoder(
                TestModel.samDecoder, DiscDecoder.official(Counter(), imageWidth: width, imageHeight: height)),
            options: .init(pointsPerSide: 2))
        for candidate in try segmenter.candidates(in: try Self.image(width, height)) {
            #expect(candidate.mask.width == width && candidate.mask.height == height && !candidate.mask.isEmpty)
        }
    }

    @Test func outputsThatAreNoMasksAreRefused() throws {
        func segmenter(_ masks: [Int], _ qualities: [Int]) throws -> SAMSegmenter {
            let network = FakeNetwork { _ in
                [
                    "low_res_masks": try Tensor([Float](repeating: 0, count: masks.reduce(1, *)), shape: masks),
                    "iou_predictions": try Tensor(
                        [Float](repeating: 1, count: qualities.reduce(1, *)), shape: qualities),
                ]
            }
            return SAMSegmenter(
                try Self.encoder(Counter(), Self.smallEncoder), try Self.decoder(TestModel.samDecoder, network),
                options: .init(pointsPerSide: 1))
        }
        for (masks, qualities) in [
            ([1, 4, 8], [1, 4]), ([1, 4, 8, 0], [1, 4]), ([1, 4, 8, 8], [1, 3]), ([2, 4, 8, 8], [1, 4]),
        ] {
            #expect(throws: InferenceError.self) {
                try segmenter(masks, qualities).candidates(in: try Self.image(9, 9))
            }
        }
        // Masks without a pixel, and qualities that are not numbers, are dropped.
        #expect(try segmenter([1, 4, 8, 8], [1, 4]).candidates(in: try Self.image(9, 9)).isEmpty)
        let silent = SAMSegmenter(
            try Self.encoder(Counter(), Self.smallEncoder),
            try Self.decoder(TestModel.samDecoder, FakeNetwork { _ in [:] }),
            options: .init(pointsPerSide: 1))
        #expect(throws: InferenceError.missingOutput("iou_predictions")) {
            try silent.candidates(in: try Self.image(9, 9))
        }
    }

    @Test func encodersGetTheImageNormalisedAndPadded() throws {
        let contract = try SAMEncoderContract(ModelSignature(TestModel.samEncoder.graph))
        let encoder = SAMEncoder(
            contract,
            FakeNetwork { inputs in
                let values = try #require(inputs["image"]).array(of: Float.self)
                // 200 x 100 becomes 1024 x 512.
                #expect(abs(values[0] - (200 - 123.675) / 58.395) < 1e-4)
                #expect(abs(values[1024 * 1024] - (100 - 116.28) / 57.12) < 1e-4)
                #expect(abs(values[2 * 1024 * 1024 + 511 * 1024 + 1023] - (50 - 103.53) / 57.375) < 1e-4)
                #expect(values[512 * 1024..<1024 * 1024].allSatisfy { $0 == 0 })
                return ["image_embeddings": try Tensor([Float(0)], shape: [1, 1, 1, 1])]
            })
        let pixels = (0..<20000).flatMap { _ -> [UInt8] in [200, 100, 50] }
        let embedding = try encoder.encode(try RGBImage(width: 200, height: 100, pixels: pixels))
        let point = embedding.frame.point(x: 100, y: 25)
        #expect(point.x == 512 && point.y == 128)
    }

    @Test func encodersThatNormaliseThemselvesGetBytes() throws {
        for (shape, expected) in [([nil, nil, 3], [512, 1024, 3]), ([684, 1024, 3], [684, 1024, 3])]
            as [([Int?], [Int])]
        {
            let model = TestModel.model(
                [TestGraph.value("input_image", shape)], [TestGraph.value("image_embeddings", [1, 256, 64, 64])])
            let encoder = SAMEncoder(
                try SAMEncoderContract(ModelSignature(model.graph)),
                FakeNetwork { inputs in
                    let image = try #require(inputs["input_image"])
                    #expect(image.shape == expected)
                    let values = try image.array(of: Float.self)
                    #expect(values[0] == 200 && values[1] == 100 && values[2] == 50)
                    // The graph's zero is the mean.
                    if expected[0] == 684 { #expect(Array(values.suffix(3)) == [123.675, 116.28, 103.53]) }
                    return ["image_embeddings": try Tensor([Float(0)], shape: [1, 1, 1, 1])]
                })
            let pixels = (0..<20000).flatMap { _ -> [UInt8] in [200, 100, 50] }
            _ = try encoder.encode(try RGBImage(width: 200, height: 100, pixels: pixels))
        }
    }
}
