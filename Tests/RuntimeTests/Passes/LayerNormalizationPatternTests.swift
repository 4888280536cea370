import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Layer normalisation written out in operators is one operator, and gives what its definition gives in binary64.
@Suite struct LayerNormalizationPatternTests {
    /// Ways in which exporters write it.
    struct Writing: Sendable, CustomTestStringConvertible {
        var squaresByProduct = false
        /// Divides by Sqrt, by a power, or multiplies by an inverse.
        var inverse = "Sqrt"
        var scales = true
        var shifts = true
        var activation: String?
        var opset = 18

        var testDescription: String {
            "\(squaresByProduct ? "Mul" : "Pow") \(inverse) \(scales) \(shifts) \(activation ?? "") opset \(opset)"
        }
    }

    static let writings = [
        Writing(), Writing(opset: 13), Writing(squaresByProduct: true, inverse: "Reciprocal", shifts: false),
        Writing(inverse: "Pow"), Writing(inverse: "inverse Pow", scales: false), Writing(inverse: "1 /", opset: 17),
        Writing(scales: false, shifts: false), Writing(activation: "Gelu", opset: 20),
    ]

    @Test(
        arguments: writings,
        [
            ([2, 5, 7, 9], [1]), ([1, 300, 101], [1]), ([2, 70, 1], [1]), ([2, 3, 37], [2]),
            ([2, 4, 6, 5], [2, 3]),
            ([2, 3, 4, 50], [1, 2]),
        ])
    func isOneOperator(_ writing: Writing, _ sizes: ([Int], [Int])) throws {
        let (shape, axes) = sizes
        var random = SplitMix64(state: 5)
        let parameterShape = shape.indices.map { axes.contains($0) ? shape[$0] : 1 }
        let (scale, bias) = (try random.tensor(parameterShape), try random.tensor(parameterShape))
        let session = try Session(model(writing, shape, axes, scale: scale, bias: bias))
        var values = try random.tensor(shape).array(of: Float.self)
        // Statistics of numbers far from 0, too.
        for index in 0..<values.count / 2 { values[index] += 30 }
        let input = ["x": try Tensor(values, shape: shape)]
        let kernels = try session.profile(input).summary.steps
        #expect(kernels.count == (axes.last == shape.count - 1 && writing.activation != nil ? 2 : 1))
        let result = try #require(try session.run(input)["y"])
        let expected = try definition(
            writing, values.map(Double.init), AxisLayout(shape, axes: axes[0]..<axes[axes.count - 1] + 1),
            writing.scales ? scale.array(of: Float.self) : nil, writing.shifts ? bias.array(of: Float.self) : nil)
        #expect(difference(result, try Tensor(expected, shape: shape)) <= 2e-5)
        // Asked for one by one, the operators are not fused.
        let parts = try session.run(input, outputs: ["centred", "y"])
        #expect(difference(try #require(parts["y"]), result) <= 2e-5)
    }

    private func model(
        _ writing: Writing, _ shape: [Int], _ axes: [Int], scale: Tensor, bias: Tensor
    ) throws -> Model {
        var graph = Graph()
        func add(_ name: String, _ inputs: [String], _ output: String, _ attributes: [String: Attribute] = [:]) {
            graph.nodes.append(
                Node(operatorName: name, inputs: inputs, outputs: [output], attributes: attributes))
        }
        func mean(_ input: String, _ output: String) {
            if writing.opset < 18 {
                add("ReduceMean", [input], output, ["axes": .ints(axes.map { Int64($0 - shape.count) })])
            } else {
                add("ReduceMean", [input, "axes"], output)
            }
        }
        mean("x", "mean")
        add("Sub", ["x", "mean"], "centred")
        if writing.squaresByProduct {
            add("Mul", ["centred", "centred"], "squares")
        } else {
            add("Pow", ["centred", "two"], "squares")
        }
        mean("squares", "variance")
        add("Add", ["variance", "epsilon"], "radicand")
        switch writing.inverse {
        case "Pow":
            add("Pow", ["radicand", "half"], "root")
            add("Div", ["centred", "root"], "normal")
        case "inverse Pow":
            add("Pow", ["radicand", "minus half"], "inverse")
            add("Mul", ["inverse", "centred"], "normal")
        case "Reciprocal":
            add("Sqrt", ["radicand"], "root")
            add("Reciprocal", ["root"], "inverse")
            add("Mul", ["centred", "inverse"], "normal")
        case "1 /":
            add("Sqrt", ["radicand"], "root")
            add("Div", ["one", "root"], "inverse")
            add("Mul", ["centred", "inverse"], "normal")
        default:
            add("Sqrt", ["radicand"], "root")
            add("Div", ["centred", "root"], "normal")
        }
        var last = "normal"
        if writing.scales {
            add("Mul", ["scale", last], "scaled")
            last = "scaled"
        }
        if writing.shifts {
            add("Add", [last, "bias"], "shifted")
            last = "shifted"
        }
        if let activation = writing.activation {
            add(activation, [last], "active")
            last = "active"
        }
        graph.nodes[graph.nodes.count - 1].outputs = ["y"]
        graph.inputs = [
            ValueDeclaration(name: "x", kind: .tensor(.float32, shape: shape.map { .fixed($0) }))
        ]
        graph.outputs = [ValueDeclaration(name: "y", kind: .undeclared)]
        for (name, value) in [("two", 2), ("half", 0.5), ("minus half", -0.5), ("one", 1), ("epsilon", 1e-3)] {
            graph.initializers[name] = try ConstantTensor(Tensor(Float(value)))
        }
        graph.initializers["axes"] = try ConstantTensor(Tensor(axes.map(Int64.init), shape: [axes.count]))
        graph.initializers["scale"] = try ConstantTensor(scale)
        graph.initializers["bias"] = try ConstantTensor(bias)
        return Model(opsets: ["": writing.opset], graph: graph)
    }

    private func definition(
        _ writing: Writing, _ values: [Double], _ layout: AxisLayout, _ scale: [Float]?, _ bias: [Float]?
    ) throws -> [Double] {
        var result = values
        for line in 0..<layout.lineCount {
            let indices = (0..<layout.size).map { layout.start(of: line) + $0 * layout.inner }
            let mean = indices.reduce(0) { $0 + values[$1] } / Double(layout.size)
            let variance = indices.reduce(0) { $0 + pow(values[$1] - mean, 2) } / Double(layout.size)
            for (place, index) in indices.enumerated() {
                let normal = (values[index] - mean) / (variance + Double(Float(1e-3))).squareRoot()
                let shifted = normal * Double(scale?[place] ?? 1) + Double(bias?[place] ?? 0)
                result[index] =
                    writing.activation == nil ? shifted : ActivationKernel.gelu(approximate: false).value(at: shifted)
            }
        }
        return result
    }
}
