import Foundation
import ONNXLoader
import Testing

/// The command on small networks that PyTorch exported; what it computes is compared with what PyTorch computes.
@Suite struct ConvertTests {
    private let convert = BuiltExecutable(name: "convert")
    private let network = fixture("weights/PreActivation.first.graph.onnx")
    private let input = fixture("weights/PreActivation.input.npz")

    /// The largest difference between the outputs that the command saved and PyTorch's, relative to PyTorch's largest.
    private func difference(_ saved: String, seed: Int, of network: String = "PreActivation") throws -> Double {
        func numbers(_ tensor: ConstantTensor?) throws -> [Double] {
            let tensor = try #require(tensor)
            guard case .bytes(let region) = tensor.payload else { return [] }
            return region.withUnsafeBytes { bytes in
                tensor.elementType == .float64
                    ? Array(bytes.bindMemory(to: Double.self)) : bytes.bindMemory(to: Float.self).map { Double($0) }
            }
        }
        let reference = try TensorArchive(contentsOf: URL(fileURLWithPath: fixture("weights/\(network).outputs.npz")))
        let output = try TensorArchive(contentsOf: URL(fileURLWithPath: saved)).tensors
        #expect(output.keys.sorted() == ["output"])
        let (values, expected) = (try numbers(output["output"]), try numbers(reference.tensors["seed\(seed)"]))
        guard values.count == expected.count else { return .infinity }
        let largest = expected.map { abs($0) }.max() ?? 0
        return (zip(values, expected).map { abs($0 - $1) }.max() ?? .infinity) / largest
    }

    @Test func summary() throws {
        let result = try convert(network, "--check")
        #expect(result.exitCode == 0)
        #expect(result.errors.isEmpty)
        for text in ["IR 8, opset 17", "input float[1,4,4,4]", "output float[1,4,4,4]", "7 → 6", "4 608"] {
            #expect(result.output.contains(text), "\(result.output)")
        }
    }

    /// The counts are the network's by hand: two convolutions of 4·4·3·3 weights over 4×4 places, and two BatchNorms of
    /// four numbers for four channels.
    @Test func summaryAsJSON() throws {
        let result = try convert(network, "--check", "--json")
        #expect(result.exitCode == 0)
        #expect(result.output.hasSuffix("}\n") && result.output.count { $0 == "\n" } == 1)
        let json = try result.json()
        #expect(json["model"] as? String == network)
        #expect(json["runs"] as? Bool == true)
        #expect(json["irVersion"] as? Int == 8)
        #expect(json["opsets"] as? [String: Int] == ["ai.onnx": 17])
        #expect(json["parameters"] as? Int == 2 * 4 * 4 * 9 + 2 * 4 * 4)
        #expect(json["multiplyAdds"] as? Int == 2 * 4 * 4 * 9 * 16)
        #expect(json["nodesBefore"] as? Int == 7)
        #expect(json["nodesAfter"] as? Int == 6)
        #expect((json["peakPlannedBytes"] as? Int ?? 0) >= 4 * 4 * 4 * 4)
        #expect(json["role"] is NSNull)
        #expect(json["warnings"] as? [String] == [])
        let input = (json["inputs"] as? [[String: Any]])?.first
        #expect(input?["name"] as? String == "input")
        #expect(input?["elementType"] as? String == "float")
        #expect(input?["shape"] as? [Int] == [1, 4, 4, 4])
        #expect(json["output"] == nil)
    }

    @Test func aModelThatWouldNotRun() throws {
        let scratch = try Scratch()
        var model = try Model(contentsOf: URL(fileURLWithPath: network))
        model.graph.nodes[1].operatorName = "Imaginary"
        try model.write(to: scratch.url("imaginary.onnx"))
        let result = try convert(scratch.path("imaginary.onnx"), "--check")
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("Imaginary (opset 17"))
        #expect(result.output.contains("IR 8"))
        let json = try convert(scratch.path("imaginary.onnx"), "--check", "--json").json()
        #expect(json["runs"] as? Bool == false)
        #expect((json["error"] as? String)?.contains("Imaginary") == true)
        #expect(json["nodesBefore"] as? Int == 7)
    }

    @Test func writesTheOptimisedModel() throws {
        let scratch = try Scratch()
        try FileManager.default.copyItem(atPath: network, toPath: scratch.path("net.onnx"))
        let result = try convert(scratch.path("net.onnx"))
        #expect(result.exitCode == 0)
        #expect(result.output.contains(scratch.path("net.optimized.onnx")))
        let optimized = try Model(contentsOf: scratch.url("net.optimized.onnx"))
        #expect(optimized.graph.nodes.count == 6)
        #expect(optimized.opsets == ["": 17])
        let run = try convert(
            scratch.path("net.optimized.onnx"), "--run", input, "--save", scratch.path("out.npz"))
        #expect(run.exitCode == 0)
        #expect(try difference(scratch.path("out.npz"), seed: 1) < 1e-5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path).count == 3)
    }

    @Test func runs() throws {
        let scratch = try Scratch()
        let result = try convert(
            network, "--run", input, "--save", scratch.path("out.npz"), "--repeat", "3", "--json", "--threads", "2")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try difference(scratch.path("out.npz"), seed: 1) < 1e-5)
        let json = try result.json()
        for name in ["loadSeconds", "firstMilliseconds", "medianMilliseconds", "peakMegabytes"] {
            #expect((json[name] as? Double ?? 0) > 0, "\(name)")
        }
        #expect((json["runMilliseconds"] as? [Double])?.count == 4)
        #expect(json["saved"] as? String == scratch.path("out.npz"))
        #expect(json["output"] == nil)

        let single = try convert(network, "--run", input, "--save", scratch.path("single.npz"), "--threads", "1")
        #expect(single.exitCode == 0)
        #expect(single.output.contains("peak resident"))
        let files = try ["out", "single"].map { try TensorArchive(contentsOf: scratch.url("\($0).npz")).tensors }
        #expect(files[0] == files[1])
    }

    @Test(arguments: ["graph", "legacy", "dynamo"]) func swapsWeights(_ style: String) throws {
        let scratch = try Scratch()
        // The older exporter's graph has BatchNorms merged in a way that its names do not tell.
        let (name, map) = style == "legacy" ? ("Residual", "") : ("PreActivation", "conv1.weight conv1.weight\n")
        var arguments = [
            fixture("weights/\(name).first.\(style).onnx"), "--weights", fixture("weights/\(name).second.pth"),
            "--json",
        ]
        if !map.isEmpty { arguments += ["--map", try scratch.write(map, to: "map.txt")] }
        let result = try convert(
            arguments + ["--run", fixture("weights/\(name).input.npz"), "--save", scratch.path("out.npz")])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try difference(scratch.path("out.npz"), seed: 2, of: name) < 1e-5)
        let weights = try result.json()["weights"] as? [String: Any]
        #expect(weights?["format"] as? String == "PyTorch")
        #expect(weights?["mergedBatchNorms"] as? Int == ["graph": 0, "legacy": 9, "dynamo": 1][style])
        #expect(weights?["missing"] as? [String] == [])
    }

    @Test func refusesWeights() throws {
        let scratch = try Scratch()
        let output = scratch.path("out.onnx")
        let mixed = try convert(network, "--weights", fixture("weights/Stem.second.pth"), "-o", output)
        #expect(mixed.exitCode == 1)
        #expect(mixed.errors.contains("'conv2.weight'") && mixed.errors.contains("'stem.weight'"))
        let misleading = try convert(
            fixture("weights/PreActivation.first.legacy.onnx"), "--weights",
            fixture("weights/PreActivation.second.pth"),
            "--allow-missing", "-o", output)
        #expect(misleading.exitCode == 1)
        #expect(misleading.errors.contains("the BatchNorm 'bn2' of the file cannot be merged"))
        let hostile = try convert(network, "--weights", fixture("archives/command.pth"), "-o", output)
        #expect(hostile.exitCode == 1)
        #expect(hostile.errors.contains("'posix.system'"))
        let mapped = try convert(
            network, "--weights", fixture("weights/PreActivation.second.pth"), "--map",
            try scratch.write("one\n", to: "m"),
            "-o", output)
        #expect(mapped.exitCode == 1)
        #expect(mapped.errors.contains("line 1 of the weight map"))
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    @Test func recordsMetadata() throws {
        let scratch = try Scratch()
        let settings = [
            "--role", "student", "--set", "input.layout=NCHW", "--set", "input.color=RGB", "--set", "input.range=0-1",
            "--set", "input.mean=0,0,0", "--set", "input.std=1,1,1", "--set", "input.size=64,64", "--set",
            "input.resize=stretch", "--set", "output.kind=logits",
            "--set", "licence=Apache-2.0 = free",
        ]
        var model = try Model(contentsOf: URL(fileURLWithPath: fixture("weights/Plain.first.dynamo.onnx")))
        model.graph.inputs[0].kind = .tensor(.float32, shape: [.fixed(1), .fixed(3), .fixed(64), .fixed(64)])
        model.graph.outputs[0].kind = .tensor(.float32, shape: nil)
        model.metadata["other"] = "kept"
        try model.write(to: scratch.url("plain.onnx"))
        let result = try convert([scratch.path("plain.onnx"), "-o", scratch.path("out.onnx"), "--json"] + settings)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try result.json()["role"] as? String == "student")
        #expect(try result.json()["roleOrigin"] as? String == "metadata")
        let written = try Model(contentsOf: scratch.url("out.onnx")).metadata
        #expect(written["tamperscope.role"] == "student")
        #expect(written["input.size"] == "64,64")
        #expect(written["licence"] == "Apache-2.0 = free")
        #expect(written["other"] == "kept")

        for (setting, reason) in [
            ("input.colour=RGB", "input.colour"), ("input.layout=NHCW", "NHCW"), ("licence", "licence"),
        ] {
            let wrong = try convert([scratch.path("plain.onnx"), "--check"] + settings + ["--set", setting])
            #expect(wrong.exitCode == 1)
            #expect(wrong.errors.contains(reason), "\(wrong.errors)")
        }
        let wrongRole = try convert(scratch.path("plain.onnx"), "--check", "--role", "poet")
        #expect(wrongRole.exitCode == 1)
        #expect(wrongRole.errors.contains("poet"))
    }

    @Test func symbolicDimensions() throws {
        let scratch = try Scratch()
        let dynamic = fixture("weights/Dynamic.onnx")
        let open = try convert(dynamic, "--check", "--json").json()
        #expect(((open["inputs"] as? [[String: Any]])?.first?["shape"] as? [Any])?.first as? String == "N")
        #expect(open["multiplyAdds"] is NSNull)
        let result = try convert(
            dynamic, "--dim", "N=2", "--dim", "H=8", "--dim", "W=4", "-o", scratch.path("fixed.onnx"), "--json")
        #expect(result.exitCode == 0)
        #expect(try result.json()["multiplyAdds"] as? Int == 2 * 2 * 4 * 4 * 9 * 8 * 4)
        let fixed = try Model(contentsOf: scratch.url("fixed.onnx")).graph
        let shape: [ValueDeclaration.Dimension] = [.fixed(2), .fixed(4), .fixed(8), .fixed(4)]
        #expect(fixed.inputs[0].kind == .tensor(.float32, shape: shape))
        #expect(fixed.outputs[0].kind == .tensor(.float32, shape: shape))
        let unknown = try convert(dynamic, "--dim", "Q=2", "--check")
        #expect(unknown.exitCode == 1)
        #expect(unknown.errors.contains("'N', 'H', 'W'"))
        let unsized = try convert(dynamic, "--profile")
        #expect(unsized.exitCode == 1)
        #expect(unsized.errors.contains("--dim"))
        let wrongShape = try convert(dynamic, "--dim", "N=2", "--run", input)
        #expect(wrongShape.exitCode == 1)
        #expect(wrongShape.errors.contains("float[2,4,H,W]"))
    }

    @Test func profile() throws {
        let text = try convert(network, "--profile", "--repeat", "2")
        #expect(text.exitCode == 0, "\(text.errors)")
        for column in ["ms", "GFLOP/s", "operator", "kernel", "node", "memory plan:"] {
            #expect(text.output.contains(column))
        }
        let json = try convert(network, "--run", input, "--profile", "--json").json()
        let profile = try #require(json["profile"] as? [String: Any])
        let steps = try #require(profile["steps"] as? [[String: Any]])
        #expect(steps.reduce(0) { $0 + ($1["multiplyAdds"] as? Int ?? 0) } == 2 * 4 * 4 * 9 * 16)
        #expect(steps.allSatisfy { ($0["kernel"] as? String)?.isEmpty == false && $0["milliseconds"] is Double })
        let operators = try #require(profile["operators"] as? [[String: Any]])
        #expect(operators.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == steps.count)
        #expect(abs(operators.reduce(0) { $0 + ($1["share"] as? Double ?? 0) } - 1) < 1e-9)
        #expect((profile["arenaBytes"] as? Int ?? -1) >= 0)
    }

    @Test func unusableInputs() throws {
        let scratch = try Scratch()
        func array(_ shape: [Int], _ type: ElementType = .float32) throws -> ConstantTensor {
            let bytes = try #require(type.byteCount(of: shape.reduce(1, *)))
            return try ConstantTensor(
                elementType: type, shape: shape, payload: .bytes(ByteRegion(count: bytes) { _ in }))
        }
        let cases: [([String: ConstantTensor], String)] = [
            (["other": try array([1, 4, 4, 4])], "other"), (["input": try array([1, 4, 4])], "float[1,4,4]"),
            (["input": try array([1, 4, 4, 4], .float64)], "double[1,4,4,4]"),
        ]
        for (arrays, reason) in cases {
            try NumPyArchive.write(arrays, to: scratch.url("in.npz"))
            let result = try convert(network, "--run", scratch.path("in.npz"), "--save", scratch.path("out.npz"))
            #expect(result.exitCode == 1)
            #expect(result.errors.contains(reason), "\(result.errors)")
        }
        let absent = try convert(network, "--run", scratch.path("absent.npz"))
        #expect(absent.exitCode == 1)
        #expect(absent.errors.contains("absent.npz"))
        let unwritable = try convert(network, "--run", input, "--save", scratch.path("no/such/out.npz"))
        #expect(unwritable.exitCode == 1)
        let unwritableModel = try convert(network, "-o", scratch.path("no/such/out.onnx"))
        #expect(unwritableModel.exitCode == 1)
        #expect(unwritableModel.errors.contains("out.onnx"))
        #expect(!FileManager.default.fileExists(atPath: scratch.path("out.npz")))
    }
}
