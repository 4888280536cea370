import ONNXLoader

/// The gradient of MaxPool: every window's goes to its largest element, of equal ones to the first.
///
/// Inputs: the pool's input and the gradient of its output.
struct MaxPoolGradient: LoweredOperator, FloatingOperator {
    let window: Window

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, gradient) = (try inputs.required(0), try inputs.required(1))
        guard gradient.shape == input.shape[..<2] + window.output else {
            throw OperatorError("\(gradient.type) is not the gradient of the pool's output")
        }
        return [input.type]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let input = try step.elements(0, of: type)
        let gradient = try step.elements(1, of: type)
        let output = try step.mutableElements(0, of: type)
        let window = window.threeDimensional
        try step.parallelPlanes(shape[0] * shape[1], window) { plane in
            let base = plane * window.inputCount
            output.fill(base..<base + window.inputCount, with: 0)
            var index = plane * window.outputCount
            window.forEachOutput { z, y, x in
                var best: (value: Element, place: Int)?
                window.forEachTap(z, y, x) { place, _ in
                    let value = input[base + place]
                    if best == nil || value > best!.value || value != value { best = (value, place) }
                }
                if let best { output[base + best.place] += gradient[index] }
                index += 1
            }
        }
    }
}
