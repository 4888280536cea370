import ONNXLoader
import Testing

@testable import Pipeline

/// Models that are nothing but their declared inputs, outputs and metadata.
enum TestModel {
    static func model(
        _ inputs: [ValueDeclaration], _ outputs: [ValueDeclaration], _ metadata: [String: String] = [:]
    ) -> Model {
        Model(metadata: metadata, graph: Graph(inputs: inputs, outputs: outputs))
    }

    static let semanticMetadata = [
        "tamperscope.role": "deeplab", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
        "input.mean": "0.485,0.456,0.406", "input.std": "0.229,0.224,0.225", "input.size": "64,96",
        "input.resize": "stretch", "output.kind": "logits",
    ]

    static func semantic(_ changes: [String: String?] = [:], shape: [Int?] = [1, 3, 64, 96]) -> Model {
        var metadata = semanticMetadata
        for (key, value) in changes { metadata[key] = value }
        return model([TestGraph.value("input", shape)], [TestGraph.value("out", nil)], metadata)
    }

    static let samEncoder = model(
        [TestGraph.value("image", [1, 3, 1024, 1024])], [TestGraph.value("image_embeddings", [nil, 256, nil, nil])])

    static let samDecoder = model(
        [
            TestGraph.value("image_embeddings", [1, 256, 64, 64]), TestGraph.value("point_coords", [1, nil, 2]),
            TestGraph.value("point_labels", [1, nil]), TestGraph.value("mask_input", [1, 1, 256, 256]),
            TestGraph.value("has_mask_input", [1]), TestGraph.value("orig_im_size", [2]),
        ],
        ["masks", "iou_predictions", "low_res_masks"].map { TestGraph.value($0, nil) })

    static let huggingFaceEncoder = model(
        [TestGraph.value("pixel_values", [nil, 3, 1024, 1024])],
        ["image_embeddings", "image_positional_embeddings"].map { TestGraph.value($0, [nil, 256, 64, 64]) })

    static let huggingFaceDecoder = model(
        [
            TestGraph.value("input_points", [nil, nil, nil, 2]),
            TestGraph.value("input_labels", [nil, nil, nil], .int64),
            TestGraph.value("image_embeddings", [nil, 256, 64, 64]),
            TestGraph.value("image_positional_embeddings", [nil, 256, 64, 64]),
        ],
        ["iou_scores", "pred_masks"].map { TestGraph.value($0, nil) })
}

@Suite struct ModelContractTests {
    @Test func aCompleteSegmenter() throws {
        let contract = try ModelContract(TestModel.semantic(["output.classes": "background,bird"]))
        #expect(contract.role == .deeplab && contract.origin == .metadata)
        #expect(contract.input?.mean == [0.485, 0.456, 0.406] && contract.input?.size == .fixed(height: 64, width: 96))
        #expect(contract.output == .init(kind: .logits, classes: ["background", "bird"], labelDivisor: nil))
        #expect(contract.imageInput?.name == "input")
    }

    /// The metadata of the classifier that comes with the product.
    @Test func aClassifierOnErrorLevels() throws {
        let metadata = [
            "tamperscope.role": "classifier", "input.layout": "NCHW", "input.color": "RGB", "input.range": "0-1",
            "input.size": "dynamic/32", "input.resize": "tile", "errorLevels.quality": "90",
            "errorLevels.subsampling": "4:2:0", "errorLevels.gain": "1", "errorLevels.scale": "native",
            "views": "logit_2:features_2,logit_3:features_3,logit_4:features_4",
        ]
        let inputs = [TestGraph.value("error_levels", [nil, 3, nil, nil])]
        let outputs = ["logit_2", "features_2"].map { TestGraph.value($0, nil) }
        let contract = try ModelContract(TestModel.model(inputs, outputs, metadata))
        #expect(
            contract.errorLevels
                == .init(quality: 90, subsampling: .s420, gain: 1, scale: .native))
        #expect(contract.views.map(\.features) == ["features_2", "features_3", "features_4"])
        #expect(contract.input?.mean == [0, 0, 0] && contract.input?.std == [1, 1, 1])

        var partial = metadata
        partial["errorLevels.subsampling"] = nil
        let error = #expect(throws: ContractError.self) { try ModelContract(TestModel.model(inputs, outputs, partial)) }
        guard case .missing([.subsampling], role: .classifier, let command) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(command.contains("--set errorLevels.subsampling="))
    }

    @Test func colourClassifiersNeedTheirStatistics() {
        let metadata = TestModel.semanticMetadata.filter {
            !["input.mean", "input.std", "output.kind"].contains($0.key)
        }
        .merging(["tamperscope.role": "classifier"]) { $1 }
        let model = TestModel.model(
            [TestGraph.value("input", [1, 3, 64, 96])], [TestGraph.value("logit", nil)], metadata)
        let error = #expect(throws: ContractError.self) { try ModelContract(model) }
        guard case .missing([.mean, .std], role: .classifier, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func nothingIsGuessed() {
        let model = TestModel.model([TestGraph.value("input", [1, 3, 513, 513])], [TestGraph.value("out", nil)])
        let unknown = #expect(throws: ContractError.self) { try ModelContract(model, file: "net.onnx") }
        #expect(unknown?.description.contains("convert net.onnx --role NAME --set key=value") == true)

        let error = #expect(throws: ContractError.self) { try ModelContract(model, role: .deeplab, file: "net.onnx") }
        #expect(
            error?.description == """
                a deeplab needs input.color, input.layout, input.mean, input.range, input.resize, input.size, input.std, \
                output.kind in its metadata, which are never guessed; record them: convert net.onnx --role deeplab \
                --set input.layout=NCHW --set input.color='<RGB or BGR>' --set input.range='<0-255, 0-1 or -1-1>' \
                --set input.mean='<\(MetadataKey.mean.allowed)>' --set input.std='<\(MetadataKey.std.allowed)>' \
                --set input.size=513,513 --set input.resize='<stretch, longest-pad, shortest or tile>' \
                --set output.kind='<logits, probabilities, labels or panoptic>'
                """)
    }

    @Test func metadataGoesBeforeTheArgument() throws {
        #expect(try ModelContract(TestModel.semantic(), role: .pspnet).role == .deeplab)
        let unnamed = TestModel.semantic(["tamperscope.role": nil])
        let contract = try ModelContract(unnamed, role: .pspnet)
        #expect(contract.role == .pspnet && contract.origin == .argument)
    }

    static let contradictions: [(changes: [String: String?], shape: [Int?], text: String)] = [
        (["input.layout": "NHWC"], [1, 3, 64, 96], "input.layout is NHWC"),
        (
            ["input.size": "96,64"], [1, 3, 64, 96],
            "input.size is 96,64, but the graph's input is float input [1, 3, 64, 96]"
        ),
        (["input.size": "dynamic/32"], [1, 3, 64, 96], "is fixed at 64"),
        (["input.resize": "shortest"], [1, 3, 64, 96], "needs a graph that accepts any height and width"),
        (["input.resize": "shortest", "input.size": "dynamic/32"], [1, 3, nil, nil], "needs an input.size of H,W"),
        (
            ["output.kind": "labels", "tamperscope.role": "student"], [1, 3, 64, 96],
            "logits or probabilities, not labels"
        ),
    ]

    @Test(arguments: contradictions.indices) func contradictionsAreNamed(_ index: Int) {
        let (changes, shape, text) = Self.contradictions[index]
        let error = #expect(throws: ContractError.self) {
            try ModelContract(TestModel.semantic(changes, shape: shape))
        }
        guard case .contradiction = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains(text) == true, "\(String(describing: error))")
    }

    @Test func bytesGoInAsTheyAre() throws {
        let metadata = TestModel.semanticMetadata.merging([
            "input.layout": "NHWC", "input.range": "0-255", "output.kind": "labels",
        ]) { $1 }
        func model(_ changes: [String: String?]) -> Model {
            var metadata = metadata
            for (key, value) in changes { metadata[key] = value }
            return TestModel.model(
                [TestGraph.value("ImageTensor", [1, nil, nil, 3], .uint8)], [TestGraph.value("labels", nil, .int64)],
                metadata)
        }
        #expect(try ModelContract(model(["input.mean": nil, "input.std": nil])).input?.std == [1, 1, 1])
        let error = #expect(throws: ContractError.self) { try ModelContract(model([:])) }
        #expect(error?.description.contains("takes bytes") == true)
    }

    @Test func panopticLabelsNeedTheirDivisor() {
        let error = #expect(throws: ContractError.self) {
            try ModelContract(TestModel.semantic(["output.kind": "panoptic"]))
        }
        guard case .missing([.labelDivisor], _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        arguments: [
            [1, 4, 64, 64], [64, 64], [1, 3, 64, 64, 1],
        ] as [[Int?]])
    func otherInputsAreRefused(_ shape: [Int?]) {
        let error = #expect(throws: ContractError.self) { try ModelContract(TestModel.semantic(shape: shape)) }
        guard case .wrongSignature(.deeplab, let found, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found.hasPrefix("float input ["))
    }

    @Test func initializersAreNoInputs() throws {
        var model = TestModel.semantic()
        model.graph.inputs.append(TestGraph.value("weight", [3]))
        model.graph.initializers["weight"] = try TestGraph.constant([1, 2, 3], [3])
        #expect(try ModelContract(model).signature.inputs.map(\.name) == ["input"])
    }

    @Test func samIsRecognised() throws {
        for model in [TestModel.samEncoder, TestModel.huggingFaceEncoder] {
            let contract = try ModelContract(model)
            #expect(contract.role == .samEncoder && contract.origin == .signature && contract.input == nil)
        }
        for model in [TestModel.samDecoder, TestModel.huggingFaceDecoder] {
            let contract = try ModelContract(model)
            #expect(contract.role == .samDecoder && contract.generation == SAMGeneration())
        }
        var small = TestModel.samDecoder
        small.metadata = [
            "sam.pointsPerSide": "16", "sam.predictedIoUThreshold": "0.7", "sam.stabilityThreshold": "0.85",
            "tamperscope.role": "sam-decoder",
        ]
        let generation = try ModelContract(small).generation
        #expect(generation.pointsPerSide == 16)
        #expect(generation.predictedIoUThreshold == 0.7 && generation.stabilityThreshold == 0.85)
    }

    @Test func samForms() throws {
        func encoder(_ model: Model) throws -> SAMEncoderContract {
            try SAMEncoderContract(ModelSignature(model.graph))
        }
        #expect(try encoder(TestModel.samEncoder).form == .normalised)
        #expect(try encoder(TestModel.samEncoder).frameSide == 1024)
        #expect(try encoder(TestModel.huggingFaceEncoder).form == .huggingFace)
        let bytes = TestModel.model(
            [TestGraph.value("input_image", [nil, nil, 3])], [TestGraph.value("image_embeddings", [1, 256, 32, 32])])
        #expect(try encoder(bytes).form == .bytes)
        #expect(try encoder(bytes).frameSide == 512)

        func decoder(_ model: Model) throws -> SAMDecoderContract {
            try SAMDecoderContract(ModelSignature(model.graph))
        }
        let official = try decoder(TestModel.samDecoder)
        #expect(official.form == .official && official.maskInputSide == 256 && official.pointsPerPrompt == nil)
        #expect(try decoder(TestModel.huggingFaceDecoder).form == .huggingFace)
        #expect(try decoder(TestModel.huggingFaceDecoder).promptsPerCall == nil)

        #expect(official.takesBoxes && official.masksPerPrompt == nil && official.embeddingShape == [1, 256, 64, 64])
        #expect(try !decoder(TestModel.huggingFaceDecoder).takesBoxes)
        var boxes = TestModel.huggingFaceDecoder
        boxes.graph.inputs.append(TestGraph.value("input_boxes", [1, nil, 4]))
        #expect(try decoder(boxes).takesBoxes)
        boxes.graph.inputs[4] = TestGraph.value("input_boxes", [1, nil, 5])
        #expect(throws: ContractError.self) { try decoder(boxes) }
        // A single mask, and embeddings of another size: the earlier mask is four times as wide.
        var single = TestModel.samDecoder
        single.graph.inputs[0] = TestGraph.value("image_embeddings", [1, 256, 32, 32])
        single.graph.inputs[3] = TestGraph.value("mask_input", [1, 1, nil, nil])
        single.graph.outputs[2] = TestGraph.value("low_res_masks", [1, 1, nil, nil])
        #expect(try decoder(single).masksPerPrompt == 1 && decoder(single).maskInputSide == 128)

        for count in [0, 1, 1 << 40] {
            var fixed = TestModel.samDecoder
            fixed.graph.inputs[1] = TestGraph.value("point_coords", [1, count, 2])
            let error = #expect(throws: ContractError.self) { try decoder(fixed) }
            #expect(error?.description.contains("dynamic number of points") == true)
            var several = TestModel.huggingFaceDecoder
            several.graph.inputs[0] = TestGraph.value("input_points", [1, count, nil, 2])
            if count == 1 {
                #expect(try decoder(several).promptsPerCall == 1)
            } else {
                #expect(throws: ContractError.self) { try decoder(several) }
            }
        }
        // No input is made by a number that only the file says is right.
        for shape in [[1 << 40, 100, 3], [0, 100, 3], [100, 5000, 3]] as [[Int?]] {
            let model = TestModel.model(
                [TestGraph.value("input_image", shape)], [TestGraph.value("image_embeddings", [1, 256, 64, 64])])
            #expect(throws: ContractError.self) { try encoder(model) }
        }
        let vast = TestModel.model(
            [TestGraph.value("image", [1, 3, 65536, 65536])], [TestGraph.value("image_embeddings", [1, 256, 64, 64])])
        #expect(throws: ContractError.self) { try encoder(vast) }
    }

    @Test func otherSignaturesAreNotSAM() {
        var noFrame = TestModel.samEncoder
        noFrame.graph.inputs[0] = TestGraph.value("image", [1, 3, 1024, 512])
        var otherRank = TestModel.samDecoder
        otherRank.graph.inputs[1] = TestGraph.value("point_coords", [nil, 2])
        var boxes = TestModel.huggingFaceDecoder
        boxes.graph.inputs.append(TestGraph.value("something", [1]))
        for (model, role) in [(noFrame, ModelRole.samEncoder), (otherRank, .samDecoder), (boxes, .samDecoder)] {
            #expect(throws: ContractError.self) { try ModelContract(model) }
            var named = model
            named.metadata["tamperscope.role"] = role.rawValue
            let error = #expect(throws: ContractError.self) { try ModelContract(named) }
            guard case .wrongSignature = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func manipulatedClasses() throws {
        #expect(try ModelContract(TestModel.semantic()).manipulatedClass == 1)
        #expect(try ModelContract(TestModel.semantic(["output.classes": "Tampered,authentic"])).manipulatedClass == 0)
    }
}
