import Foundation
import ONNXLoader
import Testing

@testable import Runtime

@Suite struct SessionGradientTests {
    /// Against PyTorch's gradients in binary64 (`Tests/Fixtures/gradients.py`).
    @Test(arguments: ["convolutional", "transformer"])
    func agreesWithPyTorch(_ name: String) throws {
        let base = Fixture.folder.deletingLastPathComponent().appendingPathComponent("gradients/\(name)")
        let arrays = try TensorArchive(contentsOf: base.appendingPathExtension("npz")).tensors.mapValues { Tensor($0) }
        let wanted = arrays.filter { $0.key.hasPrefix("gradient:") }
        #expect(wanted.count >= 10)
        let session = try Session(contentsOf: base.appendingPathExtension("onnx"))
        let gradients = try session.gradient(
            of: "output", at: .tensor(#require(arrays["seed"])),
            withRespectTo: wanted.keys.map { String($0.dropFirst("gradient:".count)) },
            inputs: ["input": #require(arrays["input"])])
        for (key, expected) in wanted {
            let result = try #require(gradients[String(key.dropFirst("gradient:".count))], "\(key)")
            #expect(difference(result, expected) <= 1e-5, "\(key): \(difference(result, expected))")
        }
    }

    /// `y = relu(x · W) + b`, `z = y · v`.
    private func twoLayers() throws -> Session {
        try session(
            nodes: [
                Node(name: "product", operatorName: "MatMul", inputs: ["x", "W"], outputs: ["p"]),
                Node(name: "relu", operatorName: "Relu", inputs: ["p"], outputs: ["h"]),
                Node(name: "bias", operatorName: "Add", inputs: ["h", "b"], outputs: ["y"]),
                Node(name: "head", operatorName: "MatMul", inputs: ["y", "v"], outputs: ["z"]),
            ],
            inputs: ["x": [1, 2]],
            initializers: ["W": [[1, -1], [2, 1]], "b": [10, 20], "v": [[3], [4]]], outputs: ["z"])
    }

    private let x: Tensor = try! Tensor([Float(1), 2], shape: [1, 2])

    @Test func weightsInnerValuesAndOutputsInOneRun() throws {
        let result = try twoLayers().gradient(
            of: "z", at: [0, 0], withRespectTo: ["x", "W", "b", "y", "h", "v"], inputs: ["x": x], outputs: ["z", "p"])
        // p = [5, 1]: both pass the ReLU.
        #expect(try result.values["p"]?.array(of: Float.self) == [5, 1])
        #expect(try result.values["z"]?.array(of: Float.self) == [3 * 15 + 4 * 21])
        #expect(try result["y"]?.array(of: Float.self) == [3, 4])
        #expect(try result["h"]?.array(of: Float.self) == [3, 4])
        #expect(try result["b"]?.array(of: Float.self) == [3, 4])
        #expect(result["b"]?.shape == [2])
        #expect(try result["x"]?.array(of: Float.self) == [3 - 4, 6 + 4])
        #expect(try result["W"]?.array(of: Float.self) == [3, 4, 6, 8])
        #expect(try result["v"]?.array(of: Float.self) == [15, 21])
    }

    @Test func anIndexIsAOneHotSeed() throws {
        let session = try twoLayers()
        let byIndex = try session.gradient(of: "y", at: [0, -1], withRespectTo: ["x"], inputs: ["x": x])
        let seed = try Tensor([Float(0), 1], shape: [1, 2])
        let bySeed = try session.gradient(of: "y", at: .tensor(seed), withRespectTo: ["x"], inputs: ["x": x])
        #expect(try byIndex["x"]?.array(of: Float.self) == [-1, 1])
        #expect(try bySeed["x"]?.array(of: Float.self) == [-1, 1])
    }

    @Test func aWeightedSumOfElementsNeedsNoRank() throws {
        let session = try twoLayers()
        let sum = try session.gradient(of: "y", at: .elements([0: 1, 1: -2]), withRespectTo: ["h"], inputs: ["x": x])
        #expect(try sum["h"]?.array(of: Float.self) == [1, -2])
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "y", at: .elements([2: 1]), withRespectTo: ["h"], inputs: ["x": x])
        }
    }

    @Test func nothingBetweenGivesZeros() throws {
        let result = try twoLayers().gradient(of: "h", at: [0, 0], withRespectTo: ["v", "b"], inputs: ["x": x])
        #expect(try result["v"]?.array(of: Float.self) == [0, 0])
        #expect(result["v"]?.shape == [2, 1])
        #expect(try result["b"]?.array(of: Float.self) == [0, 0])
    }

    @Test func aValueByItselfIsTheSeed() throws {
        let result = try twoLayers().gradient(of: "y", at: [0, 0], withRespectTo: ["y"], inputs: ["x": x])
        #expect(try result["y"]?.array(of: Float.self) == [1, 0])
    }

    @Test(arguments: [[0], [0, 2], [1, 0], [0, -3]])
    func wrongIndicesAreErrors(_ index: [Int]) throws {
        let session = try twoLayers()
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "y", at: .index(index), withRespectTo: ["x"], inputs: ["x": x])
        }
    }

    @Test func aSeedOfAnotherTypeIsAnError() throws {
        let session = try twoLayers()
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "y", at: .tensor(x.reshaped(to: [2])), withRespectTo: ["x"], inputs: ["x": x])
        }
    }

    @Test func unknownNamesAndMissingInputsAreErrors() throws {
        let session = try twoLayers()
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "nowhere", at: [0], withRespectTo: ["x"], inputs: ["x": x])
        }
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "y", at: [0, 0], withRespectTo: ["nowhere"], inputs: ["x": x])
        }
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "y", at: [0, 0], withRespectTo: ["x"], inputs: [:])
        }
    }

    @Test func theOperatorWithoutGradientIsNamed() throws {
        let session = try session(
            nodes: [
                Node(name: "unique", operatorName: "Unique", inputs: ["x"], outputs: ["u"]),
                Node(name: "exponential", operatorName: "Exp", inputs: ["u"], outputs: ["s"]),
            ], inputs: ["x": [3]], initializers: [:], outputs: ["s"])
        let error = #expect(throws: RuntimeError.self) {
            try session.gradient(
                of: "s", at: .index([0]), withRespectTo: ["x"], inputs: ["x": Tensor([Float(1), 2, 3], shape: [3])])
        }
        #expect("\(try #require(error))".contains("unique"))
        #expect("\(try #require(error))".contains("Unique"))
    }

    @Test func integersHaveNoGradient() throws {
        let session = try session(
            nodes: [
                Node(name: "cast", operatorName: "Cast", inputs: ["x"], outputs: ["i"], attributes: ["to": .int(7)])
            ],
            inputs: ["x": [2]], initializers: [:], outputs: ["i"])
        let x = try Tensor([Float(1), 2], shape: [2])
        #expect(throws: RuntimeError.self) {
            try session.gradient(of: "i", at: [0], withRespectTo: ["x"], inputs: ["x": x])
        }
    }

    /// How many elements are positive is known in a run only.
    @Test func shapesThatDependOnDataAreNoObstacle() throws {
        let session = try session(
            nodes: [
                Node(name: "positive", operatorName: "Greater", inputs: ["x", "zero"], outputs: ["mask"]),
                Node(name: "where", operatorName: "NonZero", inputs: ["mask"], outputs: ["columns"]),
                Node(
                    name: "flat", operatorName: "Reshape", inputs: ["columns", "all"], outputs: ["indices"]),
                Node(
                    name: "chosen", operatorName: "Gather", inputs: ["x", "indices"], outputs: ["some"],
                    attributes: ["axis": .int(0)]),
                Node(name: "scaled", operatorName: "Mul", inputs: ["some", "factor"], outputs: ["product"]),
                Node(name: "shifted", operatorName: "Sub", inputs: ["product", "factor"], outputs: ["difference"]),
                Node(name: "exponential", operatorName: "Exp", inputs: ["difference"], outputs: ["powers"]),
                Node(name: "root", operatorName: "Sqrt", inputs: ["powers"], outputs: ["y"]),
            ],
            inputs: ["x": [4]], initializers: ["zero": 0, "factor": 2, "all": .int64([-1])], outputs: ["y"])
        let x = try Tensor([Float(-1), 0.5, 2, -3], shape: [4])
        let seed = try Tensor([Float(1), 3], shape: [2])
        let result = try session.gradient(
            of: "y", at: .tensor(seed), withRespectTo: ["x", "factor"], inputs: ["x": x], outputs: ["y"])
        // y = exp(factor (x - 1) / 2) at 0.5 and 2.
        let y = [Float(exp(-0.5)), Float(exp(1.0))]
        let expected = try Tensor([0, y[0], 3 * y[1], 0], shape: [4])
        #expect(difference(try #require(result["x"]), expected) < 1e-6)
        let byFactor = Tensor(Float(-0.25 * y[0] + 3 * 0.5 * y[1]))
        #expect(difference(try #require(result["factor"]), byFactor) < 1e-6)
        let byIndex = try session.gradient(of: "y", at: [1], withRespectTo: ["x"], inputs: ["x": x])
        #expect(difference(try #require(byIndex["x"]), try Tensor([0, 0, y[1], 0], shape: [4])) < 1e-6)
    }

    @Test func halfPrecisionIsDifferentiatedInItsOwnType() throws {
        let session = try session(
            nodes: [
                Node(name: "sigmoid", operatorName: "Sigmoid", inputs: ["x"], outputs: ["s"]),
                Node(
                    name: "pool", operatorName: "AveragePool", inputs: ["s"], outputs: ["y"],
                    attributes: ["kernel_shape": .ints([2, 2])]),
            ], inputs: ["x": [1, 1, 2, 2]], initializers: [:], outputs: ["y"], elementType: .float16)
        let x = try Tensor([Float(0), 1, -1, 2], shape: [1, 1, 2, 2])
        let result = try session.gradient(
            of: "y", at: [0, 0, 0, 0], withRespectTo: ["x"], inputs: ["x": x.converted(to: .float16)])
        let gradient = try #require(result["x"])
        #expect(gradient.elementType == .float16)
        let expected = try x.array(of: Float.self).map { value in
            let share = 1 / (1 + exp(-Double(value)))
            return share * (1 - share) / 4
        }
        #expect(difference(gradient, try Tensor(expected, shape: [1, 1, 2, 2])) < 2e-3)
    }

    @Test func aCancelledGradientStops() throws {
        let session = try twoLayers()
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(throws: RuntimeError.self) {
            try session.gradient(
                of: "z", at: [0, 0], withRespectTo: ["x"], inputs: ["x": x], cancellation: cancellation)
        }
    }

    private func session(
        nodes: [Node], inputs: [String: [Int]], initializers: [String: Literal], outputs: [String],
        elementType: ElementType = .float32
    ) throws -> Session {
        var graph = Graph(nodes: nodes)
        graph.inputs = inputs.map { name, shape in
            ValueDeclaration(name: name, kind: .tensor(elementType, shape: shape.map { .fixed($0) }))
        }
        graph.initializers = try initializers.mapValues { try ConstantTensor($0.tensor()) }
        graph.outputs = outputs.map { ValueDeclaration(name: $0, kind: .undeclared) }
        return try Session(Model(opsets: ["": 17], graph: graph))
    }
}
