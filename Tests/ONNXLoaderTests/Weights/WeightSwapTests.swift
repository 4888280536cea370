import Foundation
import Testing

@testable import ONNXLoader

/// Replacing weights by name, on a graph of one Conv, one BatchNormalization and one Gemm.
@Suite struct WeightSwapTests {
    private static func model() throws -> Model {
        var graph = Graph(
            nodes: [
                Node(name: "conv", operatorName: "Conv", inputs: ["x", "conv.weight"], outputs: ["c"]),
                Node(
                    name: "bn", operatorName: "BatchNormalization",
                    inputs: ["c", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], outputs: ["b"]),
                Node(name: "clip", operatorName: "Clip", inputs: ["b", "low", "high"], outputs: ["r"]),
                Node(name: "shape", operatorName: "Reshape", inputs: ["r", "shape"], outputs: ["f"]),
                Node(name: "half", operatorName: "Mul", inputs: ["f", "half"], outputs: ["h"]),
                Node(name: "fc", operatorName: "Gemm", inputs: ["h", "fc.weight", "fc.bias"], outputs: ["y"]),
            ],
            inputs: [ValueDeclaration(name: "x", kind: .tensor(.float32, shape: nil))],
            outputs: [ValueDeclaration(name: "y", kind: .tensor(.float32, shape: nil))])
        graph.initializers = [
            "conv.weight": try .floats([1, 2], [2, 1, 1, 1]), "low": try .floats([0], []),
            "high": try .floats([6], []), "half": try .floats([0.5], []),
            "fc.weight": try .floats([1, 2], [2, 1]), "fc.bias": try .floats([1]),
            "shape": try ConstantTensor(
                elementType: .int64, shape: [2],
                payload: .bytes(ByteRegion(copying: [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]))),
        ]
        for name in ["weight", "bias", "running_mean", "running_var"] {
            graph.initializers["bn." + name] = try .floats([1, 1])
        }
        return Model(graph: graph)
    }

    private static func weights() throws -> [String: ConstantTensor] {
        [
            "conv.weight": try .floats([3, 4], [2, 1, 1, 1]), "bn.weight": try .floats([5, 6]),
            "bn.bias": try .floats([7, 8]), "bn.running_mean": try .floats([9, 10]),
            "bn.running_var": try .floats([11, 12]), "fc.weight": try .floats([13, 14], [2, 1]),
            "fc.bias": try .floats([15]),
        ]
    }

    private func swap(
        _ tensors: [String: ConstantTensor], map: String? = nil, allowsMissing: Bool = false
    ) throws -> (Graph, WeightSwapReport) {
        var model = try Self.model()
        let options = WeightSwapOptions(map: try map.map { try WeightMap($0) }, allowsMissing: allowsMissing)
        let report = try model.replaceWeights(with: TensorArchive(tensors), from: "test", options: options)
        return (model.graph, report)
    }

    private func problems(
        _ tensors: [String: ConstantTensor], map: String? = nil, allowsMissing: Bool = false
    ) throws -> [WeightSwapError.Problem] {
        do {
            _ = try swap(tensors, map: map, allowsMissing: allowsMissing)
            return []
        } catch let error as WeightSwapError {
            return error.problems
        }
    }

    @Test func replacesAllByName() throws {
        var tensors = try Self.weights()
        tensors["bn.num_batches_tracked"] = try ConstantTensor(
            elementType: .int64, shape: [], payload: .bytes(ByteRegion(copying: [7, 0, 0, 0, 0, 0, 0, 0])))
        let (graph, report) = try swap(tensors)
        for (name, tensor) in try Self.weights() { #expect(graph.initializers[name] == tensor) }
        let before = try Self.model().graph
        for name in ["low", "high", "half", "shape"] {
            #expect(graph.initializers[name] == before.initializers[name])
        }
        #expect(graph.nodes == before.nodes)
        #expect(report.replaced == (try Self.weights()).keys.sorted())
        #expect(report.ignored == ["bn.num_batches_tracked"])
        #expect(report.missing.isEmpty && report.unused.isEmpty && report.converted.isEmpty)
    }

    @Test func namesOnEitherSide() throws {
        var tensors = try Self.weights()
        tensors["fc.weight"] = nil
        tensors["fc.bias"] = nil
        tensors["head.weight"] = try .floats([1])
        #expect(
            try problems(tensors) == [.missing(["'fc.bias'", "'fc.weight'"]), .unused(["'head.weight'"])])
        let (graph, report) = try swap(tensors, allowsMissing: true)
        #expect(report.missing == ["fc.bias", "fc.weight"])
        #expect(report.unused == ["head.weight"])
        #expect(graph.initializers["fc.weight"]?.elements(Float.self) == [1, 2])
        #expect(graph.initializers["conv.weight"]?.elements(Float.self) == [3, 4])
    }

    @Test func aLayerIsReplacedWholeOrNotAtAll() throws {
        var tensors = try Self.weights()
        tensors["fc.bias"] = nil
        #expect(
            try problems(tensors, allowsMissing: true) == [.tornLayer("the layer 'fc' (Gemm)", missing: ["fc.bias"])])
        tensors = try Self.weights()
        for name in tensors.keys where name.hasPrefix("bn.") { tensors[name] = nil }
        let torn = try problems(tensors, allowsMissing: true)
        #expect(
            torn == [
                .tornLayer(
                    "the layer 'bn' (BatchNormalization)",
                    missing: ["bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"])
            ])
    }

    @Test func shapesMustAgree() throws {
        var tensors = try Self.weights()
        tensors["fc.weight"] = try .floats([13, 14], [1, 2])
        #expect(
            try problems(tensors).contains(.shapeMismatch("fc.weight", graph: [2, 1], source: [1, 2])))
        #expect(
            try problems(tensors, allowsMissing: true)
                .contains(.shapeMismatch("fc.weight", graph: [2, 1], source: [1, 2])))
    }

    @Test func integersAreNotConverted() throws {
        var tensors = try Self.weights()
        tensors["fc.bias"] = try ConstantTensor(
            elementType: .int32, shape: [1], payload: .bytes(ByteRegion(copying: [1, 0, 0, 0])))
        #expect(try problems(tensors).contains(.typeMismatch("fc.bias", graph: .float32, source: .int32)))
    }

    @Test func sourcesOfOtherPrecision() throws {
        // 1.5 in bfloat16, float16 and binary64.
        let sources: [(ElementType, [UInt8])] = [
            (.bfloat16, [0xc0, 0x3f]), (.float16, [0x00, 0x3e]), (.float64, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
        ]
        for (type, bytes) in sources {
            var tensors = try Self.weights()
            tensors["fc.bias"] = try ConstantTensor(
                elementType: type, shape: [1], payload: .bytes(ByteRegion(copying: bytes)))
            let (graph, report) = try swap(tensors)
            #expect(graph.initializers["fc.bias"]?.elements(Float.self) == [1.5])
            #expect(report.converted == ["fc.bias"])
        }
    }

    @Test func renaming() throws {
        var tensors: [String: ConstantTensor] = [:]
        for (name, tensor) in try Self.weights() { tensors["module." + name] = tensor }
        #expect(throws: WeightSwapError.self) { try swap(tensors) }
        let (graph, _) = try swap(tensors, map: "# parallel training\n\nmodule.*   *\n")
        #expect(graph.initializers["fc.weight"]?.elements(Float.self) == [13, 14])
        let error = #expect(throws: WeightSwapError.self) { try swap(tensors) }
        #expect(error?.hint?.contains("module.*  *") == true)
        #expect(
            try problems(try Self.weights(), map: "other.* *") == [.unusedRule(line: 1, pattern: "other.*")])
        #expect(
            try problems(try Self.weights(), map: "bn.weight fc.bias").first
                == .renamedTwice("fc.bias", from: ["bn.weight", "fc.bias"]))
    }

    @Test func anErrorLeavesTheModelAsItWas() throws {
        var model = try Self.model()
        let before = model
        #expect(throws: WeightSwapError.self) {
            try model.replaceWeights(with: TensorArchive(["fc.bias": .floats([1])]), from: "test")
        }
        #expect(model == before)
    }
}

@Suite struct WeightMapTests {
    @Test(arguments: [
        ("a.b c.d", "a.b", "c.d"), ("a.b c.d", "a.bb", "a.bb"), ("module.* *", "module.x.y", "x.y"),
        ("* model.*", "x.y", "model.x.y"), ("*.gamma *.weight", "bn1.gamma", "bn1.weight"),
        ("block*.conv*.w layer*.c*.weight", "block1.conv2.w", "layer1.c2.weight"), ("a* b", "axx", "b"),
        ("*.*.* *-*-*", "1.2.3.4", "1-2-3.4"), ("a*a c*", "a", "a"), ("a*a c*", "aa", "c"),
        ("x* y*\nx1 z", "x1", "y1"), ("x1 z\nx* y*", "x1", "z"), ("é* e*", "école", "ecole"),
    ])
    func renames(_ map: String, _ name: String, _ expected: String) throws {
        #expect(try WeightMap(map).rename(name).name == expected)
    }

    @Test(arguments: ["a", "a b c", "a b*", "a*b *c*"]) func syntax(_ line: String) {
        #expect(throws: WeightMap.SyntaxError.self) { try WeightMap("# comment\n" + line) }
    }
}

@Suite struct FloatingPointElementsTests {
    /// Values between neighbours of the narrow type, with the neighbour that IEEE 754 demands: to nearest, ties to even.
    /// The last of each are those where rounding by way of binary32 would err.
    @Test func roundsOnce() throws {
        let halves: [(Double, Float16)] = [
            (1 + 0x1p-11, 1), (1 + 3 * 0x1p-11, 1 + 0x1p-9), (65519, 65504), (0x1p-25, 0), (0x1.8p-24, 0x1p-23),
            (1 + 0x1p-11 + 0x1p-40, 1 + 0x1p-10), (-(1 + 0x1p-11 + 0x1p-40), -(1 + 0x1p-10)),
        ]
        let region = try #require(FloatingPointElements.encode(halves.map(\.0), as: .float16))
        let tensor = try ConstantTensor(elementType: .float16, shape: [halves.count], payload: .bytes(region))
        #expect(tensor.elements(Float16.self) == halves.map(\.1))

        // 1 is 0x3f80, its neighbour 1 + 2^-7 is 0x3f81.
        let brains: [(Double, UInt16)] = [
            (1 + 0x1p-8, 0x3f80), (1 + 3 * 0x1p-8, 0x3f82), (-(1 + 3 * 0x1p-8), 0xbf82), (0, 0), (-0.0, 0x8000),
            (0x1p-134, 0), (.infinity, 0x7f80), (1 + 0x1p-8 + 0x1p-40, 0x3f81), (-(1 + 0x1p-8 + 0x1p-40), 0xbf81),
            (1 + 3 * 0x1p-8 - 0x1p-40, 0x3f81), (0x1p-134 + 0x1p-180, 1),
        ]
        let bytes = try #require(FloatingPointElements.encode(brains.map(\.0), as: .bfloat16))
        let patterns = try ConstantTensor(elementType: .uint16, shape: [brains.count], payload: .bytes(bytes))
        #expect(patterns.elements(UInt16.self) == brains.map(\.1))
    }

    @Test(arguments: [(ElementType.float16, 65520.0), (.bfloat16, 3.4e38), (.float32, 1e39)])
    func tooLarge(_ type: ElementType, _ value: Double) {
        #expect(FloatingPointElements.encode([value], as: type) == nil)
        #expect(FloatingPointElements.encode([.infinity], as: type) != nil)
    }
}
