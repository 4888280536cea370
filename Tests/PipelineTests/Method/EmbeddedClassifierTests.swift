import Foundation
import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

/// The closed form on the classifier that comes with the product.
@Suite struct EmbeddedClassifierTests {
    private static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models/wcbnet-tiny.onnx")

    /// The logit is `sum over k of w_k mean(F_k)` plus a bias: two inputs' logits differ by the weights times the difference
    /// of their features' means. The logits are the network's own, the means are taken here.
    @Test func logitsFollowFromTheFeatures() throws {
        let file = try ModelFile(Self.url)
        #expect(file.contract.role == .classifier && file.contract.views.count == 3)
        let input = try #require(file.contract.imageInput)
        let preparation = InputPreparation(try #require(file.contract.input), input: input)
        let session = try Session(file.model)
        for view in file.contract.views {
            let head = try LinearHead(in: file.model.graph, logit: view.logit, features: view.features)
            #expect(head.weights.count == 160 && head.classCount == 1 && !head.channelsLast)
            let sides = try [0.01, 0.2].map { amplitude in
                let planes = (0..<3 * 64 * 96).map { Float(amplitude * sin(Double($0 * $0 % 997))) }
                let tensor = try preparation.tensor(errorLevels: planes, width: 96, height: 64)
                let values = try session.values([head.logits, head.features], of: [input.name: tensor])
                let features = try values[1].array(of: Float.self)
                let area = features.count / 160
                let means = (0..<160).map { channel in
                    features[channel * area..<(channel + 1) * area].reduce(0.0) { $0 + Double($1) } / Double(area)
                }
                let weighted = zip(means, head.weights).reduce(0.0) { $0 + $1.0 * Double($1.1) }
                let map = try head.activation(of: values[1])
                #expect(map.width * map.height == area && map.values.allSatisfy { $0 >= 0 })
                return (logit: Double(try values[0].array(of: Float.self)[0]), weighted: weighted)
            }
            let difference = sides[1].logit - sides[0].logit
            #expect(abs(difference) > 0.1)
            #expect(abs(difference - (sides[1].weighted - sides[0].weighted)) < 1e-3 * abs(difference))
        }
    }
}
