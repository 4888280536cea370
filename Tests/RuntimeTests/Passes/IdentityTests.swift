import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Operators that change nothing for the sizes at hand are not run; the same operators that do change something are.
@Suite struct IdentityTests {
    @Test func areReadPast() throws {
        let names = try kernels(start: 0, step: 1, repeats: [1, 1], shape: [3, 4])
        #expect(names == ["Neg"])
    }

    @Test func reversedElementsMove() throws {
        #expect(try kernels(start: 3, step: -1, repeats: [1, 1], shape: [1, 4]) == ["Slice", "Neg"])
    }

    @Test func copiesAreMade() throws {
        #expect(try kernels(start: 0, step: 1, repeats: [2, 1], shape: [6, 4]) == ["Tile", "Neg"])
        #expect(try kernels(start: 0, step: 1, repeats: [1, 1], shape: [2, 3, 4]) == ["Expand", "Neg"])
    }

    /// The operators that run for a slice, copies, an expansion and a last operator of a matrix of 3 × 4.
    private func kernels(start: Int64, step: Int64, repeats: [Int64], shape: [Int64]) throws -> [String] {
        var graph = Graph()
        graph.nodes = [
            Node(operatorName: "Slice", inputs: ["x", "start", "end", "axis", "step"], outputs: ["sliced"]),
            Node(operatorName: "Tile", inputs: ["sliced", "repeats"], outputs: ["copies"]),
            Node(operatorName: "Expand", inputs: ["copies", "shape"], outputs: ["expanded"]),
            Node(operatorName: "Neg", inputs: ["expanded"], outputs: ["y"]),
        ]
        graph.inputs = [ValueDeclaration(name: "x", kind: .tensor(.float32, shape: [.fixed(3), .fixed(4)]))]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        let constants: [(String, [Int64])] = [
            ("start", [start]), ("end", [step > 0 ? .max : .min]), ("axis", [1]), ("step", [step]),
            ("repeats", repeats), ("shape", shape),
        ]
        for (name, values) in constants {
            graph.initializers[name] = try ConstantTensor(Tensor(values, shape: [values.count]))
        }
        let session = try Session(Model(opsets: ["": 13], graph: graph))
        var random = SplitMix64(state: 2)
        let input = ["x": try random.tensor([3, 4])]
        let result = try #require(try session.run(input)["y"])
        // Asked for one by one, all of them run.
        let parts = try session.run(input, outputs: graph.nodes.map { $0.outputs[0] })
        #expect(difference(result, try #require(parts["y"])) == 0)
        return try session.profile(input).summary.steps.map(\.operatorName)
    }
}
