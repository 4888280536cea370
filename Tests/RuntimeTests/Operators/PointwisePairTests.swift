import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Pairs of pointwise convolutions against the definition in binary64.
@Suite struct PointwisePairTests {
    /// Both results with every instruction set: planes of few and many columns, rows at any place of a line of a cache, blocks
    /// of one tile and of many.
    @Test(
        arguments: [
            ([3, 70, 9], [31, 33]), ([30, 40, 20], [17, 61]), ([530, 5, 3], [9, 13]), ([2, 3, 530], [1, 5]),
            ([1, 1, 1], [1, 1]), ([9, 600, 5], [3, 40]), ([5, 7, 6], [113, 150]),
        ], [1, 2])
    func isItsDefinition(_ sizes: ([Int], [Int]), batch: Int) throws {
        let (channels, spatial) = sizes
        var random = SplitMix64(state: UInt64(channels[1] * batch))
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let activations: [ActivationKernel] = [.none, .relu, .clip(low: -0.5, high: 0.75), .hardSwish]
        let example = try Example(
            &random, channels: channels, spatial: spatial, batch: batch, addsResidual: Bool.random(using: &random),
            activation: activations.randomElement(using: &random) ?? .none)
        let expected = try example.definition(context)
        for matrices in MatrixKernel.all {
            for (result, value) in zip(try example.run(matrices, context), expected) {
                #expect(difference(result, value) <= 1e-5, "\(channels) \(spatial) \(matrices)")
            }
        }
    }

    /// A session pairs where it pays, and gives the same whoever else reads the result between.
    @Test(arguments: [(64, true), (8, false)])
    func sessionsPair(between: Int, isPaired: Bool) throws {
        let shape = [1, 2, 131, 129]
        func graph(_ type: ElementType) throws -> Graph {
            var random = SplitMix64(state: 5)
            var graph = Graph()
            graph.nodes = [
                Node(operatorName: "Conv", inputs: ["x", "w", "b"], outputs: ["convolved"]),
                Node(operatorName: "Relu", inputs: ["convolved"], outputs: ["y"]),
                Node(operatorName: "Conv", inputs: ["y", "v"], outputs: ["z"]),
                Node(operatorName: "ReduceMean", inputs: ["y"], outputs: ["mean"]),
            ]
            graph.inputs = [ValueDeclaration(name: "x", kind: .tensor(type, shape: shape.map { .fixed($0) }))]
            graph.outputs = ["z", "mean"].map { ValueDeclaration(name: $0, kind: .undeclared) }
            for (name, shape) in [("w", [between, 2, 1, 1]), ("b", [between]), ("v", [2, between, 1, 1])] {
                graph.initializers[name] = try ConstantTensor(random.tensor(shape).converted(to: type))
            }
            return graph
        }
        var random = SplitMix64(state: 6)
        let input = try random.tensor(shape)
        let session = try Session(Model(opsets: ["": 17], graph: graph(.float32)))
        let exact = try Session(Model(opsets: ["": 17], graph: graph(.float64)))
        let (results, expected) = (
            try session.run(["x": input]), try exact.run(["x": input.converted(to: .float64)])
        )
        for name in ["z", "mean"] {
            #expect(try difference(#require(results[name]), #require(expected[name])) <= 1e-5)
        }
        let kernels = try session.profile(["x": input], runs: 1).summary.steps.map(\.kernel)
        #expect(kernels.contains("gemm 1×1, two in one pass") == isPaired)
    }
}

/// Two convolutions with random operands.
private struct Example {
    let input, residual: Tensor
    let constants: [String: Tensor]
    let first, second: OperatorGraph.Element

    init(
        _ random: inout SplitMix64, channels: [Int], spatial: [Int], batch: Int, addsResidual: Bool,
        activation: ActivationKernel
    ) throws {
        func weights(_ inputs: Int, _ outputs: Int) throws -> Tensor {
            try Tensor(
                random.tensor([outputs, inputs, 1, 1]).array(of: Float.self).map { $0 / Float(inputs).squareRoot() },
                shape: [outputs, inputs, 1, 1])
        }
        input = try random.tensor([batch, channels[0]] + spatial)
        residual = try random.tensor([batch, channels[1]] + spatial)
        constants = [
            "w": try weights(channels[0], channels[1]), "b": try random.tensor([channels[1]]),
            "v": try weights(channels[1], channels[2]), "c": try random.tensor([channels[2]]),
        ]
        func element(_ inputs: [String], _ output: String, _ change: (inout Convolution) -> Void) throws
            -> OperatorGraph.Element
        {
            let node = Node(operatorName: "Conv", inputs: inputs, outputs: [output])
            var reader = NodeReader(node, opset: 17)
            var convolution = try Convolution(&reader)
            change(&convolution)
            return .init(node: node, operation: convolution)
        }
        first = try element(["x", "w", "b", "r"], "y") { ($0.addsResidual, $0.activation) = (addsResidual, activation) }
        second = try element(["y", "v", "c"], "z") { $0.activation = activation }
    }

    private func shape(_ element: OperatorGraph.Element, _ input: ValueType) throws -> ConvolutionShape {
        let convolution = try #require(element.operation as? Convolution)
        return try convolution.shape(input, weights: ValueType(try #require(constants[element.node.inputs[1]])))
    }

    func run(_ matrices: MatrixKernel, _ context: RunContext) throws -> [Tensor] {
        let pair = try #require(
            try PointwisePair(
                (first, shape(first, ValueType(input))), (second, shape(second, ValueType(residual))), constants,
                matrices: matrices, context: context))
        let operands = [input, constants["w"], constants["b"], residual, constants["v"], constants["c"]]
        let infos = operands.map { $0.map { ValueInfo($0) } }
        let types = try pair.types(of: infos, arity: 2)
        let bytes = try pair.workspaceByteCount(inputs: infos, outputs: types, threads: context.pool.threads)
        var step = Step(
            name: "", operatorName: "", inputs: operands.map { $0.map(Value.tensor) },
            outputs: try types.map { .tensor(try context.budget.allocate($0)) }, arity: 2, context: context,
            workspace: try context.budget.allocate(byteCount: bytes))
        try pair.run(&step)
        return try [step.output(0), step.output(1)]
    }

    /// One after the other, in binary64.
    func definition(_ context: RunContext) throws -> [Tensor] {
        func wide(_ tensor: Tensor?) throws -> Tensor { try #require(tensor).converted(to: .float64) }
        let between = try first.operation.execute(
            [wide(input), wide(constants["w"]), wide(constants["b"]), wide(residual)],
            ValueType(.float64, residual.shape), context)
        let last = try #require(constants["c"]).shape[0]
        let result = try second.operation.execute(
            [between, wide(constants["v"]), wide(constants["c"])],
            ValueType(.float64, [residual.shape[0], last] + residual.shape.dropFirst(2)), context)
        return [between, result]
    }
}
