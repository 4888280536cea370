import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Graphs with random damage that still load: planning and running them gives results or errors, never a crash, and stays
/// inside its limits.
@Test(arguments: ["resnet_batchnorm", "deeplab_legacy", "sam_decoder_legacy", "swin_dynamo", "vit_legacy"])
func damagedModelsNeverCrash(_ name: String) throws {
    let fixture = Fixture(name: name)
    let inputs = try fixture.inputs()
    let original = try [UInt8](Data(contentsOf: fixture.model))
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).onnx")
    defer { try? FileManager.default.removeItem(at: file) }
    var random = SplitMix64(state: 11)
    var planned = 0
    for _ in 0..<400 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        try Data(bytes).write(to: file)
        guard let model = try? Model(contentsOf: file),
            let session = try? Session(model, options: .init(threads: 2, memoryLimit: 1 << 28))
        else { continue }
        planned += 1
        _ = try? session.run(inputs, deadline: .now + .seconds(5))
    }
    #expect(planned > 20, "damage that hits weights leaves models that load")
}

/// Numbers of the specification's attributes and integer inputs at their extremes.
@Test(arguments: [
    "resnet_batchnorm", "deeplab_legacy", "sam_decoder_legacy", "swin_legacy", "vit_legacy", "densenet_legacy",
])
func extremeNumbersNeverCrash(_ name: String) throws {
    let fixture = Fixture(name: name)
    let inputs = try fixture.inputs()
    let model = try Model(contentsOf: fixture.model)
    let extremes: [Int64] = [.min, .max, -1, 0, 1 << 31, 1 << 40, -(1 << 40), 7]
    var random = SplitMix64(state: 5)
    for _ in 0..<300 {
        var changed = model
        let index = Int.random(in: 0..<changed.graph.nodes.count, using: &random)
        for (key, value) in changed.graph.nodes[index].attributes {
            let extreme = extremes.randomElement(using: &random) ?? 0
            switch value {
            case .int: changed.graph.nodes[index].attributes[key] = .int(extreme)
            case .ints(var values) where !values.isEmpty:
                values[Int.random(in: 0..<values.count, using: &random)] = extreme
                changed.graph.nodes[index].attributes[key] = .ints(values)
            case .tensor(let tensor) where tensor.elementType == .int64 && tensor.count > 0:
                var values = try Tensor(tensor).array(of: Int64.self)
                values[Int.random(in: 0..<values.count, using: &random)] = extreme
                changed.graph.nodes[index].attributes[key] = .tensor(
                    try ConstantTensor(Tensor(values, shape: tensor.shape)))
            default: break
            }
        }
        guard let session = try? Session(changed, options: .init(threads: 1, memoryLimit: 1 << 28)) else { continue }
        _ = try? session.run(inputs, deadline: .now + .seconds(5))
    }
    // The graph as it was still runs in the same process.
    try fixture.check(Session(model).run(inputs))
}
