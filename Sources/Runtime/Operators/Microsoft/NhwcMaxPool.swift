import ONNXLoader

/// NhwcMaxPool of `com.microsoft`: the largest element of every window of `[batch, …, channels]`.
struct NhwcMaxPool: NumericOperator {
    private let attributes: WindowAttributes
    private let ceiling: Bool

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        ceiling = try node.flag("ceil_mode")
    }

    private func window(_ shape: [Int]) throws -> Window {
        guard shape.count >= 3 else { throw OperatorError("\(shape) has no spatial dimensions") }
        return try attributes.resolved(spatial: Array(shape[1..<shape.count - 1]), ceiling: ceiling)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let window = try window(input.shape)
        return [
            ValueType(input.elementType, [input.shape[0]] + window.output + [input.shape[input.shape.count - 1]])
        ]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let channels = shape[shape.count - 1]
        let window = try window(shape).threeDimensional
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let rows = window.output[0] * window.output[1]
        let lowest = Element(saturating: -.infinity)
        try step.parallel(shape[0] * rows, grain: max(1, Step.elementGrain / (window.output[2] * channels))) { range in
            for row in range {
                let (z, y) = (row % rows / window.output[1], row % window.output[1])
                let image = row / rows * window.inputCount
                for x in 0..<window.output[2] {
                    let target = (row * window.output[2] + x) * channels
                    output.fill(target..<target + channels, with: lowest)
                    window.forEachTap(z, y, x) { place, _ in
                        output.assign(
                            target..<target + channels, from: output.readable, at: target, step: 1, and: input,
                            at: (image + place) * channels, step: 1
                        ) { $1 > $0 || $1 != $1 ? $1 : $0 }
                    }
                }
            }
        }
    }
}
