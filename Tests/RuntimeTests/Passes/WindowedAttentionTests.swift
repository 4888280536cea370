import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// A block of an image encoder that attends in windows (SAM's): what pads, splits and transposes between its products is
/// left out, and products are computed for the image's own positions alone.
@Suite struct WindowedAttentionTests {
    struct Sizes: CustomTestStringConvertible {
        /// Image, windows along a side, a window's side.
        let height, width, window: Int
        let heads, headSize: Int
        var features: Int { heads * headSize }
        var padded: (rows: Int, columns: Int) {
            ((height + window - 1) / window * window, (width + window - 1) / window * window)
        }
        var testDescription: String { "\(height)×\(width) in windows of \(window), \(heads) heads of \(headSize)" }
    }

    static let sizes = [
        Sizes(height: 8, width: 8, window: 5, heads: 2, headSize: 4),
        Sizes(height: 7, width: 12, window: 6, heads: 3, headSize: 5),
        Sizes(height: 8, width: 4, window: 4, heads: 2, headSize: 3),
        Sizes(height: 17, width: 20, window: 14, heads: 1, headSize: 16),
    ]

    /// The block's nodes, as exporters write them, with constants from `random`.
    private func block(_ sizes: Sizes, padding: Float = 0, _ random: inout SplitMix64) throws -> Graph {
        var graph = Graph()
        func constant(_ name: String, _ shape: [Int]) throws {
            graph.initializers[name] = try ConstantTensor(random.tensor(shape))
        }
        func integers(_ name: String, _ values: [Int]) throws -> String {
            graph.initializers[name] = try ConstantTensor(Tensor(values.map { Int64($0) }, shape: [values.count]))
            return name
        }
        func node(
            _ operatorName: String, _ inputs: [String], _ outputs: [String], _ attributes: [String: Attribute] = [:]
        ) {
            graph.nodes.append(
                Node(operatorName: operatorName, inputs: inputs, outputs: outputs, attributes: attributes))
        }
        func reshape(_ input: String, _ output: String, _ shape: [Int]) throws {
            node("Reshape", [input, try integers("shape of \(output)", shape)], [output])
        }
        func transpose(_ input: String, _ output: String, _ order: [Int]) {
            node("Transpose", [input], [output], ["perm": .ints(order.map { Int64($0) })])
        }
        let (window, features) = (sizes.window, sizes.features)
        let (rows, columns) = (sizes.padded.rows / window, sizes.padded.columns / window)
        let (windows, tokens) = (rows * columns, window * window)
        let pairs = windows * sizes.heads
        try constant("qkv weights", [features, 3 * features])
        try constant("qkv bias", [3 * features])
        try constant("out weights", [features, features])
        try constant("out bias", [features])
        try constant("vertical", [window, window, sizes.headSize])
        try constant("horizontal", [window, window, sizes.headSize])
        graph.initializers["scale"] = try ConstantTensor(Tensor(Float(0.5)))
        graph.initializers["padding"] = try ConstantTensor(Tensor(padding))

        let pads = [0, 0, 0, 0, 0, sizes.padded.rows - sizes.height, sizes.padded.columns - sizes.width, 0]
        node("Pad", ["x", try integers("pads", pads), "padding"], ["padded"])
        try reshape("padded", "split", [1, rows, window, columns, window, features])
        transpose("split", "windows", [0, 1, 3, 2, 4, 5])
        try reshape("windows", "tokens", [windows, window, window, features])
        node("MatMul", ["tokens", "qkv weights"], ["products"])
        node("Add", ["qkv bias", "products"], ["qkv"])
        try reshape("qkv", "parts", [windows, tokens, 3, sizes.heads, sizes.headSize])
        transpose("parts", "by part", [2, 0, 3, 1, 4])
        try reshape("by part", "pairs", [3, pairs, tokens, sizes.headSize])
        node("Split", ["pairs", try integers("ones", [1, 1, 1])], ["q0", "k0", "v0"], ["axis": .int(0)])
        let first = try integers("first", [0])
        for name in ["q", "k", "v"] { node("Squeeze", ["\(name)0", first], [name]) }
        node("Mul", ["q", "scale"], ["scaled"])
        transpose("k", "transposed", [0, 2, 1])
        node("MatMul", ["scaled", "transposed"], ["scores"])
        try reshape("q", "image", [pairs, window, window, sizes.headSize])
        node("Einsum", ["image", "vertical"], ["by row"], ["equation": .text("bhwc,hkc->bhwk")])
        node("Einsum", ["image", "horizontal"], ["by column"], ["equation": .text("bhwc,wkc->bhwk")])
        try reshape("scores", "places", [pairs, window, window, window, window])
        node("Unsqueeze", ["by row", try integers("last", [4])], ["rows"])
        node("Add", ["places", "rows"], ["first sum"])
        node("Unsqueeze", ["by column", try integers("fourth", [3])], ["columns"])
        node("Add", ["first sum", "columns"], ["second sum"])
        try reshape("second sum", "biased", [pairs, tokens, tokens])
        node("Softmax", ["biased"], ["probabilities"], ["axis": .int(-1)])
        node("MatMul", ["probabilities", "v"], ["attended"])
        try reshape("attended", "by head", [windows, sizes.heads, window, window, sizes.headSize])
        transpose("by head", "by token", [0, 2, 3, 1, 4])
        try reshape("by token", "joined", [windows, window, window, features])
        node("MatMul", ["joined", "out weights"], ["out products"])
        node("Add", ["out bias", "out products"], ["out"])
        try reshape("out", "out windows", [1, rows, columns, window, window, features])
        transpose("out windows", "out rows", [0, 1, 3, 2, 4, 5])
        try reshape("out rows", "whole", [1, sizes.padded.rows, sizes.padded.columns, features])
        for (axis, size, input, output) in [(1, sizes.height, "whole", "cut"), (2, sizes.width, "cut", "result")] {
            node(
                "Slice",
                [
                    input, first, try integers("end \(axis)", [size]), try integers("axis \(axis)", [axis]),
                ], [output])
        }
        node("Add", ["x", "result"], ["y"])
        graph.inputs = [
            ValueDeclaration(
                name: "x",
                kind: .tensor(.float32, shape: [1, sizes.height, sizes.width, features].map { .fixed($0) }))
        ]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        return graph
    }

    @Test(arguments: sizes)
    func nothingIsMoved(_ sizes: Sizes) throws {
        var random = SplitMix64(state: 21)
        let graph = try block(sizes, &random)
        let session = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 2))
        let input = ["x": try random.tensor([1, sizes.height, sizes.width, sizes.features])]
        let steps = try session.summary(for: input.mapValues { ValueType($0) }).steps.filter { $0.kernel != "view" }
        let isPadded = sizes.height * sizes.width < sizes.padded.rows * sizes.padded.columns
        if isPadded {
            #expect(
                steps.map(\.kernel).sorted() == [
                    "gemm, packed weights", "gemm, packed weights", "grouped gemm", "grouped gemm", "tiled attention",
                ])
            // Of padding nothing is computed but keys and values.
            #expect(
                steps.first { $0.kernel.hasPrefix("gemm") }?.multiplyAdds
                    == sizes.height * sizes.width * sizes.features * 3 * sizes.features)
        }
        let fused = try #require(try session.run(input)["y"])
        let parts = try session.run(input, outputs: graph.nodes.flatMap(\.outputs))
        #expect(difference(fused, try #require(parts["y"])) <= 5e-6)
        let single = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 1)).run(input)["y"]
        #expect(try fused.array(of: Float.self) == single?.array(of: Float.self))
    }

    /// A padding of other numbers is no row of the bias: its products are computed.
    @Test func otherPaddingStays() throws {
        var random = SplitMix64(state: 22)
        let graph = try block(Self.sizes[0], padding: 0.5, &random)
        let session = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 2))
        let input = ["x": try random.tensor([1, 8, 8, 8])]
        let fused = try #require(try session.run(input)["y"])
        #expect(
            try session.summary(for: input.mapValues { ValueType($0) }).steps.contains { $0.operatorName == "Pad" })
        let parts = try session.run(input, outputs: graph.nodes.flatMap(\.outputs))
        #expect(difference(fused, try #require(parts["y"])) <= 5e-6)
    }

    /// Values between that somebody asks for are still made, one at a time.
    @Test func everyValueCanBeAskedFor() throws {
        var random = SplitMix64(state: 23)
        let graph = try block(Self.sizes[1], &random)
        let session = try Session(Model(opsets: ["": 17], graph: graph), options: .init(threads: 2))
        let input = ["x": try random.tensor([1, 7, 12, 15])]
        let names = graph.nodes.flatMap(\.outputs)
        let parts = try session.run(input, outputs: names)
        for name in names {
            let both = try session.run(input, outputs: [name, "y"])
            for wanted in [name, "y"] {
                #expect(
                    difference(try #require(both[wanted]), try #require(parts[wanted])) <= 5e-6,
                    "\(wanted) with \(name)")
            }
        }
    }

    /// The gradient is that of the parts: it agrees with differences of the fused result.
    @Test func gradientOfTheBlock() throws {
        var random = SplitMix64(state: 24)
        let sizes = Self.sizes[0]
        let session = try Session(
            Model(opsets: ["": 17], graph: block(sizes, &random)), options: .init(threads: 2))
        let shape = [1, sizes.height, sizes.width, sizes.features]
        let (point, seed, direction) = (
            try random.tensor(shape), try random.tensor(shape), try random.tensor(shape)
        )
        let gradients = try session.gradient(of: "y", at: .tensor(seed), withRespectTo: ["x"], inputs: ["x": point])
        let slope = zip(try #require(gradients["x"]).doubles(), try direction.doubles()).reduce(0) { $0 + $1.0 * $1.1 }
        func weighted(_ distance: Float) throws -> Double {
            let moved = try zip(point.array(of: Float.self), direction.array(of: Float.self)).map {
                $0 + distance * $1
            }
            let result = try #require(try session.run(["x": Tensor(moved, shape: shape)])["y"])
            return zip(try result.doubles(), try seed.doubles()).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let numeric = (try weighted(1e-2) - weighted(-1e-2)) / 2e-2
        #expect(abs(numeric - slope) <= 1e-2 * max(1, abs(slope)))
    }
}
