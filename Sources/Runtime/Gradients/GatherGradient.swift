import ONNXLoader

/// The gradient of Gather: the gradients of all slices that one index named are added where they came from.
///
/// Inputs: the gradient of the gathered slices and the indices.
struct GatherGradient: LoweredOperator, FloatingOperator {
    let dataShape: [Int]
    let axis: Int

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(try inputs.required(0).elementType, dataShape)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let slices = try AxisSlices(dataShape, axis: axis)
        let indices = try step.input(1).indices(below: slices.size)
        let gradient = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let inner = slices.inner
        guard gradient.count == slices.outer * indices.count * inner else {
            throw OperatorError("the gradient does not fit the indices")
        }
        try step.parallel(slices.outer, grain: 1) { range in
            for line in range {
                let base = line * slices.size * inner
                output.fill(base..<base + slices.size * inner, with: 0)
                for (position, index) in indices.enumerated() {
                    let start = base + index * inner
                    output.assign(
                        start..<start + inner, from: output.readable, at: start, step: 1, and: gradient,
                        at: (line * indices.count + position) * inner, step: 1
                    ) { $0 + $1 }
                }
            }
        }
    }
}

/// The gradient of Slice: zeros, with the slice's gradient where it was cut out.
struct SliceGradient: LoweredOperator {
    let inputShape: [Int]
    /// Where the slice lies in the input, as Slice reads it.
    let slice: StridedCopy

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let gradient = try inputs.required(0)
        guard gradient.shape == slice.shape else {
            throw OperatorError("\(gradient.type) is not the gradient of a slice of shape \(slice.shape)")
        }
        return [ValueType(gradient.elementType, inputShape)]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        output.clear()
        guard !slice.shape.contains(0) else { return }
        var copy = StridedCopy(
            shape: slice.shape, sourceStart: 0, sourceStrides: strides(of: slice.shape),
            targetStart: slice.sourceStart, targetStrides: slice.sourceStrides)
        // A copy writes upwards: where the slice runs down, both sides are turned around.
        for axis in copy.shape.indices where copy.targetStrides[axis] < 0 {
            copy.targetStart += (copy.shape[axis] - 1) * copy.targetStrides[axis]
            copy.targetStrides[axis].negate()
            copy.sourceStart += (copy.shape[axis] - 1) * copy.sourceStrides[axis]
            copy.sourceStrides[axis].negate()
        }
        try step.copy(copy, from: step.input(0), to: output)
    }
}
