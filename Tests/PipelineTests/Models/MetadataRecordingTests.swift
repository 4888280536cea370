import ONNXLoader
import Testing

@testable import Pipeline

@Suite struct MetadataRecordingTests {
    private static let plain = TestModel.model(
        [TestGraph.value("input", [1, 3, 64, 96])], [TestGraph.value("out", nil)], ["author": "someone"])

    private static let settings = TestModel.semanticMetadata.filter { $0.key != "tamperscope.role" }
        .map { "\($0.key)=\($0.value)" }

    @Test func completeSettingsAreRecorded() throws {
        let recorded = try ModelContract.recording(role: "deeplab", settings: Self.settings, in: Self.plain)
        #expect(recorded == TestModel.semanticMetadata.merging(["author": "someone"]) { $1 })
    }

    @Test func laterSettingsReplaceAndEmptyOnesRemove() throws {
        let recorded = try ModelContract.recording(
            role: nil, settings: ["input.color=RGB", "input.color=BGR", "licence=a=b", "output.classes="],
            in: TestModel.semantic(["output.classes": "a,b"]))
        #expect(recorded["input.color"] == "BGR" && recorded["licence"] == "a=b" && recorded["output.classes"] == nil)
    }

    @Test func recognisedRolesAreWrittenDown() throws {
        let recorded = try ModelContract.recording(
            role: nil, settings: ["sam.pointsPerSide=16"], in: TestModel.samDecoder)
        #expect(recorded == ["sam.pointsPerSide": "16", "tamperscope.role": "sam-decoder"])
    }

    @Test func mistakesAreNamed() {
        func record(_ role: String?, _ settings: [String]) throws -> [String: String] {
            try ModelContract.recording(role: role, settings: settings, in: Self.plain, file: "net.onnx")
        }
        #expect(throws: ContractError.unknownRole("deep lab")) { try record("deep lab", []) }
        #expect(throws: ContractError.unknownRole("x")) { try record("deeplab", ["tamperscope.role=x"]) }
        #expect(throws: ContractError.malformedSetting("input.color")) { try record("deeplab", ["input.color"]) }
        #expect(throws: ContractError.malformedSetting("=RGB")) { try record("deeplab", ["=RGB"]) }
        #expect(throws: ContractError.unknownKey("colour")) { try record("deeplab", ["colour=RGB"]) }
        #expect(throws: ContractError.badValue(.color, value: "rgb")) { try record("deeplab", ["input.color=rgb"]) }
        let error = #expect(throws: ContractError.self) {
            try record("deeplab", Self.settings.filter { !$0.hasPrefix("input.std") })
        }
        #expect(error?.description.contains("convert net.onnx --role deeplab --set input.std=") == true)
    }
}
