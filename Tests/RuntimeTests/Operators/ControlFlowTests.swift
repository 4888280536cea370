import ONNXLoader
import Testing

@testable import Runtime

/// Graphs inside nodes: values by hand, under the definitions of the ONNX specification. The node cases of the `onnx`
/// package cover the operators; here is what lies around them.
@Suite struct ControlFlowTests {
    private static let any = ValueDeclaration.Kind.undeclared

    private static func graph(_ nodes: [Node], inputs: [String] = [], outputs: [String]) -> Graph {
        Graph(
            nodes: nodes, inputs: inputs.map { ValueDeclaration(name: $0, kind: any) },
            outputs: outputs.map { ValueDeclaration(name: $0, kind: any) })
    }

    /// `x` doubled when `flag` is set, else less a weight of the graph around it; `x` goes through an Identity first.
    private static var branching: Model {
        let twice = graph([Node(operatorName: "Add", inputs: ["same", "same"], outputs: ["sum"])], outputs: ["sum"])
        let less = graph([Node(operatorName: "Sub", inputs: ["same", "weight"], outputs: ["rest"])], outputs: ["rest"])
        var whole = graph(
            [
                Node(operatorName: "Identity", inputs: ["x"], outputs: ["same"]),
                Node(
                    operatorName: "If", inputs: ["flag"], outputs: ["chosen"],
                    attributes: ["then_branch": .graph(twice), "else_branch": .graph(less)]),
                Node(operatorName: "Neg", inputs: ["chosen"], outputs: ["y"]),
            ], inputs: ["x", "flag"], outputs: ["y"])
        whole.initializers["weight"] = try? ConstantTensor(Tensor([Float(1), 2], shape: [2]))
        return Model(graph: whole)
    }

    private static func run(_ model: Model, flag: Bool) throws -> [Float] {
        let x = try Tensor([Float(3), 5], shape: [2])
        return try Session(model).run(["x": x, "flag": Tensor(flag)])["y"]!.array()
    }

    @Test func aBranchSeesTheGraphAroundIt() throws {
        #expect(try Self.run(Self.branching, flag: true) == [-6, -10])
        #expect(try Self.run(Self.branching, flag: false) == [-2, -3])
    }

    /// Passes rename values that graphs inside nodes read.
    @Test func anOptimisedModelStillFindsThem() throws {
        let (model, _) = try Optimizer.optimize(Self.branching)
        #expect(!model.graph.nodes.contains { $0.operatorName == "Identity" })
        #expect(model.graph.nodes.first { $0.operatorName == "If" }?.inputs == ["flag"])
        #expect(try Self.run(model, flag: true) == [-6, -10])
        #expect(try Self.run(model, flag: false) == [-2, -3])
    }

    /// A function whose body holds a graph: its names and attributes are the call's inside that graph too.
    @Test func functionsAreInlinedIntoGraphs() throws {
        let body = Self.graph(
            [
                Node(operatorName: "Constant", outputs: ["k"], attributes: ["value_float": .reference("amount")]),
                Node(operatorName: "Mul", inputs: ["input", "k"], outputs: ["product"]),
            ], outputs: ["product"])
        let function = Function(
            name: "Scaled", domain: "own", inputs: ["input", "condition"], outputs: ["output"], attributes: ["amount"],
            opsets: ["": 17],
            nodes: [
                Node(
                    operatorName: "If", inputs: ["condition"], outputs: ["output"],
                    attributes: ["then_branch": .graph(body), "else_branch": .graph(body)])
            ])
        let model = Model(
            opsets: ["": 17, "own": 1],
            graph: Self.graph(
                [
                    Node(
                        operatorName: "Scaled", domain: "own", inputs: ["x", "flag"], outputs: ["y"],
                        attributes: ["amount": .float(3)])
                ], inputs: ["x", "flag"], outputs: ["y"]), functions: [function])
        #expect(try Self.run(model, flag: true) == [9, 15])
    }

    /// Sums 0 + 1 + 2 + … until the sum passes a limit that the graph around it knows; the sums are stacked.
    @Test func aLoopEndsByItsCondition() throws {
        let body = Self.graph(
            [
                Node(operatorName: "Add", inputs: ["sum", "trip"], outputs: ["next"]),
                Node(operatorName: "Less", inputs: ["next", "limit"], outputs: ["goesOn"]),
                Node(operatorName: "Identity", inputs: ["next"], outputs: ["shown"]),
            ], inputs: ["trip", "condition", "sum"], outputs: ["goesOn", "next", "shown"])
        let model = Model(
            graph: Self.graph(
                [
                    Node(
                        operatorName: "Loop", inputs: ["", "", "start"], outputs: ["last", "all"],
                        attributes: ["body": .graph(body)])
                ], inputs: ["start", "limit"], outputs: ["last", "all"]))
        let outputs = try Session(model).run(["start": Tensor(Int64(0)), "limit": Tensor(Int64(9))])
        #expect(try outputs["last"]?.array(of: Int64.self) == [10])
        #expect(try outputs["all"]?.array(of: Int64.self) == [0, 1, 3, 6, 10])
    }

    /// What a sequence holds is kept while the memory that it was computed in is used again.
    @Test func sequencesKeepTheirElements() throws {
        let model = Model(
            graph: Self.graph(
                [
                    Node(operatorName: "Neg", inputs: ["x"], outputs: ["a"]),
                    Node(operatorName: "SequenceConstruct", inputs: ["a"], outputs: ["first"]),
                    Node(operatorName: "Sign", inputs: ["x"], outputs: ["b"]),
                    Node(operatorName: "SequenceInsert", inputs: ["first", "b"], outputs: ["both"]),
                    Node(operatorName: "Abs", inputs: ["x"], outputs: ["c"]),
                    Node(operatorName: "Sqrt", inputs: ["c"], outputs: ["d"]),
                    Node(operatorName: "SequenceInsert", inputs: ["both", "d"], outputs: ["three"]),
                ], inputs: ["x"], outputs: ["three"]))
        let outputs = try Session(model).run(values: ["x": .tensor(try Tensor([Float(0), 4], shape: [2]))])
        guard case .sequence(let elements) = outputs["three"] else {
            Issue.record("no sequence")
            return
        }
        let expected: [[Float]] = [[0, -4], [0, 1], [0, 2]]
        #expect(try elements.map { try $0.tensor?.array(of: Float.self) } == expected)
    }

    @Test func aTensorIsAskedForWhereASequenceComesOut() throws {
        let model = Model(
            graph: Self.graph(
                [Node(operatorName: "SequenceConstruct", inputs: ["x"], outputs: ["s"])], inputs: ["x"], outputs: ["s"])
        )
        #expect(throws: RuntimeError.self) { try Session(model).run(["x": Tensor(Float(1))]) }
    }

    @Test func deepNestingIsRefused() {
        let leaf = Self.graph([Node(operatorName: "Neg", inputs: ["x"], outputs: ["y"])], outputs: ["y"])
        var inner = leaf
        for _ in 0..<40 {
            inner = Self.graph(
                [
                    Node(
                        operatorName: "If", inputs: ["flag"], outputs: ["y"],
                        attributes: ["then_branch": .graph(inner), "else_branch": .graph(leaf)])
                ], outputs: ["y"])
        }
        #expect(throws: RuntimeError.self) { _ = try Session(Model(graph: inner)) }
    }
}
