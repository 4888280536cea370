import Foundation
import ONNXLoader
import Testing

/// The built `convert --gradient` on a small network that PyTorch exported.
@Suite struct ConvertGradientTests {
    private let convert = BuiltExecutable(name: "convert")
    private let network = fixture("gradients/convolutional.onnx")
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func gradients(_ arguments: String...) throws -> [String: [Float]] {
        let saved = scratch.path("gradients.npz")
        let result = try convert(
            [network, "--run", fixture("gradients/convolutional.input.npz"), "--save", saved] + arguments)
        #expect(result.exitCode == 0, "\(result.errors)")
        return try TensorArchive(contentsOf: URL(fileURLWithPath: saved)).tensors.mapValues { tensor in
            guard case .bytes(let region) = tensor.payload else { return [] }
            return region.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        }
    }

    /// The output is a product of weights plus `head.bias`: by it, the gradient of an element is 1 at its class.
    @Test func ofAnElement() throws {
        let found = try gradients("--gradient", "output", "--at", "1,2", "--by", "head.bias", "--by", "stem.weight")
        #expect(found.keys.sorted() == ["head.bias.gradient", "output", "stem.weight.gradient"])
        #expect(found["head.bias.gradient"] == [0, 0, 1, 0])
        #expect(found["stem.weight.gradient"]?.count == 8 * 3 * 3 * 3)
        #expect(found["stem.weight.gradient"]?.contains { $0 != 0 } == true)
    }

    /// Two images take part in the sum.
    @Test func ofTheSum() throws {
        #expect(try gradients("--gradient", "output", "--by", "head.bias")["head.bias.gradient"] == [2, 2, 2, 2])
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let input = fixture("gradients/convolutional.input.npz")
        #expect(try convert(network, "--gradient", "output").exitCode == 64)
        #expect(try convert(network, "--run", input, "--at", "0,0").exitCode == 64)
        #expect(try convert(network, "--run", input, "--gradient", "output", "--at", "0,x").exitCode == 64)
        let unknown = try convert(network, "--run", input, "--gradient", "nowhere")
        #expect(unknown.exitCode == 1 && unknown.errors.contains("nowhere"))
        let outside = try convert(network, "--run", input, "--gradient", "output", "--at", "0,4")
        #expect(outside.exitCode == 1 && outside.errors.contains("outside a dimension of 4"))
    }
}
