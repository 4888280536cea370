import ONNXLoader

/// DFT (opsets 17–20): the discrete Fourier transform along an axis. The last dimension of the input is 1 for real numbers
/// and 2 for complex ones, which the output has, too.
///
/// One-sided, it gives the first half of the frequencies of real numbers; its inverse takes those and gives real numbers.
struct DFT: FloatingOperator {
    private let axis: IntegerList
    private let defaultAxis: Int
    private let isInverse, isOneSided: Bool

    init(_ node: inout NodeReader) throws {
        isInverse = try node.flag("inverse")
        isOneSided = try node.flag("onesided")
        defaultAxis = node.opset < 20 ? 1 : -2
        axis = node.opset < 20 ? .attribute(try node.optionalInt("axis").map { [$0] }) : .input(2)
    }

    private struct Sizes {
        let shape: [Int]
        let axis, length: Int
        let input: AxisLayout
        let output: AxisLayout
    }

    private func sizes(_ inputs: [ValueInfo?]) throws -> Sizes {
        let shape = try inputs.required(0).shape
        let axes = try axis.value(inputs) ?? [defaultAxis]
        guard axes.count == 1, let parts = shape.last, parts == 1 || parts == 2 else {
            throw OperatorError("numbers of shape \(shape) cannot be transformed along axes \(axes)")
        }
        let axis = try normalized(axes[0], rank: shape.count)
        guard axis < shape.count - 1 else { throw OperatorError("axis \(axes[0]) is that of the complex numbers") }
        let givesReal = isInverse && isOneSided
        let whole = givesReal ? try (max(1, shape[axis]) - 1).multiplied(by: 2) : shape[axis]
        let lengths = try inputs.optionalIntegers(1) ?? [whole]
        guard lengths.count == 1, (1...Int.max >> 8).contains(lengths[0]), !isOneSided || isInverse || parts == 1,
            !givesReal || parts == 2
        else {
            throw OperatorError(
                "\(isOneSided ? "one-sided " : "")transforms of length \(lengths) of \(shape) are not defined")
        }
        var result = shape
        result[axis] = isOneSided && !isInverse ? lengths[0] / 2 + 1 : lengths[0]
        result[shape.count - 1] = givesReal ? 1 : 2
        return Sizes(
            shape: result, axis: axis, length: lengths[0],
            input: AxisLayout(Array(shape.dropLast()), axis: axis),
            output: AxisLayout(Array(result.dropLast()), axis: axis))
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        return [ValueType(try inputs.required(0).elementType, sizes.shape)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.infos)
        let source = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let parts = try step.input(0).shape.last ?? 1
        let resultParts = sizes.shape.last ?? 2
        let transform = try FourierTransform(length: sizes.length, budget: step.context.budget)
        let scale = isInverse ? 1 / Double(sizes.length) : 1
        let isMirrored = isInverse && isOneSided
        let isInverse = isInverse
        let count = min(sizes.length, sizes.input.size)
        try step.forEachTransform(sizes.output.lineCount, transform) { line, data, scratch in
            for index in 0..<sizes.length {
                // Frequencies beyond half are the conjugates of those before.
                let place = isMirrored && index > sizes.length / 2 ? sizes.length - index : index
                let isGiven = place < count
                let start = (sizes.input.start(of: line) + place * sizes.input.inner) * parts
                data[2 * index] = isGiven ? source[start].double : 0
                let imaginary = isGiven && parts == 2 ? source[start + 1].double : 0
                data[2 * index + 1] = place == index ? imaginary : -imaginary
            }
            if isMirrored {
                data[1] = 0
                if sizes.length.isMultiple(of: 2) { data[sizes.length + 1] = 0 }
            }
            transform.apply(data, inverse: isInverse, scratch: scratch)
            for index in 0..<sizes.output.size {
                let start = (sizes.output.start(of: line) + index * sizes.output.inner) * resultParts
                output[start] = Element(data[2 * index] * scale)
                if resultParts == 2 { output[start + 1] = Element(data[2 * index + 1] * scale) }
            }
        }
    }
}

extension Step {
    /// Calls `body` with each index and room for its transform, several at a time.
    func forEachTransform(
        _ count: Int, _ transform: FourierTransform,
        _ body: @Sendable (_ index: Int, _ data: MutableElements<Double>, _ scratch: MutableElements<Double>) -> Void
    ) throws {
        let dataCount = 2 * transform.length
        let slotCount = try dataCount.adding(transform.scratchCount)
        let memory = try context.budget.allocate(
            ValueType(.float64, [min(count, context.pool.threads), slotCount]))
        let slots = ScratchSlots(try memory.uncheckedMutableElements(of: Double.self), slotCount: slotCount)
        let context = context
        try withExtendedLifetime(memory) {
            try parallel(count, grain: max(1, (1 << 14) / transform.length)) { range in
                try context.checkpoint()
                try slots.withSlot { slot in
                    let (data, scratch) = (slot.slice(0, dataCount), slot.slice(dataCount, transform.scratchCount))
                    for index in range { body(index, data, scratch) }
                }
            }
        }
    }
}
