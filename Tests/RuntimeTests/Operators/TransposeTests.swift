import ONNXLoader
import Testing

@testable import Runtime

/// By hand.
@Test(arguments: [
    Case("Transpose", opset: 13, inputs: [[[1, 2, 3], [4, 5, 6]]], outputs: [[[1, 4], [2, 5], [3, 6]]]),
    Case(
        "Transpose", opset: 13, ["perm": .ints([0, 2, 1])], inputs: [.int64([[[1, 2], [3, 4]]])],
        outputs: [.int64([[[1, 3], [2, 4]]])]),
    Case(
        "Transpose", opset: 1, ["perm": .ints([1, 0])], inputs: [.bool([[1, 0, 1]])], outputs: [.bool([[1], [0], [1]])]),
    Case(
        "Transpose", opset: 13, inputs: [.strings(["a", "b", "c", "d"], [2, 2])],
        outputs: [.strings(["a", "c", "b", "d"], [2, 2])]),
    Case("Transpose", opset: 13, inputs: [.flat([], [0, 3])], outputs: [.flat([], [3, 0])]),
    Case(
        "DepthToSpace", opset: 13, ["blocksize": .int(2)],
        inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8, 1, 1])],
        outputs: [.flat([0, 2, 4, 6, 1, 3, 5, 7], [1, 2, 2, 2])]),
    Case(
        "DepthToSpace", opset: 13, ["blocksize": .int(2), "mode": .text("CRD")],
        inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 8, 1, 1])],
        outputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 2, 2])]),
    Case(
        "SpaceToDepth", opset: 13, ["blocksize": .int(2)],
        inputs: [.flat([0, 1, 2, 3, 4, 5, 6, 7], [1, 1, 2, 4])],
        outputs: [.flat([0, 2, 1, 3, 4, 6, 5, 7], [1, 4, 1, 2])]),
])
func transpose(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Transpose", opset: 13, ["perm": .ints([0, 0])], inputs: [[[1, 2]]], "no order"),
    Failure("Transpose", opset: 13, ["perm": .ints([0])], inputs: [[[1, 2]]], "no order"),
    Failure("DepthToSpace", opset: 13, ["blocksize": .int(0)], inputs: [.flat([1], [1, 1, 1, 1])], "positive"),
    Failure("DepthToSpace", opset: 13, ["blocksize": .int(2)], inputs: [.flat([1], [1, 1, 1, 1])], "no channels"),
    Failure("SpaceToDepth", opset: 13, ["blocksize": .int(2)], inputs: [.flat([1], [1, 1, 1, 1])], "divide"),
    Failure(
        "DepthToSpace", opset: 13, ["blocksize": .int(9_223_372_036_854_775_807)], inputs: [.flat([1], [1, 1, 1, 1])],
        "overflows"),
])
func transposeFailure(_ failure: Failure) { failure.check() }

/// Every width of element and many orders of dimensions, against one index at a time. The sizes cross the blocks of the
/// kernel and of the parallel loop.
@Test(arguments: [
    ([70, 133], [1, 0]), ([1, 257, 3], [2, 0, 1]), ([3, 259, 130], [2, 1, 0]), ([2, 3, 66, 71], [0, 3, 1, 2]),
    ([2, 65, 3, 64], [0, 2, 1, 3]), ([5, 1, 4, 3, 2], [4, 2, 0, 3, 1]), ([300, 200], [0, 1]), ([1, 1, 1], [2, 1, 0]),
])
func transposeOfEveryWidth(_ shape: [Int], _ permutation: [Int]) throws {
    func check<Element: FixedWidthInteger & TensorElement>(_ type: Element.Type) throws {
        let elements = (0..<shape.reduce(1, *)).map { Element(truncatingIfNeeded: ($0 &* 0x1e37_79b9_7f4a_7c15) >> 7) }
        var graph = Graph()
        graph.inputs = [
            ValueDeclaration(name: "x", kind: .tensor(Element.elementType, shape: shape.map { .fixed($0) }))
        ]
        graph.nodes = [
            Node(
                name: "t", operatorName: "Transpose", inputs: ["x"], outputs: ["y"],
                attributes: ["perm": .ints(permutation.map { Int64($0) })])
        ]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        let session = try Session(Model(opsets: ["": 13], graph: graph))
        let result = try #require(session.run(["x": Tensor(elements, shape: shape)])["y"])
        #expect(result.shape == permutation.map { shape[$0] })
        let source = strides(of: shape)
        let target = strides(of: result.shape)
        let values = try result.array(of: Element.self)
        let wrong = elements.indices.filter { index in
            let moved = permutation.indices.reduce(0) { sum, axis in
                sum + index / source[permutation[axis]] % shape[permutation[axis]] * target[axis]
            }
            return values[moved] != elements[index]
        }
        #expect(wrong.isEmpty)
    }
    try check(UInt8.self)
    try check(Int16.self)
    try check(Int32.self)
    try check(Int64.self)
}

/// A packed type and the widest one, by hand.
@Test func transposeOfUnusualWidths() throws {
    var graph = Graph()
    graph.initializers["four bits"] = try ConstantTensor(
        elementType: .uint4, shape: [2, 3], payload: .bytes(ByteRegion(copying: [0x21, 0x43, 0x65])))
    graph.initializers["complex"] = try ConstantTensor(
        elementType: .complex128, shape: [1, 2], payload: .bytes(ByteRegion(copying: (0..<32).map { UInt8($0) })))
    graph.nodes = [
        Node(name: "a", operatorName: "Transpose", inputs: ["four bits"], outputs: ["four bits transposed"]),
        Node(name: "b", operatorName: "Transpose", inputs: ["complex"], outputs: ["complex transposed"]),
    ]
    graph.outputs = graph.nodes.map { ValueDeclaration(name: $0.outputs[0], kind: .undeclared) }
    let results = try Session(Model(opsets: ["": 21], graph: graph)).run([:])
    let packed = try #require(results["four bits transposed"])
    #expect(packed.shape == [3, 2])
    #expect(packed.withUnsafeBytes { Array($0) } == [0x41, 0x52, 0x63])
    let complex = try #require(results["complex transposed"])
    #expect(complex.shape == [2, 1])
    #expect(complex.withUnsafeBytes { Array($0) } == (0..<32).map { UInt8($0) })
}
