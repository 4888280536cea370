import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Expected values by hand.
@Test(arguments: [
    Case("MatMul", opset: 13, inputs: [[[1, 2], [3, 4]], [[5], [6]]], outputs: [[[17], [39]]]),
    Case("MatMul", opset: 13, inputs: [[1, 2], [3, 4]], outputs: [11], note: "two vectors"),
    Case(
        "MatMul", opset: 13, inputs: [[1, 2], [[3, 4], [5, 6]]], outputs: [[13, 16]], note: "a vector and a matrix"),
    Case(
        "MatMul", opset: 13, inputs: [[[1, 2], [3, 4]], [1, 10]], outputs: [[21, 43]], note: "a matrix and a vector"),
    Case(
        "MatMul", opset: 13, inputs: [[[[1, 2]], [[3, 4]]], [[[1], [1]], [[10], [1]]]], outputs: [[[[3]], [[34]]]],
        note: "a batch"),
    Case(
        "MatMul", opset: 13, inputs: [[[1, 2]], [[[1], [1]], [[10], [1]]]], outputs: [[[[3]], [[12]]]],
        note: "the left operand repeats"),
    Case("MatMul", opset: 13, inputs: [.int32([[1, 2]]), .int32([[3], [4]])], outputs: [.int32([[11]])]),
    Case("MatMul", opset: 13, inputs: [.half([[1, 2]]), .half([[3], [4]])], outputs: [.half([[11]])]),
    Case(
        "MatMul", opset: 13, inputs: [.flat([], [2, 0]), .flat([], [0, 2])], outputs: [[[0, 0], [0, 0]]],
        note: "an empty sum is zero"),
    Case(
        "Gemm", opset: 13, inputs: [[[1, 2], [3, 4]], [[1, 0], [0, 1]], [10, 20]], outputs: [[[11, 22], [13, 24]]]),
    Case(
        "Gemm", opset: 13, ["transA": .int(1), "alpha": .float(2), "beta": .float(0.5)],
        inputs: [[[1, 2]], [[3, 4]], [[100], [200]]], outputs: [[[56, 58], [112, 116]]], note: "a column is added"),
    Case(
        "Gemm", opset: 13, ["transB": .int(1)], inputs: [.double([[1, 2]]), .double([[3, 4], [5, 6]])],
        outputs: [.double([[11, 17]])], note: "transposed, double"),
    Case(
        "Gemm", opset: 11, ["alpha": .float(0.5)], inputs: [.int32([[2, 4]]), .int32([[3], [5]]), .int32(1)],
        outputs: [.int32([[14]])], note: "scaled integers"),
])
func matrixProduct(_ example: Case) throws { try example.check() }

/// Blocks of every size against the definition in binary64, and the same bits for any number of threads.
@Test(arguments: [(1, 1, 1), (3, 5, 7), (64, 700, 33), (300, 17, 129), (513, 514, 64), (1, 1000, 2048), (900, 1, 300)])
func matrixProductBlocks(_ rows: Int, _ columns: Int, _ inner: Int) throws {
    var random = SplitMix64(state: UInt64(rows * columns + inner))
    let left = try random.tensor([rows, inner])
    let right = try random.tensor([inner, columns])
    let a = try left.array(of: Float.self)
    let b = try right.array(of: Float.self)
    var expected = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
        for k in 0..<inner {
            for column in 0..<columns {
                expected[row * columns + column] += Double(a[row * inner + k]) * Double(b[k * columns + column])
            }
        }
    }
    var graph = Graph()
    graph.inputs = ["a", "b"].map { ValueDeclaration(name: $0, kind: .undeclared) }
    graph.outputs = [ValueDeclaration(name: "c", kind: .undeclared)]
    graph.nodes = [Node(operatorName: "MatMul", inputs: ["a", "b"], outputs: ["c"])]
    let results = try [1, 2, 3].map { threads in
        let session = try Session(Model(graph: graph), options: .init(threads: threads))
        return try #require(try session.run(["a": left, "b": right])["c"])
    }
    #expect(difference(results[0], try Tensor(expected, shape: [rows, columns])) <= 1e-5)
    for result in results.dropFirst() {
        #expect(try result.array(of: Float.self) == results[0].array(of: Float.self))
    }
}
