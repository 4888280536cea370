import Foundation
import Testing

/// The built `pipeline cam` on small classifiers that PyTorch exported.
@Suite struct PipelineCamTests {
    private let pipeline = BuiltExecutable(name: "pipeline")
    private let scratch: Scratch
    private let photo = fixture("images/420.jpg")

    init() throws { scratch = try Scratch() }

    private func run(_ network: String, _ arguments: String...) throws -> BuiltExecutable.Result {
        let settings = [
            "layout=NCHW", "color=RGB", "range=0-1", "mean=0.485,0.456,0.406", "std=0.229,0.224,0.225", "size=64,64",
            "resize=stretch",
        ].flatMap { ["--set", "input.\($0)"] }
        return try pipeline(
            ["cam", fixture("models/\(network).onnx"), "--out", scratch.path("out")] + settings + arguments)
    }

    @Test(arguments: ["gradcam", "gradcam++", "layercam"])
    func drawsTheMostLikelyClass(_ method: String) throws {
        let result = try run("resnet_legacy", "--method", method, "--json", photo)
        #expect(result.exitCode == 0, "\(result.errors)")
        let json = try result.json()
        #expect(json["method"] as? String == method)
        #expect(json["class"] as? Int != nil && json["logit"] as? Double != nil)
        for name in ["heatmap", "overlay"] {
            let path = try #require(json[name] as? String)
            #expect(FileManager.default.fileExists(atPath: path), "\(name)")
        }
    }

    /// A head of two dense layers has no closed form.
    @Test func anyHeadIsDifferentiated() throws {
        let result = try run("mobilenet_v3_legacy", "--class", "1", "--json", photo)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try result.json()["class"] as? Int == 1)
        let closed = try run("mobilenet_v3_legacy", "--class", "1", "--method", "cam", photo)
        #expect(closed.exitCode == 1 && closed.errors.contains("no closed form"))
    }

    @Test func whatDoesNotExistIsNamed() throws {
        let missing = try pipeline("cam", fixture("models/resnet_legacy.onnx"), photo)
        #expect(missing.exitCode == 1 && missing.errors.contains("--set input.layout=NCHW"))
        let layer = try run("resnet_legacy", "--layer", "nowhere", photo)
        #expect(layer.exitCode == 1 && layer.errors.contains("\"nowhere\""))
        let target = try run("resnet_legacy", "--class", "zebra", photo)
        #expect(target.exitCode == 1 && target.errors.contains("zebra"))
        let method = try run("resnet_legacy", "--method", "magic", photo)
        #expect(method.exitCode == 64)
        let file = try run("resnet_legacy", "gone.jpg", photo)
        #expect(file.exitCode == 1 && file.errors.contains("gone.jpg") && file.output.contains("420.jpg"))
    }
}
