import ONNXLoader
import Runtime
import TestSupport
import Testing

@testable import Pipeline

/// Activation maps by differentiation, against the closed form and against the methods' definitions.
@Suite struct ClassifierHeadTests {
    /// Features of four channels, global average pooling, and one dense layer with a logit for each column.
    private static func linear(classes: Int, ending: [Node] = []) throws -> Graph {
        var random = SplitMix64(state: 5)
        func numbers(_ count: Int, from low: Float = -1) -> [Float] {
            (0..<count).map { _ in Float.random(in: low...1, using: &random) }
        }
        return TestGraph.graph(
            [
                TestGraph.node("Conv", ["image", "kernel"], "convolved", ["kernel_shape": .ints([3, 3])]),
                TestGraph.node("Relu", ["convolved"], "features"),
                TestGraph.node("GlobalAveragePool", ["features"], "pooled"),
                TestGraph.node("Flatten", ["pooled"], "flat"),
                TestGraph.node("Gemm", ["flat", "matrix", "bias"], "logit"),
            ] + ending,
            inputs: [TestGraph.value("image", [1, 3, 8, 9])], outputs: [ending.last?.outputs[0] ?? "logit"],
            initializers: [
                "kernel": try TestGraph.constant(numbers(4 * 3 * 9), [4, 3, 3, 3]),
                "matrix": try TestGraph.constant(numbers(4 * classes, from: -0.2), [4, classes]),
                "bias": try TestGraph.constant(numbers(classes), [classes]),
            ])
    }

    private static func image() throws -> [String: Tensor] {
        var random = SplitMix64(state: 6)
        let values = (0..<3 * 8 * 9).map { _ in Float.random(in: -1...1, using: &random) }
        return ["image": try Tensor(values, shape: [1, 3, 8, 9])]
    }

    private static func session(_ graph: Graph) throws -> Session { try Session(Model(opsets: ["": 17], graph: graph)) }

    /// Grad-CAM is the mean of the gradient over the places, CAM the dense layer's weight: `places` times as much.
    @Test(arguments: [1, 2]) func gradCAMEqualsTheClosedForm(_ classes: Int) throws {
        let graph = try Self.linear(classes: classes)
        let session = try Self.session(graph)
        let score = ClassifierHead.Score.manipulation(class: 1)
        let closed = try ClassifierHead(name: "a", in: graph, score: score, method: .gradCAM)
        let linear = try #require(closed.linear)
        let byForm = try closed.see(session.run(Self.image(), outputs: closed.values), linear)
        let byGradient = try closed.see(Self.image(), with: session)
        #expect(abs(byForm.logit - byGradient.logit) <= 1e-5)
        let largest = try #require(byForm.map.values.max())
        #expect(largest > 0)
        let places = Float(byForm.map.values.count)
        for (form, gradient) in zip(byForm.map.values, byGradient.map.values) {
            #expect(abs(form - gradient * places) <= 1e-5 * largest)
        }
    }

    @Test func aProbabilityIsExplainedByItsLogit() throws {
        let sigmoid = try Self.linear(classes: 1, ending: [TestGraph.node("Sigmoid", ["logit"], "probability")])
        let head = try ClassifierHead(
            name: "a", in: sigmoid, score: .manipulation(class: 1), method: .gradCAMPlusPlus)
        #expect(head.logits == "logit")
        #expect(head.features == "features")
        #expect(head.linear == nil)
        let softmax = try Self.linear(classes: 5, ending: [TestGraph.node("Softmax", ["logit"], "shares")])
        #expect(try ClassifierHead(name: "a", in: softmax, score: .best, method: .gradCAM).logits == "logit")
    }

    @Test func theBestClassIsExplained() throws {
        let graph = try Self.linear(classes: 5)
        let session = try Self.session(graph)
        let logits = try #require(try session.run(Self.image())["logit"]).array(of: Float.self)
        let best = try #require(logits.indices.max { logits[$0] < logits[$1] })
        let head = try ClassifierHead(name: "a", in: graph, score: .best, method: .layerCAM)
        for _ in 0..<2 {
            let seen = try head.see(Self.image(), with: session)
            #expect(seen.explainedClass == best)
            #expect(abs(seen.logit - Double(logits[best])) <= 1e-6)
        }
        let named = try ClassifierHead(name: "a", in: graph, score: .oneClass(best), method: .layerCAM)
        #expect(
            try named.see(Self.image(), with: session).map.values == head.see(Self.image(), with: session).map.values)
    }

    @Test func classesThatDoNotExistAreErrors() throws {
        let graph = try Self.linear(classes: 5)
        let session = try Self.session(graph)
        #expect(throws: LinearHeadError.noSuchClass(5, count: 5)) {
            try ClassifierHead(name: "a", in: graph, score: .oneClass(5), method: .gradCAM)
        }
        let head = try ClassifierHead(name: "a", in: graph, score: .oneClass(-1), method: .layerCAM)
        #expect(throws: LinearHeadError.noSuchClass(-1, count: 5)) { try head.see(Self.image(), with: session) }
        let detector = try ClassifierHead(name: "a", in: graph, score: .manipulation(class: 1), method: .layerCAM)
        #expect(throws: LinearHeadError.notBinary(classes: 5)) { try detector.see(Self.image(), with: session) }
        #expect(throws: LinearHeadError.self) {
            try ClassifierHead(
                name: "a", in: graph, features: "convolved", score: .manipulation(class: 1), method: .cam)
        }
    }

    /// The definitions, written down once more in binary64.
    @Test(arguments: [ActivationMethod.gradCAM, .gradCAMPlusPlus, .layerCAM])
    func methodsFollowTheirDefinitions(_ method: ActivationMethod) throws {
        var random = SplitMix64(state: 7)
        let (channels, places) = (5, 12)
        let features: [[Double]] = (0..<channels).map { _ in
            (0..<places).map { _ in Double(Float.random(in: 0...1, using: &random)) }
        }
        let gradient: [[Double]] = (0..<channels).map { _ in
            (0..<places).map { _ in Double(Float.random(in: -1...1, using: &random)) }
        }
        let expected = (0..<places).map { place in
            max(
                0,
                (0..<channels).reduce(0.0) { sum, k in
                    switch method {
                    case .layerCAM: return sum + max(gradient[k][place], 0) * features[k][place]
                    case .gradCAMPlusPlus:
                        let total = features[k].reduce(0, +)
                        let weight = gradient[k].reduce(0.0) { weight, g in
                            weight + g * g / (2 * g * g + total * g * g * g) * max(g, 0)
                        }
                        return sum + weight * features[k][place]
                    default: return sum + gradient[k].reduce(0, +) / Double(places) * features[k][place]
                    }
                })
        }
        let largest = expected.max() ?? 1
        for channelsLast in [false, true] {
            func tensor(_ values: [[Double]]) throws -> Tensor {
                let flat =
                    channelsLast
                    ? (0..<places).flatMap { place in values.map { Float($0[place]) } }
                    : values.joined().map { Float($0) }
                return try Tensor(flat, shape: channelsLast ? [1, 3, 4, channels] : [1, channels, 3, 4])
            }
            let map = try method.map(
                features: tensor(features), gradient: tensor(gradient), channelsLast: channelsLast, named: "f")
            #expect(map.width == 4 && map.height == 3)
            for (value, wanted) in zip(map.values, expected) { #expect(abs(Double(value) - wanted) <= 1e-5 * largest) }
        }
    }

    /// A transformer's tokens lie on a square, after the token of the class.
    @Test func tokensLieOnASquare() throws {
        let grid = try SpatialFeatures(shape: [1, 10, 6], channelsLast: false, named: "tokens")
        #expect(grid.channels == 6 && grid.width == 3 && grid.height == 3)
        #expect(grid.start == 6 && grid.placeStride == 6 && grid.channelStride == 1)
        #expect(try SpatialFeatures(shape: [1, 9, 6], channelsLast: false, named: "tokens").start == 0)
        for shape in [[1, 8, 6], [1, 6], [1, 6, 0, 3], [1, 2, 3, 4, 5]] {
            #expect(throws: InferenceError.self) {
                try SpatialFeatures(shape: shape, channelsLast: false, named: "tokens")
            }
        }
    }
}
