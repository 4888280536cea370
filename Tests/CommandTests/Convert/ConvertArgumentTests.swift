import Foundation
import Testing

/// Help, usage errors, and files that cannot be used.
@Suite struct ConvertArgumentTests {
    private let convert = BuiltExecutable(name: "convert")

    @Test func help() throws {
        let result = try convert("--help")
        #expect(result.exitCode == 0)
        for option in [
            "--output", "--check", "--role", "--set", "--weights", "--map", "--allow-missing", "--batchnorm-epsilon",
            "--run", "--save", "--repeat", "--profile", "--dim", "--threads", "--json", "--version",
        ] {
            #expect(result.output.contains(option))
        }
        #expect(try convert("--version").output.first?.isNumber == true)
    }

    @Test(arguments: [
        [], ["a.onnx", "b.onnx"], ["--unknown", "a.onnx"], ["a.onnx", "--save", "o.npz"], ["a.onnx", "--map", "m.txt"],
        ["a.onnx", "--allow-missing"], ["a.onnx", "--check", "-o", "b.onnx"], ["a.onnx", "--check", "--profile"],
        ["a.onnx", "--repeat", "3"], ["a.onnx", "--run", "i.npz", "--repeat", "0"], ["a.onnx", "--threads", "0"],
        ["a.onnx", "--threads", "many"], ["a.onnx", "--dim", "N"], ["a.onnx", "--dim", "N=0"],
        ["a.onnx", "--dim", "N=1", "--dim", "N=2"], ["a.onnx", "--weights", "w", "--batchnorm-epsilon", "2"],
        ["a.onnx", "--batchnorm-epsilon", "1e-3"],
    ])
    func usage(_ arguments: [String]) throws {
        let result = try convert(arguments)
        #expect(result.exitCode == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.uppercased().contains("USAGE: CONVERT"))
    }

    @Test(arguments: [
        ("absent.onnx", nil, "no such file"), ("folder.onnx", nil, "folder"), ("empty.onnx", "", "empty"),
        ("text.onnx", "once upon a time, there was no model\n", "not an ONNX file"),
        ("page.onnx", "<!DOCTYPE html><html></html>", "web page"),
        ("garbage.onnx", "\u{8}\u{7f}\u{1}\u{3}\u{12}", "damaged"),
    ])
    func unusableFiles(_ name: String, _ content: String?, _ reason: String) throws {
        let scratch = try Scratch()
        if let content { _ = try scratch.write(content, to: name) }
        if name.hasPrefix("folder") {
            try FileManager.default.createDirectory(at: scratch.url(name), withIntermediateDirectories: true)
        }
        let result = try convert(scratch.path(name))
        #expect(result.exitCode == 1)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("error: ") && result.errors.contains(name))
        #expect(result.errors.contains(reason), "\(result.errors)")
        let json = try convert(scratch.path(name), "--json")
        #expect(json.exitCode == 1)
        #expect(try json.json()["runs"] as? Bool == false)
        #expect((try json.json()["error"] as? String)?.contains(name) == true)
    }

    @Test func truncatedModel() throws {
        let scratch = try Scratch()
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture("weights/PreActivation.first.graph.onnx")))
        for count in stride(from: 1, to: whole.count, by: whole.count / 16) {
            try whole.prefix(count).write(to: scratch.url("cut.onnx"))
            let result = try convert(scratch.path("cut.onnx"), "--check")
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("cut.onnx"))
        }
    }
}
