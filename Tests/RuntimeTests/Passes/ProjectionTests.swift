import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Attention between linear layers gives, with their weights multiplied by the few, what its pieces give in binary64.
@Suite struct ProjectionTests {
    struct Sizes: CustomTestStringConvertible {
        var tokens, positions, inner, heads, headSize, valueSize: Int
        var testDescription: String { "\(tokens) of \(positions)×\(inner), \(heads) of \(headSize) and \(valueSize)" }
    }

    static let sizes = [
        Sizes(tokens: 10, positions: 700, inner: 64, heads: 4, headSize: 24, valueSize: 32),
        Sizes(tokens: 1, positions: 513, inner: 32, heads: 3, headSize: 16, valueSize: 5),
        Sizes(tokens: 6, positions: 1201, inner: 16, heads: 2, headSize: 17, valueSize: 12),
    ]

    @Test(arguments: sizes, [false, true])
    func fewQueries(_ sizes: Sizes, hasBiases: Bool) throws {
        try check(sizes, "few queries", hasBiases: hasBiases) { model in
            model.input("q", [1, sizes.heads, sizes.tokens, sizes.headSize])
            model.input("x", [1, sizes.positions, sizes.inner])
            model.input("y", [1, sizes.positions, sizes.inner])
            try model.heads("x", "k", sizes.positions, sizes.inner, sizes.heads, sizes.headSize, [0, 2, 3, 1])
            try model.heads("y", "v", sizes.positions, sizes.inner, sizes.heads, sizes.valueSize, [0, 2, 1, 3])
            model.attention()
            model.add("Identity", ["attention"], "result")
        }
    }

    @Test(arguments: sizes, [(false, false), (true, false), (true, true)])
    func fewKeys(_ sizes: Sizes, parts: (hasBiases: Bool, hasResidual: Bool)) throws {
        let (hasBiases, hasResidual) = parts
        try check(sizes, "few keys", hasBiases: hasBiases) { model in
            model.input("x", [1, sizes.positions, sizes.inner])
            model.input("k", [1, sizes.heads, sizes.headSize, sizes.tokens])
            model.input("v", [1, sizes.heads, sizes.tokens, sizes.valueSize])
            try model.heads("x", "q", sizes.positions, sizes.inner, sizes.heads, sizes.headSize, [0, 2, 1, 3])
            model.attention()
            model.add("Transpose", ["attention"], "turned", ["perm": .ints([0, 2, 1, 3])])
            let columns = sizes.heads * sizes.valueSize
            try model.shape("rows", [1, sizes.positions, columns])
            model.add("Reshape", ["turned", "rows"], "flat")
            try model.linear("flat", "joined", columns, 2 * sizes.inner)
            guard hasResidual else { return model.add("Identity", ["joined"], "result") }
            model.input("residual", [1, sizes.positions, 2 * sizes.inner])
            model.add("Add", ["residual", "joined"], "result")
        }
    }

    private func check(
        _ sizes: Sizes, _ kernel: String, hasBiases: Bool, _ build: (inout Writer) throws -> Void
    ) throws {
        func run(_ type: ElementType) throws -> (Tensor, kernels: [String]) {
            var writer = Writer(type: type, hasBiases: hasBiases)
            try build(&writer)
            writer.graph.outputs = [ValueDeclaration(name: "result", kind: .undeclared)]
            let session = try Session(
                Model(opsets: ["": 17], graph: writer.graph), options: .init(threads: 2))
            let kernels = try session.profile(writer.inputs).summary.steps.map(\.kernel)
            return (try #require(try session.run(writer.inputs)["result"]), kernels)
        }
        let (expected, _) = try run(.float64)
        let (result, kernels) = try run(.float32)
        #expect(kernels.contains(kernel))
        #expect(!kernels.contains("tiled attention"))
        #expect(difference(result, expected) <= 1e-5)
    }

    /// Nodes and values of a graph, the same ones in every element type.
    private struct Writer {
        let type: ElementType
        let hasBiases: Bool
        var graph = Graph()
        var inputs: [String: Tensor] = [:]
        var random = SplitMix64(state: 21)

        init(type: ElementType, hasBiases: Bool) {
            (self.type, self.hasBiases) = (type, hasBiases)
        }

        mutating func tensor(_ shape: [Int]) throws -> Tensor { try random.tensor(shape).converted(to: type) }

        mutating func input(_ name: String, _ shape: [Int]) {
            graph.inputs.append(ValueDeclaration(name: name, kind: .tensor(type, shape: shape.map { .fixed($0) })))
            inputs[name] = try? tensor(shape)
        }

        mutating func add(
            _ name: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:]
        ) {
            graph.nodes.append(Node(operatorName: name, inputs: inputs, outputs: [output], attributes: attributes))
        }

        mutating func shape(_ name: String, _ shape: [Int]) throws {
            graph.initializers[name] = try ConstantTensor(Tensor(shape.map(Int64.init), shape: [shape.count]))
        }

        mutating func linear(_ input: String, _ output: String, _ inner: Int, _ columns: Int) throws {
            graph.initializers[output + " weights"] = try ConstantTensor(tensor([inner, columns]))
            guard hasBiases else { return add("MatMul", [input, output + " weights"], output) }
            graph.initializers[output + " bias"] = try ConstantTensor(tensor([columns]))
            add("MatMul", [input, output + " weights"], output + " product")
            add("Add", [output + " bias", output + " product"], output)
        }

        mutating func heads(
            _ input: String, _ output: String, _ rows: Int, _ inner: Int, _ heads: Int, _ size: Int,
            _ permutation: [Int64]
        ) throws {
            try linear(input, output + " flat", inner, heads * size)
            try shape(output + " shape", [1, rows, heads, size])
            add("Reshape", [output + " flat", output + " shape"], output + " split")
            add("Transpose", [output + " split"], output, ["perm": .ints(permutation)])
        }

        mutating func attention() {
            graph.initializers["divisor"] = try? ConstantTensor(Tensor([3.0 as Float], shape: []).converted(to: type))
            add("MatMul", ["q", "k"], "products")
            add("Div", ["products", "divisor"], "scores")
            add("Softmax", ["scores"], "probabilities", ["axis": .int(-1)])
            add("MatMul", ["probabilities", "v"], "attention")
        }
    }
}

/// Attention of few queries, or to few keys, with every matrix kernel against its definition in binary64.
@Suite struct FewAttentionTests {
    @Test(arguments: MatrixKernel.all, [(1, 3, 5, 16), (7, 513, 20, 48), (80, 1100, 64, 96), (33, 512, 9, 16)])
    func fewQueries(_ matrices: MatrixKernel, _ sizes: (Int, Int, Int, Int)) throws {
        let (queries, keys, keySize, valueSize) = sizes
        var random = SplitMix64(state: 4)
        let operands = [
            try random.tensor([queries, keySize]), try random.tensor([keys, keySize]),
            try random.tensor([keys, valueSize]),
        ]
        let type = ValueType(.float32, [queries, valueSize])
        let attention = try #require(
            FewQueriesAttention(
                queries: queries, keys: keys, keySize: keySize, valueSize: valueSize, type: type, matrices: matrices))
        let (q, k, v) = (try doubles(operands[0]), try doubles(operands[1]), try doubles(operands[2]))
        var expected: [Double] = []
        for query in 0..<queries {
            var mixed = [Double](repeating: 0, count: valueSize)
            var sum = 0.0
            for key in 0..<keys {
                let power = exp(product(q, query * keySize, k, key * keySize, keySize))
                sum += power
                for column in 0..<valueSize { mixed[column] += power * v[key * valueSize + column] }
            }
            for number in mixed { expected.append(number / sum) }
        }
        try checkThreads(attention, operands, type, expected)
    }

    @Test(arguments: MatrixKernel.all, [(1, 3, 1, 1, 5), (97, 16, 4, 7, 33), (200, 40, 8, 10, 64)])
    func fewKeys(_ matrices: MatrixKernel, _ sizes: (Int, Int, Int, Int, Int)) throws {
        let (rows, inner, heads, keys, columns) = sizes
        var random = SplitMix64(state: 8)
        let operands = [
            try random.tensor([rows, inner]), try random.tensor([heads * keys, inner]),
            try random.tensor([heads * keys, columns]), try random.tensor([heads * keys]), try random.tensor([columns]),
            try random.tensor([rows, columns]),
        ]
        let type = ValueType(.float32, [rows, columns])
        let attention = try #require(
            FewKeysAttention(
                .init(rows: rows, inner: inner, heads: heads, keys: keys, columns: columns), type: type, offsets: 3,
                bias: 4, residual: 5, matrices: matrices))
        let (x, k, v) = (try doubles(operands[0]), try doubles(operands[1]), try doubles(operands[2]))
        let (offsets, bias) = (try doubles(operands[3]), try doubles(operands[4]))
        var expected = try doubles(operands[5])
        for row in 0..<rows {
            for column in 0..<columns { expected[row * columns + column] += bias[column] }
            for head in 0..<heads {
                var powers: [Double] = []
                for key in head * keys..<(head + 1) * keys {
                    powers.append(exp(offsets[key] + product(x, row * inner, k, key * inner, inner)))
                }
                let sum = powers.reduce(0, +)
                for key in 0..<keys {
                    let share = powers[key] / sum
                    let start = (head * keys + key) * columns
                    for column in 0..<columns { expected[row * columns + column] += share * v[start + column] }
                }
            }
        }
        try checkThreads(attention, operands, type, expected)
    }

    private func product(_ left: [Double], _ from: Int, _ right: [Double], _ start: Int, _ count: Int) -> Double {
        var sum = 0.0
        for index in 0..<count { sum += left[from + index] * right[start + index] }
        return sum
    }

    private func doubles(_ tensor: Tensor) throws -> [Double] { try tensor.array(of: Float.self).map(Double.init) }

    private func checkThreads(
        _ attention: any Runtime.Operator, _ operands: [Tensor], _ type: ValueType, _ expected: [Double]
    ) throws {
        func run(threads: Int) throws -> Tensor {
            try attention.execute(
                operands, type, RunContext(pool: ThreadPool(threads: threads), budget: MemoryBudget(limit: nil)))
        }
        let result = try run(threads: 2)
        #expect(difference(result, try Tensor(expected, shape: type.shape)) <= 1e-5)
        #expect(try result.array(of: Float.self) == run(threads: 1).array(of: Float.self))
    }
}
