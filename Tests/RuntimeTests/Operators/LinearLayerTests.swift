import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Products with constant matrices, packed at planning, against sums in binary64.
@Suite struct LinearLayerTests {
    struct Sizes: CustomTestStringConvertible {
        let batch: [Int]
        let inner, columns: Int
        var testDescription: String { "\(batch) \(inner) \(columns)" }
    }

    static let sizes = [
        Sizes(batch: [1], inner: 70, columns: 1001), Sizes(batch: [2, 7], inner: 33, columns: 64),
        Sizes(batch: [3, 70], inner: 340, columns: 50), Sizes(batch: [5], inner: 1, columns: 1),
        Sizes(batch: [200], inner: 8, columns: 700),
    ]

    @Test(arguments: sizes, ["Relu", "Sigmoid"])
    func productBiasAndResidual(_ sizes: Sizes, _ activation: String) throws {
        var random = SplitMix64(state: 8)
        var graph = Graph()
        let (x, extra) = (
            try random.tensor(sizes.batch + [sizes.inner]), try random.tensor(sizes.batch + [sizes.columns])
        )
        let (weights, bias) = (try random.tensor([sizes.inner, sizes.columns]), try random.tensor([sizes.columns]))
        graph.nodes = [
            Node(operatorName: "MatMul", inputs: ["x", "w"], outputs: ["product"]),
            Node(operatorName: "Add", inputs: ["b", "product"], outputs: ["biased"]),
            Node(operatorName: "Add", inputs: ["extra", "biased"], outputs: ["sum"]),
            Node(operatorName: activation, inputs: ["sum"], outputs: ["y"]),
        ]
        graph.inputs = [("x", x), ("extra", extra)].map { name, tensor in
            ValueDeclaration(name: name, kind: .tensor(.float32, shape: tensor.shape.map { .fixed($0) }))
        }
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        graph.initializers = ["w": try ConstantTensor(weights), "b": try ConstantTensor(bias)]
        let session = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 2))
        let steps = try session.summary(for: ["x": ValueType(x), "extra": ValueType(extra)]).steps
        #expect(steps.map(\.kernel) == ["gemm, packed weights"])
        let found = try #require(try session.run(["x": x, "extra": extra])["y"])
        let expected = try linear(x, weights, bias, extra, sizes) {
            activation == "Relu" ? max(0, $0) : 1 / (1 + exp(-$0))
        }
        #expect(difference(found, expected) <= 2e-6)
    }

    @Test func gemmWithATransposedConstant() throws {
        var random = SplitMix64(state: 9)
        let sizes = Sizes(batch: [130], inner: 45, columns: 77)
        let (x, weights, bias) = (
            try random.tensor([130, 45]), try random.tensor([77, 45]), try random.tensor([1, 77])
        )
        var graph = Graph()
        graph.nodes = [
            Node(operatorName: "Gemm", inputs: ["x", "w", "b"], outputs: ["y"], attributes: ["transB": .int(1)])
        ]
        graph.inputs = [ValueDeclaration(name: "x", kind: .tensor(.float32, shape: [.fixed(130), .fixed(45)]))]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        graph.initializers = ["w": try ConstantTensor(weights), "b": try ConstantTensor(bias)]
        let session = try Session(Model(opsets: ["": 17], graph: graph))
        #expect(try session.summary(for: ["x": ValueType(x)]).steps.map(\.kernel) == ["gemm, packed weights"])
        let none = try Tensor([Float](repeating: 0, count: 130 * 77), shape: [130, 77])
        let expected = try linear(x, weights.transposed(), bias, none, sizes) { $0 }
        #expect(difference(try #require(try session.run(["x": x])["y"]), expected) <= 2e-6)
    }

    @Test(arguments: MatrixKernel.all, sizes)
    func everyInstructionSetAgrees(_ matrices: MatrixKernel, _ sizes: Sizes) throws {
        var random = SplitMix64(state: 10)
        let (x, extra) = (
            try random.tensor(sizes.batch + [sizes.inner]), try random.tensor(sizes.batch + [sizes.columns])
        )
        let (weights, bias) = (try random.tensor([sizes.inner, sizes.columns]), try random.tensor([sizes.columns]))
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let layer = try #require(
            try LinearLayer(
                MatrixProduct(left: x.shape, right: weights.shape), right: ValueInfo(weights), type: ValueType(extra),
                bias: 2, residual: 3, matrices: matrices, context: context))
        let found = try layer.execute([x, weights, bias, extra], ValueType(extra), context)
        #expect(difference(found, try linear(x, weights, bias, extra, sizes) { $0 }) <= 2e-6)
    }

    /// Products that Strassen's algorithm takes, whether it pays or not: parts of a panel, an odd number of panels, one
    /// panel, more rows than a block, several parts of the depth, several groups of columns.
    static let halvedSizes = [
        Sizes(batch: [1], inner: 2, columns: 1), Sizes(batch: [5], inner: 70, columns: 200),
        Sizes(batch: [37], inner: 34, columns: 97), Sizes(batch: [2, 151], inner: 68, columns: 333),
        Sizes(batch: [600], inner: 96, columns: 145), Sizes(batch: [9], inner: 1790, columns: 260),
        Sizes(batch: [2], inner: 4000, columns: 900),
    ]

    @Test(arguments: MatrixKernel.all, halvedSizes)
    func sevenProducts(_ matrices: MatrixKernel, _ sizes: Sizes) throws {
        var random = SplitMix64(state: 11)
        let (x, extra) = (
            try random.tensor(sizes.batch + [sizes.inner]), try random.tensor(sizes.batch + [sizes.columns])
        )
        let (weights, bias) = (try random.tensor([sizes.inner, sizes.columns]), try random.tensor([sizes.columns]))
        let sums = try linear(x, weights, bias, extra, sizes) { $0 }.array(of: Double.self)
        for activation in [ActivationKernel.none, .relu, .leakyRelu(slope: 0.5)] {
            var product = try MatrixProduct(left: x.shape, right: weights.shape)
            product.activation = activation
            let results = try [1, 2].map { threads in
                let context = RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil))
                let layer = try #require(
                    try LinearLayer(
                        product, right: ValueInfo(weights), type: ValueType(extra), bias: 2, residual: 3,
                        matrices: matrices, usesStrassen: true, context: context))
                #expect(layer.kernelName == "gemm, packed weights, Strassen")
                return try layer.execute([x, weights, bias, extra], ValueType(extra), context)
            }
            let slope = activation == .none ? 1 : activation == .relu ? 0 : 0.5
            let expected = try Tensor(sums.map { max(0, $0) + slope * min(0, $0) }, shape: extra.shape)
            #expect(difference(results[0], expected) <= 2e-6)
            #expect(try results[0].array(of: Float.self) == results[1].array(of: Float.self))
        }
    }

    @Test func largeProductsAreHalved() {
        #expect(LinearLayer.StrassenCut.pays(rows: 4096, columns: 768, inner: 768))
        #expect(!LinearLayer.StrassenCut.pays(rows: 196, columns: 768, inner: 768))
        // An odd depth has no halves.
        #expect(LinearLayer.StrassenCut(rows: 2000, columns: 800, inner: 769, .best) == nil)
    }

    private func linear(
        _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ extra: Tensor, _ sizes: Sizes, _ function: (Double) -> Double
    ) throws -> Tensor {
        let (a, b) = (try x.array(of: Float.self), try weights.array(of: Float.self))
        let (c, d) = (try bias.array(of: Float.self), try extra.array(of: Float.self))
        let results = d.indices.map { index -> Double in
            let (row, column) = (index / sizes.columns, index % sizes.columns)
            var sum = Double(c[column]) + Double(d[index])
            for k in 0..<sizes.inner { sum += Double(a[row * sizes.inner + k]) * Double(b[k * sizes.columns + column]) }
            return function(sum)
        }
        return try Tensor(results, shape: sizes.batch + [sizes.columns])
    }
}
