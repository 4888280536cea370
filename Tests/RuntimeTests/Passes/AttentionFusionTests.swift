import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// An attention in pieces is found, and computed tile by tile gives what the definition gives in binary64; so do its pieces
/// when somebody asks for them.
@Suite struct AttentionFusionTests {
    /// How the pieces are put together.
    enum Form: CaseIterable {
        /// Scaled queries; a bias for each row and one for each column of the image that the keys are (SAM's encoder).
        case relativePositions
        /// Divided scores, a mask for all queries of each batch.
        case keyMask
        /// A bias of its own for each pair.
        case fullBias
        /// Queries and keys scaled each, keys given as columns, nothing added.
        case scaledKeys
    }

    struct Sizes: CustomTestStringConvertible {
        let batch: [Int]
        let queries, keys: (rows: Int, columns: Int)
        let headSize, valueSize: Int
        var testDescription: String { "\(batch) \(queries) \(keys) \(headSize) \(valueSize)" }
    }

    static let sizes = [
        Sizes(batch: [3], queries: (7, 7), keys: (7, 7), headSize: 16, valueSize: 16),
        Sizes(batch: [2, 3], queries: (5, 10), keys: (3, 5), headSize: 5, valueSize: 9),
        Sizes(batch: [1], queries: (1, 1), keys: (1, 3), headSize: 1, valueSize: 1),
        Sizes(batch: [1, 2], queries: (13, 9), keys: (45, 46), headSize: 8, valueSize: 20),
        // Several tiles, and biases that products add: whole rows of 40 keys.
        Sizes(batch: [1], queries: (12, 34), keys: (13, 40), headSize: 7, valueSize: 6),
    ]

    @Test(arguments: Form.allCases, sizes)
    func piecesAreFused(_ form: Form, _ sizes: Sizes) throws {
        var random = SplitMix64(state: 11)
        let (queries, keys) = (sizes.queries.rows * sizes.queries.columns, sizes.keys.rows * sizes.keys.columns)
        var graph = Graph()
        var inputs: [String: Tensor] = [:]
        func input(_ name: String, _ shape: [Int]) throws {
            graph.inputs.append(ValueDeclaration(name: name, kind: .tensor(.float32, shape: shape.map { .fixed($0) })))
            inputs[name] = try random.tensor(shape)
        }
        func constant(_ name: String, _ values: [Int64]) throws {
            graph.initializers[name] = try ConstantTensor(Tensor(values, shape: [values.count]))
        }
        func node(_ operatorName: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:])
        {
            graph.nodes.append(
                Node(operatorName: operatorName, inputs: inputs, outputs: [output], attributes: attributes))
        }
        let rank = sizes.batch.count + 2
        graph.initializers["factor"] = try ConstantTensor(Tensor(Float(0.7)))
        try input("q", sizes.batch + [queries, sizes.headSize])
        try input(
            "k",
            sizes.batch + [form == .scaledKeys ? sizes.headSize : keys, form == .scaledKeys ? keys : sizes.headSize])
        try input("v", sizes.batch + [keys, sizes.valueSize])
        let exchanged: [Int64] = (0..<rank - 2).map { Int64($0) } + [Int64(rank - 1), Int64(rank - 2)]
        switch form {
        case .relativePositions:
            let image = sizes.batch + [sizes.queries.rows, sizes.queries.columns]
            try input("rows", image + [sizes.keys.rows, 1])
            try input("columns", image + [1, sizes.keys.columns])
            try constant("image", (image + [sizes.keys.rows, sizes.keys.columns]).map(Int64.init))
            try constant("matrix", (sizes.batch + [queries, keys]).map(Int64.init))
            node("Mul", ["q", "factor"], "scaled")
            node("Transpose", ["k"], "transposed", ["perm": .ints(exchanged)])
            node("MatMul", ["scaled", "transposed"], "products")
            node("Reshape", ["products", "image"], "places")
            node("Add", ["places", "rows"], "first")
            node("Add", ["first", "columns"], "second")
            node("Reshape", ["second", "matrix"], "scores")
        case .keyMask:
            try input("mask", Array(sizes.batch.prefix(1)) + Array(repeating: 1, count: rank - 2) + [keys])
            node("Transpose", ["k"], "transposed", ["perm": .ints(exchanged)])
            node("MatMul", ["q", "transposed"], "products")
            node("Div", ["products", "factor"], "divided")
            node("Add", ["mask", "divided"], "scores")
        case .fullBias:
            try input("bias", sizes.batch + [queries, keys])
            node("Transpose", ["k"], "transposed", ["perm": .ints(exchanged)])
            node("MatMul", ["q", "transposed"], "products")
            node("Add", ["products", "bias"], "scores")
        case .scaledKeys:
            node("Mul", ["q", "factor"], "scaled")
            node("Mul", ["k", "factor"], "transposed")
            node("MatMul", ["scaled", "transposed"], "scores")
        }
        node("Softmax", ["scores"], "probabilities", ["axis": .int(-1)])
        node("MatMul", ["probabilities", "v"], "y")
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        let session = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 2))
        let summary = try session.summary(for: inputs.mapValues { ValueType($0) })
        #expect(summary.steps.map(\.kernel) == ["tiled attention"])
        let fused = try #require(try session.run(inputs)["y"])
        let exact = try inBinary64(graph, inputs)
        let parts = try session.run(inputs, outputs: graph.nodes.map { $0.outputs[0] })
        #expect(difference(fused, exact) <= 1e-6)
        #expect(difference(try #require(parts["y"]), exact) <= 4e-6)
        let single = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 1)).run(inputs)["y"]
        #expect(
            try fused.array(of: Float.self) == single?.array(of: Float.self), "the number of threads changes the result"
        )
    }

    /// The pieces computed in binary64.
    private func inBinary64(_ graph: Graph, _ inputs: [String: Tensor]) throws -> Tensor {
        var graph = graph
        graph.inputs = try graph.inputs.map {
            ValueDeclaration(
                name: $0.name, kind: .tensor(.float64, shape: try #require(inputs[$0.name]).shape.map { .fixed($0) }))
        }
        graph.initializers["factor"] = try ConstantTensor(Tensor(Double(Float(0.7))))
        let session = try Session(Model(opsets: ["": 17], graph: graph))
        return try #require(try session.run(inputs.mapValues { try $0.converted(to: .float64) })["y"])
    }

    /// Hidden keys count for nothing, in whichever block they are; a query that sees nothing gives NaN as Softmax does.
    @Test func hiddenKeysDoNotCount() throws {
        let (queries, keys) = (3, 1500)
        var random = SplitMix64(state: 2)
        var mask = [Float](repeating: 0, count: queries * keys)
        for key in 0..<1100 { mask[key] = -.infinity }
        for key in 200..<keys { mask[keys + key] = -.infinity }
        for key in 0..<keys { mask[2 * keys + key] = -.infinity }
        let attention = TiledAttention(
            batch: 1, queries: queries, keys: keys, headSize: 4, valueSize: 2, scale: 1,
            query: ScatteredRows(input: 0, batch: 1, rows: queries, columns: 4),
            key: ScatteredRows(input: 1, batch: 1, rows: keys, columns: 4),
            value: ScatteredRows(input: 2, batch: 1, rows: keys, columns: 2),
            biases: [.init(input: 3, starts: [0], queryStride: keys, divisor: 1, modulus: keys)],
            type: ValueType(.float32, [queries, 2]))
        let operands = [
            try random.tensor([queries, 4]), try random.tensor([keys, 4]), try random.tensor([keys, 2]),
            try Tensor(mask, shape: [queries, keys]),
        ]
        let context = RunContext(pool: ThreadPool(threads: 1), budget: MemoryBudget(limit: nil))
        let result = try attention.execute(operands, attention.type, context).array(of: Float.self)
        let (query, key, value) = (
            try operands[0].array(of: Float.self), try operands[1].array(of: Float.self),
            try operands[2].array(of: Float.self)
        )
        for (row, visible) in [(0, 1100..<keys), (1, 0..<200)] {
            var (sum, totals) = (0.0, [0.0, 0.0])
            for position in visible {
                let weight = exp((0..<4).reduce(0.0) { $0 + Double(query[row * 4 + $1] * key[position * 4 + $1]) })
                sum += weight
                for column in 0..<2 { totals[column] += weight * Double(value[position * 2 + column]) }
            }
            for column in 0..<2 { #expect(abs(Double(result[row * 2 + column]) - totals[column] / sum) <= 1e-5) }
        }
        #expect(result[4].isNaN && result[5].isNaN)
    }

    /// The kernels of all instruction sets give what the best one gives.
    @Test(arguments: MatrixKernel.all)
    func everyInstructionSetAgrees(_ matrices: MatrixKernel) throws {
        var random = SplitMix64(state: 6)
        let (batch, queries, keys) = (2, 77, 1050)
        var attention = TiledAttention(
            batch: batch, queries: queries, keys: keys, headSize: 19, valueSize: 21, scale: 0.5,
            query: ScatteredRows(input: 0, batch: batch, rows: queries, columns: 19),
            key: ScatteredRows(input: 1, batch: batch, rows: keys, columns: 19),
            value: ScatteredRows(input: 2, batch: batch, rows: keys, columns: 21),
            biases: [
                .init(input: 3, starts: [0, queries * 30], queryStride: 30, divisor: 35, modulus: 30),
                .init(input: 4, starts: [0, 0], queryStride: 0, divisor: 1, modulus: keys),
            ], type: ValueType(.float32, [batch, queries, 21]))
        let operands = try [
            [batch, queries, 19], [batch, keys, 19], [batch, keys, 21], [batch, queries, 30], [keys],
        ].map { try random.tensor($0) }
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let expected = try attention.execute(operands, attention.type, context)
        attention.matrices = matrices
        #expect(difference(try attention.execute(operands, attention.type, context), expected) <= 1e-6)
    }

    /// Gelu as exporters write it in pieces becomes one activation, in the same pass as the product before it.
    @Test func geluIsRecognized() throws {
        var random = SplitMix64(state: 5)
        var graph = Graph()
        graph.nodes = [
            Node(operatorName: "MatMul", inputs: ["x", "weights"], outputs: ["product"]),
            Node(operatorName: "Add", inputs: ["product", "bias"], outputs: ["hidden"]),
            Node(operatorName: "Div", inputs: ["hidden", "root"], outputs: ["argument"]),
            Node(operatorName: "Erf", inputs: ["argument"], outputs: ["error"]),
            Node(operatorName: "Add", inputs: ["error", "one"], outputs: ["sum"]),
            Node(operatorName: "Mul", inputs: ["hidden", "sum"], outputs: ["twice"]),
            Node(operatorName: "Mul", inputs: ["twice", "half"], outputs: ["y"]),
        ]
        graph.inputs = [ValueDeclaration(name: "x", kind: .tensor(.float32, shape: [.fixed(9), .fixed(6)]))]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        graph.initializers = [
            "weights": try ConstantTensor(random.tensor([6, 50])), "bias": try ConstantTensor(random.tensor([50])),
            "root": try ConstantTensor(Tensor(Float(2).squareRoot())), "one": try ConstantTensor(Tensor(Float(1))),
            "half": try ConstantTensor(Tensor(Float(0.5))),
        ]
        let session = try Session(Model(opsets: ["": 17], graph: graph))
        let input = ["x": try random.tensor([9, 6])]
        #expect(
            try session.summary(for: input.mapValues { ValueType($0) }).steps.map(\.operatorName)
                == ["MatMul+Add+Gelu"])
        let fused = try #require(try session.run(input)["y"])
        let parts = try session.run(input, outputs: graph.nodes.map { $0.outputs[0] })
        #expect(difference(fused, try #require(parts["y"])) <= 1e-6)
    }
}
