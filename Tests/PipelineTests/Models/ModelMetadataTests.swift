import Testing

@testable import Pipeline

@Suite struct ModelMetadataTests {
    @Test func everyKeyIsRead() throws {
        let metadata = try ModelMetadata([
            "tamperscope.role": "pspnet", "input.layout": "NHWC", "input.color": "BGR", "input.range": "-1-1",
            "input.mean": " 0.5, -1,2e-1", "input.std": "1,2,3", "input.size": "473, 713",
            "input.resize": "longest-pad",
            "errorLevels.quality": "90", "errorLevels.subsampling": "4:2:0", "errorLevels.scale": "native",
            "errorLevels.gain": "1.5", "views": "logit_2:features_2, logit_3:features_3", "output.kind": "panoptic",
            "output.classes": "sky, old wall", "output.labelDivisor": "1000", "sam.pointsPerSide": "16",
            "sam.predictedIoUThreshold": "0.7", "sam.stabilityThreshold": "0",
            "training.data": "photos, many", "licence": "Apache-2.0", "author": "someone", "inputs": "of another tool",
        ])
        #expect(metadata.keys == Set(MetadataKey.allCases))
        #expect(metadata.role == .pspnet && metadata.layout == .channelsLast && metadata.color == .bgr)
        #expect(metadata.range == .signedUnit && metadata.mean == [0.5, -1, 0.2] && metadata.std == [1, 2, 3])
        #expect(metadata.size == .fixed(height: 473, width: 713) && metadata.resize == .longestPad)
        #expect(metadata.quality == 90 && metadata.subsampling == .s420 && metadata.scale == .native)
        #expect(metadata.gain == 1.5 && metadata.outputKind == .panoptic && metadata.classes == ["sky", "old wall"])
        #expect(
            metadata.views == [
                .init(logit: "logit_2", features: "features_2"), .init(logit: "logit_3", features: "features_3"),
            ])
        #expect(metadata.labelDivisor == 1000 && metadata.pointsPerSide == 16)
        #expect(metadata.predictedIoUThreshold == 0.7 && metadata.stabilityThreshold == 0)
        #expect(metadata.trainingData == "photos, many" && metadata.licence == "Apache-2.0")
        #expect(try ModelMetadata(["input.size": "dynamic/32"]).size == .dynamic(multiple: 32))
        #expect(try ModelMetadata([:]).keys.isEmpty)
    }

    static let wrong: [(MetadataKey, String)] = [
        (.role, "Classifier"), (.role, ""), (.layout, "nchw"), (.color, "GRB"), (.range, "0-2"), (.mean, "1,2"),
        (.mean, "1,2,x"), (.mean, "1,2,3,"), (.mean, "1,2,inf"), (.mean, "nan,1,1"), (.std, "1,0,1"), (.std, "1,-1,1"),
        (.size, "513"), (.size, "513,0"), (.size, "513,513,3"), (.size, "5000,10"), (.size, "dynamic"),
        (.size, "dynamic/0"), (.size, "dynamic/-32"), (.size, "99999999999999999999,1"), (.resize, "crop"),
        (.quality, "0"), (.quality, "101"), (.quality, "90.5"), (.subsampling, "420"), (.scale, "tile"), (.gain, "0"),
        (.gain, "-1"), (.gain, "nan"), (.views, "logit"), (.views, "a:b:c"), (.views, "a:,b:c"), (.views, ""),
        (.outputKind, "mask"), (.classes, "a,,b"), (.classes, ""), (.labelDivisor, "0"), (.labelDivisor, "1.5"),
        (.pointsPerSide, "0"), (.pointsPerSide, "100000"), (.predictedIoUThreshold, "1.01"),
        (.stabilityThreshold, "-0.1"),
        (.stabilityThreshold, "nan"),
    ]

    @Test(arguments: wrong.indices) func wrongValuesAreNamed(_ index: Int) {
        let (key, value) = Self.wrong[index]
        let error = #expect(throws: ContractError.badValue(key, value: value)) {
            try ModelMetadata([key.rawValue: value])
        }
        let text = error?.description ?? ""
        #expect(text.contains(key.rawValue) && text.contains("\"\(value)\"") && text.contains(key.allowed))
    }

    @Test(arguments: ["input.colour", "tamperscope.kind", "errorLevels.q", "output.class", "sam.grid", "training.set"])
    func misspelledKeysAreNamed(_ name: String) {
        let error = #expect(throws: ContractError.unknownKey(name)) { try ModelMetadata([name: "x"]) }
        #expect(error?.description.contains("input.color") == true)
    }

    @Test func messagesShowNoControlCharactersAndStayShort() {
        let error = ContractError.badValue(.color, value: "\u{1B}[31m" + String(repeating: "x", count: 100_000))
        #expect(!error.description.unicodeScalars.contains { $0.value < 32 })
        #expect(error.description.count < 200)
    }
}
