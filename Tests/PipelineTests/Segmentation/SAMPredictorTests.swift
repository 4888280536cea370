import ONNXLoader
import Runtime
import Synchronization
import Testing

@testable import Pipeline

/// Prompts against the published predictor and Hugging Face's model of the same weights.
@Suite struct SAMPredictorTests {
    /// As `PROMPTS` of Tests/Fixtures/segmenters.py.
    static let prompts = [
        SAMPrompt(points: [.init(x: 40, y: 30)]),
        SAMPrompt(points: [.init(x: 40, y: 30), .init(x: 100, y: 60), .init(x: 20, y: 90, isForeground: false)]),
        SAMPrompt(box: .init(x: 30, y: 20, width: 80, height: 60)),
        SAMPrompt(
            points: [.init(x: 60, y: 50, isForeground: false)], box: .init(x: 30, y: 20, width: 80, height: 60)),
    ]

    /// Qualities to 1e-4; the masks where the reference's logits are not next to nothing.
    private static func expect(
        _ predictions: [SAMPredictor.Prediction], _ name: String, _ references: [String: Tensor]
    ) throws {
        let qualities = try #require(references["\(name):qualities"]).array(of: Float.self)
        let tensor = try #require(references["\(name):masks"])
        let logits = try tensor.array(of: Float.self)
        #expect(predictions.count == qualities.count && tensor.shape[0] == qualities.count)
        let (height, width) = (tensor.shape[1], tensor.shape[2])
        let largest = logits.map { abs($0) }.max() ?? 0
        for (index, prediction) in predictions.enumerated() {
            #expect(abs(prediction.predictedIoU - qualities[index]) <= 1e-4 * max(1, abs(qualities[index])))
            var wrong = 0
            // The reference holds every third row and column.
            let mask = prediction.mask.binaryMask
            for y in 0..<height {
                for x in 0..<width {
                    let logit = logits[(index * height + y) * width + x]
                    if abs(logit) > 1e-4 * largest, (logit > 0) != mask[3 * x, 3 * y] { wrong += 1 }
                }
            }
            #expect(wrong == 0, "\(name), mask \(index)")
        }
    }

    @Test(arguments: prompts.indices) func equalsThePublishedPredictor(_ index: Int) throws {
        let predictor = try SegmenterFixtures.sam("sam_encoder", "sam_decoder")
            .predictor(for: SegmenterFixtures.photo())
        let references = try SegmenterFixtures.references("sam")
        let prompt = Self.prompts[index]
        try Self.expect(predictor.masks(for: prompt), "several:\(index)", references)
        let single = try predictor.mask(for: prompt)
        if prompt.isAmbiguous {
            let best = try predictor.masks(for: prompt).max { $0.predictedIoU < $1.predictedIoU }
            #expect(single.mask == best?.mask && single.predictedIoU == best?.predictedIoU)
        } else {
            try Self.expect([single], "single:\(index)", references)
        }
    }

    /// The logits at the decoder's own resolution, to 1e-4 of the largest.
    @Test(arguments: prompts.indices, ["sam", "hf"]) func logitsEqualPyTorch(_ index: Int, _ name: String) throws {
        let prompt = Self.prompts[index]
        let decoder = name == "hf" && prompt.box != nil ? "hf_box_decoder" : name + "_decoder"
        let sam = try SegmenterFixtures.sam(name + "_encoder", decoder)
        let embedding = try sam.encoder.encode(SegmenterFixtures.photo())
        let prediction = try sam.decoder.predict(embedding, [SAMDecoder.Prompt(prompt, embedding.frame)])[0]
        let expected = try #require(SegmenterFixtures.references(name)["several:\(index):low"]).array(of: Float.self)
        let found = try prediction.several.flatMap { try prediction.logits($0) }
        #expect(found.count == expected.count && prediction.several.count == 3)
        let largest = expected.map { abs($0) }.max() ?? 0
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
    }

    /// The graph selects by the number of points: with a padding point for a box.
    @Test func singleMaskExports() throws {
        let photo = try SegmenterFixtures.photo()
        let single = try SegmenterFixtures.sam("sam_encoder", "sam_single_decoder").predictor(for: photo)
        let four = try SegmenterFixtures.sam("sam_encoder", "sam_decoder").predictor(for: photo)
        for prompt in [Self.prompts[0], Self.prompts[1], Self.prompts[3]] {
            let (found, expected) = (try single.mask(for: prompt), try four.mask(for: prompt))
            #expect(found.mask == expected.mask)
            #expect(abs(found.predictedIoU - expected.predictedIoU) < 1e-5)
            #expect(try single.masks(for: prompt).count == 1)
        }
    }

    @Test(arguments: [true, false]) func boxesOfSingleMaskExportsArePadded(_ isDeclared: Bool) throws {
        var model = TestModel.samDecoder
        if isDeclared { model.graph.outputs[2] = TestGraph.value("low_res_masks", [1, 1, nil, nil]) }
        let calls = Mutex<[[Float]]>([])
        let decoder = SAMDecoder(
            try SAMDecoderContract(ModelSignature(model.graph)),
            FakeNetwork { inputs in
                let labels = try #require(inputs["point_labels"]).array(of: Float.self)
                calls.withLock { $0.append(labels) }
                return [
                    "low_res_masks": try Tensor([Float](repeating: 2, count: 16), shape: [1, 1, 4, 4]),
                    "iou_predictions": try Tensor([Float(0.5)], shape: [1, 1]),
                ]
            })
        let predictor = SAMPredictor(Self.embedding(20, 10), decoder: decoder)
        let prediction = try predictor.mask(for: SAMPrompt(box: .init(x: 1, y: 2, width: 3, height: 4)))
        #expect(prediction.mask.area == 200 && prediction.predictedIoU == 0.5 && prediction.stability == 1)
        #expect(calls.withLock { $0 } == (isDeclared ? [[2, 3, -1]] : [[2, 3], [2, 3, -1]]))
    }

    private static func embedding(_ width: Int, _ height: Int) -> SAMEncoder.Embedding {
        SAMEncoder.Embedding(
            tensors: [:], frame: SAMFrame(imageWidth: width, imageHeight: height, side: 64))
    }

    @Test func equalsHuggingFace() throws {
        let photo = try SegmenterFixtures.photo()
        let references = try SegmenterFixtures.references("hf")
        let points = try SegmenterFixtures.sam("hf_encoder", "hf_decoder").predictor(for: photo)
        let boxes = try SegmenterFixtures.sam("hf_encoder", "hf_box_decoder").predictor(for: photo)
        for (index, prompt) in Self.prompts.enumerated() {
            let predictor = prompt.box == nil ? points : boxes
            let masks = try predictor.masks(for: prompt)
            try Self.expect(masks, "several:\(index)", references)
            // Its exports have no mask of their own for prompts that are not ambiguous.
            #expect(
                try predictor.mask(for: prompt).predictedIoU == masks.map(\.predictedIoU).max())
        }
        #expect(throws: SAMPromptError.boxesNotTaken) { try points.mask(for: Self.prompts[2]) }
        #expect(throws: SAMPromptError.boxWanted) { try boxes.mask(for: Self.prompts[0]) }
        #expect(SAMPromptError.boxesNotTaken.description.contains("input_boxes"))
    }

    @Test func encodersWithPreprocessingInsideGiveTheSame() throws {
        let photo = try SegmenterFixtures.photo()
        let outside = try SegmenterFixtures.encoder("sam_encoder").encode(photo)
        let inside = try SegmenterFixtures.encoder("sam_byte_encoder").encode(photo)
        let (a, b) = try (
            #require(outside.tensors["image_embeddings"]).array(of: Float.self),
            #require(inside.tensors["image_embeddings"]).array(of: Float.self)
        )
        #expect(a.count == 16 * 8 * 8 && a.count == b.count)
        let largest = a.map { abs($0) }.max() ?? 0
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
    }

    @Test func theDecoderSaysHowLargeTheFrameIs() throws {
        let signature = ModelSignature(
            inputs: [.init(name: "input_image", elementType: .float32, shape: [nil, nil, 3])],
            outputs: [.init(name: "image_embeddings", elementType: .float32, shape: [nil, nil, nil, nil])])
        let encoder = SAMEncoder(try SAMEncoderContract(signature), FakeNetwork { _ in [:] })
        #expect(encoder.contract.frameSide == 1024)
        let file = try SegmenterFixtures.model("sam_decoder")
        let decoder = SAMDecoder(try SAMDecoderContract(file.contract.signature), FakeNetwork { _ in [:] })
        #expect(try SAMModel(encoder, decoder).encoder.contract.frameSide == 128)
    }

    @Test func halvesThatDoNotBelongTogetherAreRefused() throws {
        #expect(throws: ContractError.self) { try SegmenterFixtures.sam("sam_encoder", "hf_decoder") }
        let error = #expect(throws: ContractError.self) {
            try SegmenterFixtures.sam("blob_encoder", "sam_decoder")
        }
        #expect(error?.description.contains("[1, 16, 8, 8]") == true)
        // Hugging Face's encoder gives what the published decoder takes, and more.
        _ = try SegmenterFixtures.sam("hf_encoder", "sam_decoder").predictor(for: try SegmenterFixtures.photo())
            .mask(for: Self.prompts[2])
    }

    @Test func fixedNumbersOfPointsAreFilledOrRefused() throws {
        var model = TestModel.samDecoder
        model.graph.inputs[1] = TestGraph.value("point_coords", [1, 3, 2])
        let decoder = SAMDecoder(
            try SAMDecoderContract(ModelSignature(model.graph)),
            FakeNetwork { inputs in
                #expect(inputs["point_coords"]?.shape == [1, 3, 2])
                let count = try #require(inputs["point_labels"]).array(of: Float.self).filter { $0 == -1 }.count
                return [
                    "low_res_masks": try Tensor([Float](repeating: 1, count: 64), shape: [1, 4, 4, 4]),
                    "iou_predictions": try Tensor([Float](repeating: Float(count), count: 4), shape: [1, 4]),
                ]
            })
        let predictor = SAMPredictor(Self.embedding(20, 10), decoder: decoder)
        func points(_ count: Int) -> SAMPrompt {
            SAMPrompt(points: (0..<count).map { .init(x: Double($0), y: 1) })
        }
        #expect(try predictor.mask(for: points(1)).predictedIoU == 2)
        #expect(try predictor.mask(for: points(2)).predictedIoU == 1)
        #expect(throws: SAMPromptError.tooManyPoints(3, limit: 2)) { try predictor.mask(for: points(3)) }
        var boxed = points(1)
        boxed.box = .init(x: 0, y: 0, width: 5, height: 5)
        #expect(try predictor.mask(for: boxed).predictedIoU == 0)
        boxed.points.append(.init(x: 1, y: 1))
        #expect(throws: SAMPromptError.tooManyPoints(2, limit: 1)) { try predictor.mask(for: boxed) }
    }
}
