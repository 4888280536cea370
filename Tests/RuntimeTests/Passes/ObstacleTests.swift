import ONNXLoader
import Testing

@testable import Runtime

/// What `convert --check` says of a model that cannot run.
@Suite struct ObstacleTests {
    private static func model(_ elementType: ElementType, _ nodes: [Node], declared: [String] = []) -> Model {
        let kind = ValueDeclaration.Kind.tensor(elementType, shape: [.symbolic("N")])
        return Model(
            opsets: ["": 17, "own": 2],
            graph: Graph(
                nodes: nodes, inputs: [ValueDeclaration(name: "x", kind: kind)],
                outputs: [ValueDeclaration(name: "y", kind: kind)],
                valueTypes: Dictionary(uniqueKeysWithValues: declared.map { ($0, kind) })))
    }

    private static func obstacles(_ model: Model, _ types: [String: ValueType] = [:]) throws -> [RuntimeError.Obstacle]
    {
        do {
            _ = try Optimizer.optimize(model, inputTypes: types)
            return []
        } catch RuntimeError.unsupported(let obstacles) {
            return obstacles
        }
    }

    @Test func operatorsAndElementTypesAreListedOnce() throws {
        let nodes = [
            Node(name: "first", operatorName: "Unheard", domain: "own", inputs: ["x"], outputs: ["a"]),
            Node(name: "second", operatorName: "Unheard", domain: "own", inputs: ["a"], outputs: ["b"]),
            Node(name: "sum", operatorName: "Add", inputs: ["b", "b"], outputs: ["c"]),
            Node(name: "again", operatorName: "Add", inputs: ["c", "c"], outputs: ["y"]),
        ]
        let found = try Self.obstacles(Self.model(.complex64, nodes, declared: ["b", "c"]))
        #expect(
            found == [
                .init(
                    operatorName: "Unheard", domain: "own", opset: 2, reason: "the operator is not known", count: 2,
                    firstNode: "first"),
                .init(
                    operatorName: "Add", domain: "", opset: 17, reason: "complex64 is not supported", count: 2,
                    firstNode: "sum"),
            ])
    }

    /// Without declarations inside the graph, types follow from the inputs' when their sizes are known.
    @Test func elementTypesFollowFromTheInputs() throws {
        let nodes = [
            Node(name: "same", operatorName: "Reshape", inputs: ["x", "s"], outputs: ["a"]),
            Node(name: "root", operatorName: "Sqrt", inputs: ["a"], outputs: ["y"]),
        ]
        var model = Self.model(.int64, nodes)
        model.graph.initializers["s"] = try ConstantTensor(Tensor([Int64(2), 2], shape: [2]))
        #expect(try Self.obstacles(model).isEmpty)
        let found = try Self.obstacles(model, ["x": ValueType(.int64, [4])])
        #expect(found.map(\.firstNode) == ["root"] && found.map(\.reason) == ["int64 is not supported"])
    }

    @Test(arguments: [ElementType.float32, .float16, .int8])
    func whatRunsIsNoObstacle(_ elementType: ElementType) throws {
        let nodes = [Node(operatorName: "Add", inputs: ["x", "x"], outputs: ["y"])]
        #expect(try Self.obstacles(Self.model(elementType, nodes)).isEmpty)
    }
}
