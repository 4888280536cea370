import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Einsum with a constant is computed as products of matrices, with the kernels of all instruction sets.
@Suite struct GroupedProductsTests {
    private static let cases = [
        ("bhwc,hkc->bhwk", [2, 3, 5, 7], [3, 4, 7]), ("bhwc,wkc->bhwk", [2, 3, 5, 7], [5, 4, 7]),
        ("hwc,hkc->whk", [9, 20, 12], [9, 50, 12]), ("abhwc,hck->bawhk", [2, 3, 4, 5, 6], [4, 6, 17]),
    ]

    @Test(arguments: cases.indices, MatrixKernel.all)
    func agreesWithSums(_ index: Int, _ matrices: MatrixKernel) throws {
        let (equation, shape, constantShape) = Self.cases[index]
        var random = SplitMix64(state: 41)
        let (input, constant) = (try random.tensor(shape), try random.tensor(constantShape))
        var graph = Graph(nodes: [
            Node(
                operatorName: "Einsum", inputs: ["x", "matrices"], outputs: ["y"],
                attributes: ["equation": .text(equation)])
        ])
        graph.initializers["matrices"] = try ConstantTensor(constant)
        var compiled = try OperatorGraph(Model(opsets: ["": 17], graph: graph))
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let known = try Inference(
            folding: &compiled, inputTypes: ["x": ValueType(input)], largestConstant: 0, context: context)
        try Pass.groupProducts.apply(&compiled, known, ["y"], context)
        var products = try #require(compiled.elements[0].operation as? GroupedProducts)
        products.matrices = matrices
        let result = try products.execute([input, constant], products.type, context)

        let labels = try EinsumEquation(equation).labels(for: [shape, constantShape])
        let (x, m) = (try input.doubles(), try constant.doubles())
        let depth = try #require(labels.operands[0].last)
        var expected: [Double] = []
        for place in 0..<labels.resultShape.reduce(1, *) {
            var (rest, indices) = (place, [Int: Int]())
            for (label, size) in zip(labels.result, labels.resultShape).reversed() {
                indices[label] = rest % size
                rest /= size
            }
            expected.append(
                (0..<(labels.sizes[depth] ?? 1)).reduce(0.0) { sum, k in
                    indices[depth] = k
                    func position(_ operand: Int, _ shape: [Int]) -> Int {
                        zip(labels.operands[operand], shape).reduce(0) { $0 * $1.1 + (indices[$1.0] ?? 0) }
                    }
                    return sum + x[position(0, shape)] * m[position(1, constantShape)]
                })
        }
        #expect(result.shape == labels.resultShape)
        for (own, wanted) in zip(try result.doubles(), expected) { #expect(abs(own - wanted) <= 1e-5) }
    }

    /// Other equations are left as they are.
    @Test(arguments: ["bc,ck->bk", "bhwc,hkc->bhw", "bhwc,hkc->bkhw", "hcw,hkc->hwk"])
    func otherEquationsStay(_ equation: String) throws {
        let sizes: [Character: Int] = ["b": 2, "h": 3, "w": 4, "c": 5, "k": 6]
        let terms = equation.split(separator: "-")[0].split(separator: ",").map { $0.map { sizes[$0] ?? 1 } }
        var random = SplitMix64(state: 42)
        var graph = Graph(nodes: [
            Node(
                operatorName: "Einsum", inputs: ["x", "matrices"], outputs: ["y"],
                attributes: ["equation": .text(equation)])
        ])
        graph.initializers["matrices"] = try ConstantTensor(random.tensor(terms[1]))
        var compiled = try OperatorGraph(Model(opsets: ["": 17], graph: graph))
        let context = RunContext(pool: ThreadPool(threads: 1), budget: MemoryBudget(limit: nil))
        let known = try Inference(
            folding: &compiled, inputTypes: ["x": ValueType(.float32, terms[0])], largestConstant: 0, context: context)
        try Pass.groupProducts.apply(&compiled, known, ["y"], context)
        #expect(compiled.elements[0].operation is Einsum)
    }
}
