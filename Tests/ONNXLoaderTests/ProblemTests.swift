import Foundation
import Testing

@testable import ONNXLoader

/// What is wrong with the structure of a model.
@Suite struct ProblemTests {
    private func node(_ name: String, _ inputs: [String], _ outputs: [String], _ inner: [Graph] = []) -> Node {
        Node(
            name: name, operatorName: "Any", inputs: inputs, outputs: outputs,
            attributes: inner.isEmpty ? [:] : ["body": .graphs(inner)])
    }

    private func graph(_ nodes: [Node], inputs: [String] = ["x"], outputs: [String] = []) -> Graph {
        Graph(
            nodes: nodes, inputs: inputs.map { ValueDeclaration(name: $0, kind: .undeclared) },
            outputs: outputs.map { ValueDeclaration(name: $0, kind: .undeclared) })
    }

    private func problems(
        _ nodes: [Node], inputs: [String] = ["x"], outputs: [String] = []
    ) -> [Problem] {
        Model(graph: graph(nodes, inputs: inputs, outputs: outputs)).problems()
    }

    @Test func soundModels() {
        #expect(problems([]).isEmpty)
        #expect(problems([node("a", ["x", ""], ["y", ""]), node("b", ["y"], ["z", ""])], outputs: ["z"]).isEmpty)
        // An inner graph sees what stands before it outside, and may define a name of its own that is used outside.
        let inner = graph([node("c", ["x", "y"], ["v"]), node("d", ["v"], ["z"])], inputs: [], outputs: ["z"])
        #expect(problems([node("a", ["x"], ["y"]), node("b", [], ["z"], [inner, inner])], outputs: ["z"]).isEmpty)
        // A value from outside may be an inner graph's output.
        #expect(problems([node("b", [], ["z"], [graph([], inputs: [], outputs: ["x"])])]).isEmpty)
    }

    @Test func initializersMayBeInputs() throws {
        let tensor = try ConstantTensor(elementType: .string, shape: [0], payload: .strings([]))
        var graph = graph([node("a", ["x", "w"], ["y"])], inputs: ["x", "w"])
        graph.initializers["w"] = tensor
        #expect(Model(graph: graph).problems().isEmpty)
        graph.nodes.append(node("b", ["x"], ["w"]))
        #expect(Model(graph: graph).problems().map(\.kind) == [.duplicate])
    }

    @Test func duplicates() {
        let found = problems([node("a", ["x"], ["y", "y"]), node("b", ["x"], ["x"])], inputs: ["x", "x"])
        #expect(found.map(\.kind) == [.duplicate, .duplicate, .duplicate])
        #expect(found.map(\.location) == ["input 'x'", "node 0 'a' (Any)", "node 1 'b' (Any)"])
    }

    @Test func undefinedNames() {
        let inner = graph([node("c", ["nothing"], ["v"])], inputs: [], outputs: ["w"])
        let found = problems([node("a", ["p", "p"], ["y"], [inner]), node("b", ["p", "v"], ["z"])], outputs: ["q"])
        #expect(found.allSatisfy { $0.kind == .undefined })
        #expect(
            found.map(\.location) == [
                "node 0 'a' (Any), attribute 'body'[0], node 0 'c' (Any)",
                "node 0 'a' (Any), attribute 'body'[0], output 'w'",
                "node 0 'a' (Any)", "node 1 'b' (Any)", "output 'q'",
            ])
        #expect(found[2].message.contains("3 uses"))
    }

    @Test func nodesOutOfOrder() {
        let found = problems([
            node("a", ["q"], ["r"]), node("b", ["p"], ["q"]), node("c", ["x"], ["p"]),
        ])
        #expect(found.map(\.kind) == [.order])
        #expect(found[0].location == "node 0 'a' (Any)")
        #expect(found[0].message.contains("'q' before node 1 'b' (Any)"))
        // An inner graph that uses a later value puts its node out of order.
        let inner = graph([node("c", ["y"], ["v"])], inputs: [], outputs: ["v"])
        let captured = problems([node("a", [], ["r"], [inner]), node("b", ["x"], ["y"])])
        #expect(captured.map(\.kind) == [.order])
        #expect(captured[0].location == "node 0 'a' (Any)")
    }

    @Test func cycles() {
        let found = problems([
            node("before", ["x"], ["p"]), node("a", ["c", "p"], ["a"]), node("b", ["a"], ["b"]),
            node("c", ["b"], ["c"]), node("after", ["c"], ["q"]),
        ])
        #expect(found.map(\.kind) == [.cycle])
        for name in ["'a'", "'b'", "'c'"] { #expect(found[0].message.contains(name)) }
        for name in ["before", "after"] { #expect(!found[0].message.contains(name)) }
        #expect(problems([node("a", ["y"], ["y"])]).map(\.kind) == [.cycle])
        // Through an inner graph that uses what its own node gives.
        let inner = graph([node("c", ["y"], ["v"])], inputs: [], outputs: ["v"])
        #expect(problems([node("a", [], ["y"], [inner])]).map(\.kind) == [.cycle])
    }

    /// A chain in reverse order: as many problems in the order as nodes, and no recursion as deep as the chain.
    @Test func longChains() {
        let count = 100_000
        let chain = (0..<count).map { node("", ["v\($0)"], ["v\($0 + 1)"]) }
        #expect(problems(chain, inputs: ["v0"]).isEmpty)
        #expect(problems(chain.reversed(), inputs: ["v0"]).map(\.kind) == [.order])
        #expect(problems(chain, inputs: []).map(\.kind) == [.undefined])
    }

    @Test func operatorSets() {
        var model = Model(opsets: ["": 17, "zero": 0], graph: graph([node("a", ["x"], ["y"])]))
        #expect(model.problems().map(\.kind) == [.operatorSet])
        let foreign = Node(name: "f", operatorName: "F", domain: "foreign")
        model.opsets = ["": 17]
        model.graph.nodes += [foreign, node("b", [], ["z"], [graph([foreign], inputs: [])])]
        let found = model.problems()
        #expect(found.map(\.kind) == [.operatorSet])
        #expect(found[0].location == "node 1 'f' (F)")
        #expect(found[0].message.contains("1 further"))
        model.functions = [Function(name: "F", domain: "foreign")]
        #expect(model.problems().isEmpty)
    }

    @Test func functions() {
        let reference = Node(
            name: "r", operatorName: "Any", inputs: ["x"], outputs: ["y"], attributes: ["a": .reference("slope")])
        var function = Function(
            name: "F", domain: "own", inputs: ["x"], outputs: ["y"], opsets: ["": 17], nodes: [reference])
        var model = Model()
        model.functions = [function]
        #expect(model.problems().map(\.kind) == [.undefined])
        function.attributes = ["slope"]
        model.functions = [function]
        #expect(model.problems().isEmpty)
        function.attributes = []
        function.defaults = ["slope": .float(1)]
        model.functions = [function]
        #expect(model.problems().isEmpty)
        model.functions = [function, function]
        #expect(model.problems().map(\.kind) == [.duplicate])
        function.overload = "other"
        model.functions[1] = function
        #expect(model.problems().isEmpty)
        model.functions[1].nodes.append(Node(name: "s", operatorName: "Any", inputs: ["nothing"]))
        #expect(model.problems().map(\.location) == ["function 'F', node 1 's' (Any)"])
        // A reference to an attribute needs a function around it.
        #expect(Model(graph: graph([reference])).problems().map(\.kind) == [.attribute])
    }

    @Test func recursiveFunctions() {
        func function(_ name: String, calling called: String) -> Function {
            let call = Node(operatorName: called, domain: "own", inputs: ["x"], outputs: ["y"])
            let outer = Node(operatorName: "If", attributes: ["then_branch": .graph(Graph(nodes: [call]))])
            return Function(name: name, domain: "own", inputs: ["x"], opsets: ["": 17], nodes: [outer])
        }
        var model = Model()
        model.functions = [
            function("F", calling: "G"), function("G", calling: "H"), function("H", calling: "G"),
        ]
        let found = model.problems()
        #expect(found.map(\.kind) == [.cycle])
        #expect(!found[0].message.contains("'F'"))
        model.functions[2] = Function(name: "H", domain: "own")
        #expect(model.problems().isEmpty)
    }

    /// The file has one problem of each of these kinds, and all are reported.
    @Test func allTogether() throws {
        let error = try loaderError { _ = try Model(contentsOf: resource("problems.onnx")) }
        guard case .invalidModel(_, let problems) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let expected: [(Problem.Kind, String)] = [
            (.attribute, "node 4 'softmax' (Softmax), attribute 'axis'"), (.tensor, "initializer 'short'"),
            (.duplicate, "node 2 'again' (Relu)"), (.undefined, "node 1 'later' (Add)"),
            (.order, "node 0 'early' (Relu)"), (.undefined, "output 'y'"),
            (.operatorSet, "node 3 'strange' (Strange)"),
        ]
        #expect(problems.count == expected.count)
        for (kind, location) in expected {
            #expect(problems.contains { $0.kind == kind && $0.location == location }, "\(location)")
        }
        for problem in problems { #expect(error?.description.contains(problem.description) == true) }
    }

    @Test func endlessProblemsAreCut() throws {
        let nodes = (0..<100_000).map { Node(operatorName: "Any", inputs: ["missing\($0)"]) }
        let problems = Model(graph: Graph(nodes: nodes)).problems()
        #expect(problems.count == 1000)
        let description = LoaderError.invalidModel(file: "m", problems: problems).description
        #expect(description.split(separator: "\n").count < 100)
    }
}
