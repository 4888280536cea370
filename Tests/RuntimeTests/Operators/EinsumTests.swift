import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// By `numpy.einsum`.
@Test(arguments: [
    Case(
        "Einsum", opset: 12, ["equation": .text("ij->ji")], inputs: [.flat([-3, -3, 3, 0, 1, 1], [2, 3])],
        outputs: [.flat([-3, 0, -3, 1, 3, 1], [3, 2])], note: "ij->ji"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij->")], inputs: [.flat([2, -4, 0, -3, -1, 4], [2, 3])],
        outputs: [.flat([-2], [])], note: "ij->"),
    Case(
        "Einsum", opset: 12, ["equation": .text("...j")], inputs: [.flat([0, -4, 0, -3, 2, 4], [2, 3])],
        outputs: [.flat([0, -4, 0, -3, 2, 4], [2, 3])], note: "...j"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ii->i")], inputs: [.flat([4, 1, 3, -1, -3, 0, -1, 1, 4], [3, 3])],
        outputs: [.flat([4, -3, 4], [3])], note: "ii->i"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ii")], inputs: [.flat([-2, 3, -3, -1, 3, -2, 2, 0, 0], [3, 3])],
        outputs: [.flat([1], [])], note: "ii"),
    Case(
        "Einsum", opset: 12, ["equation": .text("bii->b")],
        inputs: [.flat([4, 3, 3, 0, 4, 4, -3, -3, -2, 0, 3, 0, 4, -1, 4, 1, 2, -2], [2, 3, 3])],
        outputs: [.flat([6, -3], [2])], note: "bii->b"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk")],
        inputs: [.flat([1, 3, 3, 3, 4, -3], [2, 3]), .flat([3, 0, 2, -2, -4, -4, 4, 4, -2, -1, -2, -3], [3, 4])],
        outputs: [.flat([-15, -15, 8, 1, -1, -13, 28, 19], [2, 4])], note: "ij,jk"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,kj->ki")],
        inputs: [.flat([3, 2, -4, -3, 1, 4], [2, 3]), .flat([4, -3, 1, -4, -3, -3, -1, -1, 2, 0, -1, 4], [4, 3])],
        outputs: [.flat([2, -11, -6, -3, -13, 10, -18, 15], [4, 2])], note: "ij,kj->ki"),
    Case(
        "Einsum", opset: 12, ["equation": .text("bij,bjk->bik")],
        inputs: [
            .flat([1, 2, 2, -1, 4, -4, -2, -3, -4, 4, -4, 0], [2, 2, 3]),
            .flat([3, 2, 3, -4, 0, -4, -3, 3, -4, 1, -4, -2], [2, 3, 2]),
        ], outputs: [.flat([9, -14, 9, -2, 34, -1, 4, 8], [2, 2, 2])], note: "bij,bjk->bik"),
    Case(
        "Einsum", opset: 12, ["equation": .text("...ij,...jk->...ik")],
        inputs: [
            .flat([4, -2, -2, -4, 2, -3, 0, -4, -4, 3, -4, 0], [2, 1, 2, 3]),
            .flat([-1, -3, 1, 2, 4, -3, 4, -4, -3, 1, 3, 4, 2, -4, -1, 3, 0, -3], [3, 3, 2]),
        ],
        outputs: [
            .flat(
                [-14, -10, -6, 25, 16, -26, -31, 6, 10, -16, -10, 31, -20, 4, -7, -17, 0, -20, 24, -16, 4, 0, 10, -24],
                [2, 3, 2, 2])
        ], note: "...ij,...jk->...ik"),
    Case(
        "Einsum", opset: 12, ["equation": .text("i,j->ij")], inputs: [.flat([2, -4], [2]), .flat([2, -4, -1], [3])],
        outputs: [.flat([4, -8, -2, -8, 16, 4], [2, 3])], note: "i,j->ij"),
    Case(
        "Einsum", opset: 12, ["equation": .text("i,i")], inputs: [.flat([-2, 4, 2], [3]), .flat([1, 0, -2], [3])],
        outputs: [.flat([-6], [])], note: "i,i"),
    Case(
        "Einsum", opset: 12, ["equation": .text("i,i->i")],
        inputs: [.flat([3, 4, -3], [3]), .flat([-2, -2, 0], [3])], outputs: [.flat([-6, -8, 0], [3])], note: "i,i->i"),
    Case(
        "Einsum", opset: 12, ["equation": .text("bhwc,hkc->bhwk")],
        inputs: [
            .flat(
                [
                    -2, -1, 4, -1, 4, 0, -1, 4, -1, 2, -2, 4, 2, 3, -4, -4, -4, 0, -1, 4, -2, -3, 3, -2, 2, -2, 0, -4,
                    1, 4, 2, 3, 3, 1, 4, 0, -3, 1, 1, -3, -3, 1, -1, 0, 3, 2, 4, -3,
                ], [2, 3, 2, 4]),
            .flat([2, 0, -4, -4, -1, 1, -3, 0, 4, -3, -3, 4, -2, 3, -1, 2, -4, 1, 3, -1, 1, -3, -3, -4], [3, 2, 4]),
        ],
        outputs: [
            .flat(
                [-16, -11, -4, -1, 12, 18, -5, 1, 9, -17, 16, 6, 20, -4, -18, -3, -3, -7, -30, 2, 10, -3, 5, -3],
                [2, 3, 2, 2])
        ], note: "bhwc,hkc->bhwk"),
    Case(
        "Einsum", opset: 12, ["equation": .text("bhwc,wkc->bhwk")],
        inputs: [
            .flat(
                [
                    0, 0, -4, -2, 1, -1, -2, -4, -4, 1, -3, 3, 0, -2, 1, -3, -2, 0, 1, -3, -1, -4, -3, -2, -2, 4, -1,
                    -4, 4, 1, -3, -4, -4, 4, 1, 2, 4, -1, 4, -1, 2, 3, -4, 2, 3, 4, 2, 0,
                ], [2, 3, 2, 4]),
            .flat([-3, 2, 0, 3, -4, -1, 3, 1, 2, 1, 3, 3, 2, 1, -2, -4, 3, -1, -2, -4, -3, -4, -1, -2], [2, 3, 4]),
        ],
        outputs: [
            .flat(
                [
                    -6, -14, -18, 21, 24, 11, 23, 9, -7, 8, 12, 13, -3, 8, -10, 8, 15, 26, 2, -3, -15, 31, 33, -5, 26,
                    17, 5, 3, 9, -10, 6, -21, 1, 6, 1, -27,
                ], [2, 3, 2, 3])
        ], note: "bhwc,wkc->bhwk"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk,kl->il")],
        inputs: [
            .flat([0, 1, -2, 0, 1, 2], [2, 3]), .flat([1, -4, -2, 3, 1, -2], [3, 2]), .flat([-1, 4, 2, -1], [2, 2]),
        ], outputs: [.flat([18, -23, -2, 1], [2, 2])], note: "ij,jk,kl->il"),
    Case(
        "Einsum", opset: 12, ["equation": .text("abc,cd->dba")],
        inputs: [
            .flat([-2, -3, 3, 1, -1, 2, 0, 0, 2, 2, 0, -1], [2, 2, 3]), .flat([-2, -2, 4, -3, -4, 1], [3, 2]),
        ], outputs: [.flat([-20, -8, -14, 0, 16, 2, 3, -5], [2, 2, 2])], note: "abc,cd->dba"),
    Case(
        "Einsum", opset: 12, ["equation": .text("abcd,cdef->abef")],
        inputs: [
            .flat([-2, -4, 0, 2, -4, 0, -3, 1], [1, 2, 2, 2]), .flat([3, 3, 3, -2, 1, 1, 4, 2], [2, 2, 2, 1]),
        ], outputs: [.flat([-10, 6, -11, -13], [1, 2, 2, 1])], note: "abcd,cdef->abef two labels summed"),
    Case(
        "Einsum", opset: 12, ["equation": .text("abdc,cdef->feab")],
        inputs: [
            .flat([2, -4, -2, -1, 1, 3, -1, 0], [1, 2, 2, 2]),
            .flat([2, -3, -1, -3, -3, 2, 3, -3, 2, 2, 2, 2, 1, -3, 3, -3], [2, 2, 2, 2]),
        ], outputs: [.flat([1, 11, -19, 2, -15, 1, -5, 6], [2, 2, 1, 2])], note: "abdc,cdef->feab"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,k->j")],
        inputs: [.flat([0, 4, 1, -2, -4, -2], [2, 3]), .flat([0, 3], [2])], outputs: [.flat([-6, 0, -3], [3])],
        note: "ij,k->j labels of one operand"),
    Case(
        "Einsum", opset: 12, ["equation": .text(",ij->ij")], inputs: [.flat([3], []), .flat([-3, 2, 1, 3], [2, 2])],
        outputs: [.flat([-9, 6, 3, 9], [2, 2])], note: ",ij->ij"),
    Case(
        "Einsum", opset: 12, ["equation": .text("iij,jk->ik")],
        inputs: [.flat([0, 0, -1, 3, 0, -4, 0, 3, 3, -1, 3, -4], [2, 2, 3]), .flat([2, 1, -4, 0, -1, -1], [3, 2])],
        outputs: [.flat([1, 1, -10, 3], [2, 2])], note: "iij,jk->ik diagonal"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk->ik")],
        inputs: [.flat([-2, 3], [2, 1]), .flat([3, -3, 2, 1, -3, -1], [3, 2])],
        outputs: [.flat([-4, 6, 6, -9], [2, 2])], note: "ij,jk->ik size 1 repeats"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ab,cd->dbca")],
        inputs: [.flat([-2, 0, -3, 0], [2, 2]), .flat([-3, -3, 3, 0], [2, 2])],
        outputs: [.flat([6, 9, -6, -9, 0, 0, 0, 0, 6, 9, 0, 0, 0, 0, 0, 0], [2, 2, 2, 2])], note: "ab,cd->dbca"),
    Case(
        "Einsum", opset: 12, ["equation": .text(" i j , j k -> i k ")],
        inputs: [.flat([-2, 3, -1, -3], [2, 2]), .flat([4, -4, 4, -4], [2, 2])],
        outputs: [.flat([4, -4, -16, 16], [2, 2])], note: " i j , j k -> i k "),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk->ik")],
        inputs: [.flat([3, 0, -3, 4, -1, -4], [2, 3], .int32), .flat([2, 4, -3, 0, 4, -3], [3, 2], .int32)],
        outputs: [.flat([-6, 21, -5, 28], [2, 2], .int32)], note: "ij,jk->ik"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk->ik")],
        inputs: [.flat([3, -1, -4, -3, 3, 2], [2, 3], .float64), .flat([3, 0, -3, -2, -2, -2], [3, 2], .float64)],
        outputs: [.flat([20, 10, -22, -10], [2, 2], .float64)], note: "ij,jk->ik"),
    Case(
        "Einsum", opset: 12, ["equation": .text("i->")], inputs: [.flat([252, 3, 252], [3], .uint8)],
        outputs: [.flat([251], [], .uint8)], note: "i->"),
    Case(
        "Einsum", opset: 12, ["equation": .text("ij,jk->ik")], inputs: [.flat([], [2, 0]), .flat([], [0, 2])],
        outputs: [.flat([0, 0, 0, 0], [2, 2])], note: "ij,jk->ik nothing to sum"),
])
func einsum(_ example: Case) throws { try example.check() }

@Test(arguments: [
    Failure("Einsum", opset: 12, ["equation": .text("ij,jk->ik->i")], inputs: [[[1]], [[1]]], "more than one arrow"),
    Failure("Einsum", opset: 12, ["equation": .text("i1")], inputs: [[[1]]], "neither a label"),
    Failure("Einsum", opset: 12, ["equation": .text("......")], inputs: [[[1]]], "two ellipses"),
    Failure("Einsum", opset: 12, ["equation": .text("ij")], inputs: [[1]], "does not fit"),
    Failure("Einsum", opset: 12, ["equation": .text("i,i")], inputs: [[1]], "operands"),
    Failure("Einsum", opset: 12, ["equation": .text("i,i")], inputs: [[1, 2], [1, 2, 3]], "differ"),
    Failure("Einsum", opset: 12, ["equation": .text("i->j")], inputs: [[1]], "no operand"),
    Failure("Einsum", opset: 12, ["equation": .text("i->ii")], inputs: [[1]], "twice"),
    Failure("Einsum", opset: 12, ["equation": .text("i,i")], inputs: [[1], .int64([1])], "one type"),
])
func einsumFailure(_ failure: Failure) { failure.check() }

/// Sizes that several blocks work on, against sums of one product at a time in binary64.
@Test(arguments: [
    ("bhwc,hkc->bhwk", [12, 7, 14, 33], [7, 20, 33]), ("bhwc,wkc->bhwk", [12, 7, 14, 33], [14, 20, 33]),
    ("ij,kj->ki", [130, 70], [300, 70]), ("ji,jk->ik", [70, 130], [70, 300]),
    ("aibc,bcaj->jai", [3, 9, 4, 5], [4, 5, 3, 8]),
])
func einsumOfLargerTensors(_ equation: String, _ left: [Int], _ right: [Int]) throws {
    var random = SplitMix64(state: 3)
    let tensors = try [random.tensor(left), random.tensor(right)]
    var graph = Graph()
    graph.inputs = zip(["a", "b"], [left, right]).map { name, shape in
        ValueDeclaration(name: name, kind: .tensor(.float32, shape: shape.map { .fixed($0) }))
    }
    graph.nodes = [
        Node(
            name: "e", operatorName: "Einsum", inputs: ["a", "b"], outputs: ["y"],
            attributes: ["equation": .text(equation)])
    ]
    graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
    let session = try Session(Model(opsets: ["": 12], graph: graph))
    let result = try #require(session.run(["a": tensors[0], "b": tensors[1]])["y"])

    let sides = equation.split { ",->".contains($0) }.map { Array($0) }
    var sizes: [Character: Int] = [:]
    for (labels, shape) in zip(sides, [left, right]) { for (label, size) in zip(labels, shape) { sizes[label] = size } }
    let labels = sizes.keys.sorted()
    let elements = try tensors.map { try $0.array(of: Float.self) }
    var expected = [Double](repeating: 0, count: sides[2].reduce(1) { $0 * sizes[$1]! })
    for combination in 0..<sizes.values.reduce(1, *) {
        var rest = combination
        var index: [Character: Int] = [:]
        for label in labels {
            index[label] = rest % sizes[label]!
            rest /= sizes[label]!
        }
        func place(_ labels: [Character]) -> Int { labels.reduce(0) { $0 * sizes[$1]! + index[$1]! } }
        expected[place(sides[2])] += Double(elements[0][place(sides[0])]) * Double(elements[1][place(sides[1])])
    }
    let wanted = try Tensor(expected, shape: result.shape)
    #expect(result.shape == sides[2].map { sizes[$0]! })
    #expect(difference(result, wanted) < 1e-5)
}
