import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Products are computed for rows that are there and wanted, and only whole rows are moved past them.
@Suite struct MoveRowsTests {
    enum Form: CaseIterable {
        /// Rows of zeros before the product, with and without a row added to it.
        case padded, paddedBare
        /// Rows left out after it, and left out in reverse.
        case cropped, reversed
        /// Padded before, cropped after.
        case both
        // What must stay as it is:
        case croppedColumns, reversedColumns, exchangedColumns, paddedColumns, residual

        var isMoved: Bool {
            switch self {
            case .padded, .paddedBare, .cropped, .reversed, .both: true
            default: false
            }
        }
    }

    @Test(arguments: Form.allCases)
    func onlyRowsAreMoved(_ form: Form) throws {
        var random = SplitMix64(state: 51)
        var graph = Graph()
        func integers(_ name: String, _ values: [Int64]) throws {
            graph.initializers[name] = try ConstantTensor(Tensor(values, shape: [values.count]))
        }
        func node(_ operatorName: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:])
        {
            graph.nodes.append(
                Node(operatorName: operatorName, inputs: inputs, outputs: [output], attributes: attributes))
        }
        func slice(_ input: String, _ output: String, axis: Int64, start: Int64, end: Int64, step: Int64) throws {
            for (name, value) in [("start", start), ("end", end), ("axis", axis), ("step", step)] {
                try integers("\(output) \(name)", [value])
            }
            node("Slice", [input] + ["start", "end", "axis", "step"].map { "\(output) \($0)" }, output)
        }
        graph.initializers["weights"] = try ConstantTensor(random.tensor([6, 6]))
        graph.initializers["bias"] = try ConstantTensor(random.tensor([6]))
        try integers("pads", form == .paddedColumns ? [0, 0, 1, 0, 0, 0] : [0, 1, 0, 0, 2, 0])
        var product = "x"
        switch form {
        case .padded, .paddedBare, .both:
            node("Pad", ["x", "pads"], "moved")
            product = "moved"
        case .reversedColumns:
            node("Pad", ["x", "pads"], "padded")
            try slice("padded", "moved", axis: 2, start: -1, end: -100, step: -1)
            product = "moved"
        case .exchangedColumns:
            node("Transpose", ["x"], "moved", ["perm": .ints([0, 2, 1])])
            product = "moved"
        default: break
        }
        node("MatMul", [product, "weights"], "product")
        if form != .paddedBare { node("Add", ["product", "bias"], "sum") }
        switch form {
        case .cropped, .both: try slice("sum", "y", axis: 1, start: 1, end: 4, step: 2)
        case .reversed: try slice("sum", "y", axis: 1, start: -1, end: 1, step: -1)
        case .croppedColumns: try slice("sum", "y", axis: 2, start: 1, end: 4, step: 1)
        case .paddedColumns: node("Pad", ["sum", "pads"], "y")
        case .residual:
            node("Add", ["sum", "x"], "more")
            try slice("more", "y", axis: 1, start: 1, end: 4, step: 1)
        case .paddedBare: node("Relu", ["product"], "y")
        default: node("Relu", ["sum"], "y")
        }
        graph.inputs = [
            ValueDeclaration(name: "x", kind: .tensor(.float32, shape: [.fixed(2), .fixed(6), .fixed(6)]))
        ]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        let session = try Session(Model(opsets: ["": 17], graph: graph))
        let input = ["x": try random.tensor([2, 6, 6])]
        let steps = try session.summary(for: input.mapValues { ValueType($0) }).steps
        #expect(steps.contains { $0.operatorName == "GatherRows" } == form.isMoved)
        let moved = try #require(try session.run(input)["y"])
        let parts = try session.run(input, outputs: graph.nodes.flatMap(\.outputs))
        #expect(difference(moved, try #require(parts["y"])) <= 1e-6)
    }
}
