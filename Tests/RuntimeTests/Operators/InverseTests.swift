import ONNXLoader
import Testing

@testable import Runtime

/// Values by hand: the adjugate divided by the determinant.
@Suite struct InverseTests {
    @Test(arguments: [
        Case(
            "Inverse", domain: "com.microsoft", opset: 1, inputs: [[[[1, 2], [3, 4]], [[0, 2], [4, 0]]]],
            outputs: [[[[-2, 1], [1.5, -0.5]], [[0, 0.25], [0.5, 0]]]], note: "two matrices"),
        Case(
            "Inverse", domain: "com.microsoft", opset: 1, inputs: [.double([[2, 0, 0], [0, 0, 1], [0, -1, 0]])],
            outputs: [.double([[0.5, 0, 0], [0, 0, -1], [0, 1, 0]])], note: "rows are exchanged"),
        Case(
            "Inverse", domain: "com.microsoft", opset: 1, inputs: [.flat([], [3, 0, 0])],
            outputs: [.flat([], [3, 0, 0])],
            note: "of nothing"),
    ])
    func inverts(_ example: Case) throws { try example.check() }

    @Test(arguments: [[[1, 2], [2, 4]], [[1, 2, 3], [4, 5, 6]]] as [[[Float]]])
    func whatHasNoInverseIsRefused(_ rows: [[Float]]) throws {
        let matrix = try Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
        let graph = Graph(
            nodes: [Node(operatorName: "Inverse", domain: "com.microsoft", inputs: ["x"], outputs: ["y"])],
            inputs: [ValueDeclaration(name: "x", kind: .undeclared)],
            outputs: [ValueDeclaration(name: "y", kind: .undeclared)])
        let session = try Session(Model(opsets: ["": 17, "com.microsoft": 1], graph: graph))
        #expect(throws: RuntimeError.self) { try session.run(["x": matrix]) }
    }
}
