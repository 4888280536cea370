import Foundation
import ONNXLoader

/// Softmax and LogSoftmax (opsets 1–13). Before opset 13, all axes from `axis` on count as one.
struct Softmax: FloatingOperator {
    enum Function: String {
        case softmax = "Softmax"
        case logSoftmax = "LogSoftmax"
    }
    let function: Function
    private let axes: NormalizedAxes

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        axes = try NormalizedAxes(&node)
    }

    var inPlaceInputs: [Int] { [0] }

    /// Whether lines are the rows of a tensor of this shape.
    func isOverRows(of shape: [Int]) -> Bool {
        guard let layout = try? axes.layout(of: shape) else { return false }
        return layout.inner == 1 && layout.size == shape.last
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        _ = try axes.layout(of: input.shape)
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        try step.softmax(
            step.elements(0, of: type), to: step.mutableElements(0, of: type), axes.layout(of: step.input(0).shape),
            logarithm: function == .logSoftmax)
    }
}

extension Step {
    /// The softmax of every line of a layout, or its logarithm. Both may be the same memory.
    func softmax<Element: FloatingElement>(
        _ input: Elements<Element>, to output: MutableElements<Element>, _ layout: AxisLayout, logarithm: Bool
    ) throws {
        if let input = input as? Elements<Float>, let output = output as? MutableElements<Float> {
            return try singleSoftmax(input, to: output, layout, logarithm: logarithm)
        }
        try forEachLine(of: layout) { _, start in
            let indices = stride(from: start, to: start + layout.size * layout.inner, by: layout.inner)
            let maximum = indices.reduce(-Double.infinity) { max($0, input[$1].double) }
            let sum = indices.reduce(0) { $0 + exp(input[$1].double - maximum) }
            for index in indices {
                let exponent = input[index].double - maximum
                output[index] = Element(logarithm ? exponent - log(sum) : exp(exponent) / sum)
            }
        }
    }

    private func singleSoftmax(
        _ input: Elements<Float>, to output: MutableElements<Float>, _ layout: AxisLayout, logarithm: Bool
    ) throws {
        guard layout.inner > 1 else {
            return try forEachLine(of: layout) { _, start in
                SoftmaxKernel.apply(input, to: output, start..<start + layout.size, logarithm: logarithm)
            }
        }
        guard layout.lineCount > 0 else { return }
        let chunks = (layout.inner + SoftmaxKernel.columnLimit - 1) / SoftmaxKernel.columnLimit
        let grain = max(1, Step.elementGrain / layout.size / min(layout.inner, SoftmaxKernel.columnLimit))
        try parallel(layout.outer * chunks, grain: grain) { units in
            for unit in units {
                let column = unit % chunks * SoftmaxKernel.columnLimit
                SoftmaxKernel.apply(
                    input, to: output, at: layout.start(of: unit / chunks * layout.inner + column), rows: layout.size,
                    columns: min(SoftmaxKernel.columnLimit, layout.inner - column), stride: layout.inner,
                    logarithm: logarithm)
            }
        }
    }
}

/// Hardmax (opsets 1–13): 1 at the first largest element along the axis, 0 elsewhere.
struct Hardmax: FloatingOperator {
    private let axes: NormalizedAxes

    init(_ node: inout NodeReader) throws { axes = try NormalizedAxes(&node) }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        _ = try axes.layout(of: input.shape)
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let layout = try axes.layout(of: step.input(0).shape)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        output.fill(0..<output.count, with: 0)
        try step.forEachLine(of: layout) { _, start in
            var best = start
            for index in stride(from: start, to: start + layout.size * layout.inner, by: layout.inner)
            where input[index] > input[best] {
                best = index
            }
            output[best] = 1
        }
    }
}

/// What a function that is normalised along an axis runs over.
private struct NormalizedAxes: Sendable {
    private let axis: Int
    private let flattens: Bool

    init(_ node: inout NodeReader) throws {
        flattens = node.opset < 13
        axis = try node.int("axis", or: flattens ? 1 : -1)
    }

    func layout(of shape: [Int]) throws -> AxisLayout {
        guard flattens else {
            // A scalar has one element, which is the only one along any axis.
            if shape.isEmpty, axis == -1 || axis == 0 { return AxisLayout([1], axis: 0) }
            return AxisLayout(shape, axis: try normalized(axis, rank: shape.count))
        }
        // Before, the axis might also be the rank: then every element stands alone.
        let axis = axis == shape.count ? axis : try normalized(axis, rank: shape.count)
        return AxisLayout(shape, axes: axis..<shape.count)
    }
}

extension Softmax: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let (result, gradient) = (try node.output(0), try node.gradient())
            let layout = try axes.layout(of: result.shape())
            let lines = [layout.outer, layout.size, layout.inner]
            let (y, dy) = (try result.reshaped(to: lines), try gradient.reshaped(to: lines))
            switch function {
            case .softmax: return try (y * (dy - (dy * y).sum(over: [1]))).reshaped(like: result)
            case .logSoftmax: return try (dy - y.apply("Exp") * dy.sum(over: [1])).reshaped(like: result)
            }
        }
    }
}

extension Hardmax: DifferentiableOperator {
    /// Steps are flat almost everywhere.
    func gradient(_ node: GradientNode) throws {}
}
