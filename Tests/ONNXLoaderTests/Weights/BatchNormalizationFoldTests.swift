import Foundation
import Testing

@testable import ONNXLoader

/// A state dictionary brought into a graph whose exporter merged BatchNorm. The reference is what the same exporter
/// makes of the network that the state dictionary came from.
@Suite struct BatchNormalizationFoldTests {
    private func swapped(
        _ network: String, _ style: String, epsilon: String? = nil, allowsMissing: Bool = false
    ) throws -> (Model, WeightSwapReport) {
        var model = try WeightFixtures.model("\(network).first.\(style)")
        let report = try model.replaceWeights(
            with: WeightFixtures.state(network), from: "\(network).second.pth",
            options: WeightSwapOptions(
                allowsMissing: allowsMissing,
                epsilons: epsilon.map { $0.split(separator: " ").compactMap { BatchNormEpsilon(String($0)) } } ?? []))
        return (model, report)
    }

    private func reason(
        _ network: String, _ style: String, epsilon: String? = nil, allowsMissing: Bool = false
    ) throws -> String {
        do {
            _ = try swapped(network, style, epsilon: epsilon, allowsMissing: allowsMissing)
            return ""
        } catch let error as WeightSwapError {
            return error.description
        }
    }

    @Test(arguments: [
        ("Residual", "graph", 0), ("Residual", "legacy", 9), ("Residual", "dynamo", 9), ("Mobile", "graph", 0),
        ("Mobile", "dynamo", 2), ("Transposed", "graph", 0), ("Transposed", "dynamo", 2),
        ("PreActivation", "graph", 0), ("PreActivation", "dynamo", 1), ("Stem", "graph", 0), ("Stem", "dynamo", 2),
    ])
    func reproducesTheOtherExport(_ network: String, _ style: String, _ merged: Int) throws {
        let (model, report) = try swapped(network, style)
        let reference = try WeightFixtures.model("\(network).second.\(style)")
        #expect(model.graph.largestDifference(to: reference.graph) < 1e-6)
        #expect(
            try WeightFixtures.model("\(network).first.\(style)").graph.largestDifference(to: reference.graph) > 0.1)
        #expect(report.mergedBatchNorms.count == merged)
        #expect(report.missing.isEmpty && report.unused.isEmpty)
        #expect(report.warnings.isEmpty == (style != "legacy" || merged == 0))
    }

    /// The older exporter records no epsilon.
    @Test func epsilon() throws {
        #expect(try reason("Mobile", "legacy").contains("HardSwish"))
        #expect(try reason("Mobile", "legacy", allowsMissing: true).contains("--batchnorm-epsilon"))
        let reference = try WeightFixtures.model("Mobile.second.legacy")
        for epsilon in ["1e-3", "features.1=1e-3 features.*=0.001 *=0.5", "f*.4=1e-3 1e-3"] {
            let (model, report) = try swapped("Mobile", "legacy", epsilon: epsilon)
            #expect(model.graph.largestDifference(to: reference.graph) < 1e-6)
            #expect(report.warnings.isEmpty)
        }
        let (wrong, _) = try swapped("Mobile", "legacy", epsilon: "features.4=1e-3 1e-5")
        #expect(wrong.graph.largestDifference(to: reference.graph) > 1e-4)
        #expect(try reason("Mobile", "legacy", epsilon: "features.4=1e-3").contains("'features.1' of the file"))
        for text in ["", "0", "1", "-1e-3", "a=", "=1e-3", "a=b=1e-3", "nan", "x"] {
            #expect(BatchNormEpsilon(text) == nil)
        }
    }

    /// What stands before the Conv in these networks would be taken for what stands after it.
    @Test(arguments: ["PreActivation", "Stem"], [false, true])
    func namesThatMislead(_ network: String, _ allowsMissing: Bool) throws {
        #expect(try reason(network, "legacy", allowsMissing: allowsMissing).contains("cannot be merged"))
    }

    /// The older exporter keeps these BatchNorms, but stores the Linear's weight transposed under a number.
    @Test func transposedByTheExporter() throws {
        #expect(try reason("Transposed", "legacy").contains("(input 1 of '/linear/MatMul')"))
    }

    @Test func removedBias() throws {
        #expect(try WeightFixtures.model("Plain.first.dynamo").graph.nodes[0].inputs.count == 2)
        let (model, report) = try swapped("Plain", "dynamo")
        #expect(model.graph.largestDifference(to: try WeightFixtures.model("Plain.second.dynamo").graph) == 0)
        #expect(report.replaced == ["conv.bias", "conv.weight"])
    }

    @Test(arguments: ["graph", "legacy", "dynamo"]) func sharedParameters(_ style: String) throws {
        if style == "legacy" {
            // One Conv was merged with two BatchNorms, and the nodes' paths do not say with which.
            #expect(try reason("Shared", style).contains("cannot be merged"))
            return
        }
        let (model, _) = try swapped("Shared", style)
        let reference = try WeightFixtures.model("Shared.second.\(style)")
        #expect(model.graph.largestDifference(to: reference.graph) < 1e-6)
    }

    /// The exporter's own merged weights, under the exporter's names.
    @Test(arguments: ["graph", "legacy", "dynamo"]) func fromAnotherExport(_ style: String) throws {
        var model = try WeightFixtures.model("Residual.first.\(style)")
        let source = WeightFixtures.folder.appending(path: "Residual.second.\(style).onnx")
        let report = try model.replaceWeights(with: TensorArchive(contentsOf: source), from: "second")
        #expect(model.graph.largestDifference(to: try WeightFixtures.model("Residual.second.\(style)").graph) == 0)
        #expect(report.mergedBatchNorms.isEmpty && report.warnings.isEmpty)
    }

    @Test func numbersOfAnotherNetwork() throws {
        let graph = try WeightFixtures.model("Stem.first.legacy").graph
        var other = graph
        let first = try #require(other.nodes.firstIndex { $0.operatorName == "Conv" })
        let second = try #require(other.nodes.lastIndex { $0.operatorName == "Conv" })
        let names = (other.nodes[first].name, other.nodes[second].name)
        (other.nodes[first].name, other.nodes[second].name) = (names.1, names.0)
        var model = Model(graph: graph)
        let archive = TensorArchive(format: .onnx, tensors: other.initializers, graph: other)
        let error = #expect(throws: WeightSwapError.self) {
            try model.replaceWeights(with: archive, from: "other", options: WeightSwapOptions(allowsMissing: true))
        }
        #expect(error?.problems.contains { if case .numberedName = $0 { true } else { false } } == true)
    }

    /// A file that brings a Conv's weight but lacks its BatchNorm's statistics, or has no place for them.
    @Test(arguments: ["legacy", "dynamo"], [false, true])
    func incompleteStatistics(_ style: String, _ allowsMissing: Bool) throws {
        for suffix in ["running_var", "running_mean", "bias"] {
            var archive = try WeightFixtures.state("Residual")
            archive.tensors["layer1.0.bn1." + suffix] = nil
            var model = try WeightFixtures.model("Residual.first.\(style)")
            let error = #expect(throws: WeightSwapError.self) {
                try model.replaceWeights(
                    with: archive, from: "partial", options: WeightSwapOptions(allowsMissing: allowsMissing))
            }
            let isNamed = error?.description.contains("layer1.0.bn1") == true
            #expect(isNamed, "\(error?.description ?? "")")
        }
    }

    @Test func parametersWithoutStatistics() throws {
        var archive = try WeightFixtures.state("Residual")
        archive.tensors = archive.tensors.filter { !$0.key.contains("running") }
        var model = try WeightFixtures.model("Residual.first.dynamo")
        let error = #expect(throws: WeightSwapError.self) {
            try model.replaceWeights(with: archive, from: "partial", options: WeightSwapOptions(allowsMissing: true))
        }
        #expect(error?.description.contains("lacks its running statistics") == true)
    }

    /// Without the exporter's record and without the names of merged layers, nothing tells that a fold took place.
    @Test func withoutRecord() throws {
        var model = try WeightFixtures.model("Residual.first.dynamo")
        for index in model.graph.nodes.indices { model.graph.nodes[index].metadata = [:] }
        let report = try model.replaceWeights(with: WeightFixtures.state("Residual"), from: "second")
        let reference = try WeightFixtures.model("Residual.second.dynamo").graph
        #expect(model.graph.largestDifference(to: reference) < 1e-6)
        #expect(report.warnings.contains { $0.contains("epsilon") })

        var transposed = try WeightFixtures.model("Transposed.first.dynamo")
        for index in transposed.graph.nodes.indices { transposed.graph.nodes[index].metadata = [:] }
        let error = #expect(throws: WeightSwapError.self) {
            try transposed.replaceWeights(
                with: WeightFixtures.state("Transposed"), from: "second",
                options: WeightSwapOptions(allowsMissing: true))
        }
        #expect(error?.description.contains("no layer of the graph is known to have taken it up") == true)
    }

    /// The exporter computed these weights from the module's in another way as well.
    @Test func standardisedWeights() throws {
        var model = try WeightFixtures.model("Residual.first.legacy")
        let node = try #require(model.graph.nodes.first { $0.name == "/layer1/layer1.0/conv1/Conv" })
        let old = try #require(model.graph.initializers[node.inputs[1]])
        var values = old.elements(Float.self)
        for filter in 0..<8 {
            let range = filter * 72..<(filter + 1) * 72
            let mean = values[range].reduce(0, +) / 72
            for index in range { values[index] -= mean }
        }
        model.graph.initializers[node.inputs[1]] = try .floats(values, old.shape)
        let error = #expect(throws: WeightSwapError.self) {
            try model.replaceWeights(with: WeightFixtures.state("Residual"), from: "second")
        }
        #expect(error?.description.contains("standardised") == true)
    }

    /// Two layers that the exporter gave one weight: their names no longer tell which is which.
    @Test(arguments: [false, true]) func sharedMergedWeights(_ allowsMissing: Bool) throws {
        var model = try WeightFixtures.model("Residual.first.dynamo")
        let convolutions = model.graph.nodes.indices.filter { model.graph.nodes[$0].operatorName == "Conv" }
        let first = try #require(convolutions.first { model.graph.nodes[$0].inputs[1] == "layer1.0.conv1.weight" })
        let second = try #require(convolutions.first { model.graph.nodes[$0].inputs[1] == "layer1.1.conv1.weight" })
        model.graph.nodes[second].inputs = [model.graph.nodes[second].inputs[0]] + model.graph.nodes[first].inputs[1...]
        let error = #expect(throws: WeightSwapError.self) {
            try model.replaceWeights(
                with: WeightFixtures.state("Residual"), from: "second",
                options: WeightSwapOptions(allowsMissing: allowsMissing))
        }
        #expect(error?.description.contains("other layers share it") == true)
    }

    /// `y = (Wx + b − μ) / √(σ² + ε) · γ + β`, worked out in exact fractions: σ² + ε is 4 and 1/4.
    @Test func arithmetic() throws {
        let first = try #require(
            BatchNormalizationParameters(scale: [3], shift: [0.5], mean: [1], variance: [3])
                .merged(weight: [2, 4], bias: [7], epsilon: 1) { _ in 0 })
        #expect(first.weight == [3, 6])
        #expect(first.bias == [9.5])
        let second = try #require(
            BatchNormalizationParameters(scale: nil, shift: nil, mean: [2], variance: [0.1875])
                .merged(weight: [1], bias: nil, epsilon: 0.0625) { _ in 0 })
        #expect(second.weight == [2])
        #expect(second.bias == [-4])
        let negative = BatchNormalizationParameters(scale: nil, shift: nil, mean: [2], variance: [-1])
        #expect(negative.merged(weight: [1], bias: nil, epsilon: 2) { _ in 0 } == nil)
        let zero = BatchNormalizationParameters(scale: nil, shift: nil, mean: [2], variance: [0])
        #expect(zero.merged(weight: [1], bias: nil, epsilon: 0) { _ in 0 } == nil)
    }

    /// Layouts written out by hand.
    @Test func channelLayouts() throws {
        func channels(_ node: Node, _ shape: [Int]) throws -> [Int] {
            let layout = try #require(ChannelLayout(node, shape: shape))
            return (0..<shape.reduce(1, *)).map(layout.channel)
        }
        let conv = Node(operatorName: "Conv")
        #expect(try channels(conv, [2, 3, 1, 2]) == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
        #expect(try channels(Node(operatorName: "Gemm"), [2, 3]) == [0, 1, 2, 0, 1, 2])
        #expect(
            try channels(Node(operatorName: "Gemm", attributes: ["transB": .int(1)]), [2, 3]) == [0, 0, 0, 1, 1, 1])
        #expect(ChannelLayout(Node(operatorName: "Gemm", attributes: ["alpha": .float(2)]), shape: [2, 3]) == nil)
        let grouped = Node(operatorName: "ConvTranspose", attributes: ["group": .int(2)])
        #expect(try channels(grouped, [4, 2, 1, 1]) == [0, 1, 0, 1, 2, 3, 2, 3])
        #expect(try channels(grouped, [2, 2, 1, 2]) == [0, 0, 1, 1, 2, 2, 3, 3])
        #expect(ChannelLayout(grouped, shape: [3, 2, 1, 1]) == nil)
    }

    @Test(arguments: [
        ("/layer1/layer1.0/downsample/downsample.0/Conv", "layer1.0.downsample.0"), ("/conv1/Conv", "conv1"),
        ("/model/backbone/backbone.3/block/block.0/block.0.0/Conv", "model.backbone.3.block.0.0"),
        ("/pyramid.2/pyramid.2.1/Conv", "pyramid.2.1"), ("/stages.1/conv/Conv", "stages.1.conv"), ("/Conv", ""),
    ])
    func modulePaths(_ name: String, _ path: String) {
        #expect(ModulePath.of(Node(name: name, operatorName: "Conv")) == path)
        #expect(ModulePath.of(Node(name: "node_Conv_7", operatorName: "Conv")) == nil)
    }
}
