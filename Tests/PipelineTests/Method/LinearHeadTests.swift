import ONNXLoader
import Runtime
import Testing

@testable import Pipeline

/// Small graphs made in place.
enum TestGraph {
    static func constant(_ values: [Float], _ shape: [Int]) throws -> ConstantTensor {
        try ConstantTensor(
            elementType: .float32, shape: shape,
            payload: .bytes(ByteRegion(copying: values.flatMap { withUnsafeBytes(of: $0.bitPattern, Array.init) })))
    }

    static func constant(_ values: [Int64]) throws -> ConstantTensor {
        try ConstantTensor(
            elementType: .int64, shape: [values.count],
            payload: .bytes(ByteRegion(copying: values.flatMap { withUnsafeBytes(of: $0, Array.init) })))
    }

    static func node(
        _ operatorName: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:]
    ) -> Node {
        Node(name: output, operatorName: operatorName, inputs: inputs, outputs: [output], attributes: attributes)
    }

    static func value(
        _ name: String, _ shape: [Int?]?, _ elementType: ElementType = .float32
    ) -> ValueDeclaration {
        ValueDeclaration(
            name: name,
            kind: .tensor(elementType, shape: shape?.map { $0.map { .fixed($0) } ?? .unknown }))
    }

    static func graph(
        _ nodes: [Node], inputs: [ValueDeclaration] = [value("image", [1, 3, nil, nil])], outputs: [String] = ["logit"],
        initializers: [String: ConstantTensor] = [:]
    ) -> Graph {
        Graph(
            nodes: nodes, inputs: inputs, outputs: outputs.map { value($0, nil) }, initializers: initializers)
    }
}

@Suite struct LinearHeadTests {
    /// A convolution's features, the given nodes, weights of three channels for one class and two classes.
    private static func head(_ nodes: [Node], outputs: [String] = ["logit"]) throws -> Graph {
        TestGraph.graph(
            [TestGraph.node("Conv", ["image", "kernel"], "features")] + nodes, outputs: outputs,
            initializers: [
                "kernel": try TestGraph.constant([Float](repeating: 0, count: 9), [3, 3, 1, 1]),
                "row": try TestGraph.constant([1, 2, 3], [1, 3]),
                "column": try TestGraph.constant([1, 2, 3], [3, 1]),
                "rows": try TestGraph.constant([1, 2, 3, 10, 30, 50], [2, 3]),
                "columns": try TestGraph.constant([1, 10, 2, 30, 3, 50], [3, 2]),
                "bias": try TestGraph.constant([7], [1]),
                "biases": try TestGraph.constant([7, 8], [2]),
                "spatial": try TestGraph.constant([-1, 2]),
                "first": try TestGraph.constant([1, 2]),
                "wrong": try TestGraph.constant([2]),
            ])
    }

    private static let pool = TestGraph.node("GlobalAveragePool", ["features"], "pooled")
    private static let flat = TestGraph.node("Flatten", ["pooled"], "flat")

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let nodes: [Node]
        var weights: [Float] = [1, 2, 3]
        var logits = "logit"
        var channelsLast = false
    }

    static let cases: [Case] = [
        Case(
            testDescription: "GlobalAveragePool, Flatten, Gemm with transB",
            nodes: [pool, flat, TestGraph.node("Gemm", ["flat", "row", "bias"], "logit", ["transB": .int(1)])]),
        Case(
            testDescription: "Gemm with alpha",
            nodes: [
                pool, flat, TestGraph.node("Gemm", ["flat", "column", "bias"], "logit", ["alpha": .float(-2)]),
            ], weights: [-2, -4, -6]),
        Case(
            testDescription: "ReduceMean by attribute, MatMul, Add, Sigmoid",
            nodes: [
                TestGraph.node("ReduceMean", ["features"], "pooled", ["axes": .ints([2, 3]), "keepdims": .int(0)]),
                TestGraph.node("MatMul", ["pooled", "column"], "product"),
                TestGraph.node("Add", ["bias", "product"], "sum"), TestGraph.node("Sigmoid", ["sum"], "logit"),
            ], logits: "sum"),
        Case(
            testDescription: "ReduceMean by input, Squeeze, Dropout, Identity, Reshape, two classes, Softmax",
            nodes: [
                TestGraph.node("ReduceMean", ["features", "spatial"], "pooled"),
                TestGraph.node("Squeeze", ["pooled"], "a"), TestGraph.node("Dropout", ["a"], "b"),
                TestGraph.node("Identity", ["b"], "c"), TestGraph.node("Reshape", ["c", "shape"], "flat"),
                TestGraph.node("Gemm", ["flat", "rows", "biases"], "z", ["transB": .int(1)]),
                TestGraph.node("Softmax", ["z"], "logit"),
            ], weights: [9, 28, 47], logits: "z"),
        Case(
            testDescription: "two classes, weights by columns",
            nodes: [pool, flat, TestGraph.node("Gemm", ["flat", "columns", "biases"], "logit")], weights: [9, 28, 47]),
        Case(
            testDescription: "channels last",
            nodes: [
                TestGraph.node("ReduceMean", ["features", "first"], "pooled"),
                TestGraph.node("MatMul", ["pooled", "column"], "logit"),
            ], channelsLast: true),
        Case(
            testDescription: "transposed initializer",
            nodes: [
                pool, flat, TestGraph.node("Transpose", ["row"], "turned", ["perm": .ints([1, 0])]),
                TestGraph.node("MatMul", ["flat", "turned"], "logit"),
            ]),
    ]

    @Test(arguments: cases) func recognised(_ test: Case) throws {
        for features in [nil, "features"] {
            let head = try LinearHead(in: try Self.head(test.nodes), logit: "logit", features: features)
            #expect(head.features == "features")
            #expect(head.weights == test.weights)
            #expect(head.logits == test.logits)
            #expect(head.channelsLast == test.channelsLast)
        }
    }

    @Test func manipulatedClassMayBeTheFirst() throws {
        let graph = try Self.head(Self.cases[4].nodes)
        #expect(try LinearHead(in: graph, manipulatedClass: 0).weights == [-9, -28, -47])
        #expect(throws: LinearHeadError.notBinary(classes: 2)) { try LinearHead(in: graph, manipulatedClass: 2) }
    }

    @Test func weightsInsideANode() throws {
        let constant = TestGraph.node(
            "Constant", [], "w", ["value": .tensor(try TestGraph.constant([4, 5, 6], [3, 1]))])
        let graph = try Self.head([Self.pool, Self.flat, constant, TestGraph.node("MatMul", ["flat", "w"], "logit")])
        #expect(try LinearHead(in: graph).weights == [4, 5, 6])
    }

    static let others: [(reason: String, nodes: [Node])] = [
        (
            "stands before the dense layer",
            [TestGraph.node("Relu", ["features"], "r"), TestGraph.node("MatMul", ["r", "column"], "logit")]
        ),
        (
            "Relu stands before",
            [pool, flat, TestGraph.node("Relu", ["flat"], "r"), TestGraph.node("Gemm", ["r", "column"], "logit")]
        ),
        (
            "not over height and width",
            [
                TestGraph.node("ReduceMean", ["features", "wrong"], "pooled"),
                TestGraph.node("MatMul", ["pooled", "column"], "logit"),
            ]
        ),
        ("Conv makes", [TestGraph.node("Conv", ["features", "kernel"], "logit")]),
        ("not a constant matrix", [pool, flat, TestGraph.node("MatMul", ["flat", "pooled"], "logit")]),
        (
            "transposes its input",
            [pool, flat, TestGraph.node("Gemm", ["flat", "column"], "logit", ["transA": .int(1)])]
        ),
        ("not a dense layer's bias", [pool, flat, TestGraph.node("Add", ["flat", "pooled"], "logit")]),
        ("no dense layer", [TestGraph.node("Identity", ["logit"], "logit")]),
        (
            "Identity stands before",
            [TestGraph.node("Identity", ["a"], "a"), TestGraph.node("MatMul", ["a", "column"], "logit")]
        ),
    ]

    @Test(arguments: others.indices) func otherHeadsNeedGradients(_ index: Int) throws {
        let (reason, nodes) = Self.others[index]
        let error = #expect(throws: LinearHeadError.self) { try LinearHead(in: try Self.head(nodes)) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.description.contains("no closed form") == true)
    }

    @Test func namesAreChecked() throws {
        let graph = try Self.head(Self.cases[0].nodes)
        #expect(throws: LinearHeadError.noSuchValue("there is no value \"z\" in the graph")) {
            try LinearHead(in: graph, logit: "z")
        }
        #expect(throws: LinearHeadError.noSuchValue("there is no value \"f\" in the graph")) {
            try LinearHead(in: graph, features: "f")
        }
        let error = #expect(throws: LinearHeadError.self) { try LinearHead(in: graph, features: "image") }
        #expect(error?.description.contains("\"features\" is pooled for the logit, not \"image\"") == true)
    }

    @Test func activationByHand() throws {
        let head = try LinearHead(in: try Self.head(Self.cases[0].nodes))
        // Two images of three channels, 1 x 2: w = (1, 2, 3).
        let values: [Float] = [0, 0, 0, 0, 0, 0, 1, -1, 2, 0.5, -1, -3]
        let features = try Tensor(values, shape: [2, 3, 1, 2])
        // 1 + 4 - 3 = 2, -1 + 1 - 9 = -9 → 0
        let map = try head.activation(of: features, image: 1)
        #expect(map == (try FloatMap(width: 2, height: 1, values: [2, 0])))
        #expect(try head.activation(of: features).values == [0, 0])
        #expect(throws: LinearHeadError.self) { try head.activation(of: features, image: 2) }
        #expect(throws: LinearHeadError.self) { try head.activation(of: try Tensor(values, shape: [2, 2, 1, 3])) }
        #expect(throws: LinearHeadError.self) { try head.activation(of: try Tensor(values, shape: [2, 3, 2])) }
        let half = try Tensor(values.map { Float16($0) }, shape: [2, 3, 1, 2])
        #expect(try head.activation(of: half, image: 1).values == [2, 0])

        let last = try LinearHead(in: try Self.head(Self.cases[5].nodes))
        let turned = try Tensor([Float(1), 2, -1, -1, 0.5, -3], shape: [1, 1, 2, 3])
        #expect(try last.activation(of: turned).values == [2, 0])
    }
}
