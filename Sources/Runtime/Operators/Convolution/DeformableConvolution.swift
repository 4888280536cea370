import ONNXLoader

/// DeformConv (opsets 19–22): a convolution whose taps are moved by offsets, sampled linearly between the pixels, and
/// perhaps weighted by a mask (Zhu et al., Deformable ConvNets v2, 2019). One to three spatial dimensions.
struct DeformableConvolution: FloatingOperator {
    private let convolution: Convolution
    private let offsetGroups: Int

    init(_ node: inout NodeReader) throws {
        convolution = try Convolution(&node)
        offsetGroups = try node.int("offset_group", or: 1)
        guard offsetGroups >= 1 else { throw OperatorError("attribute offset_group is \(offsetGroups)") }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let shape = try convolution.shape(input.type, weights: inputs.required(1).type)
        let window = shape.window
        let taps = try offsetGroups.multiplied(by: window.kernelCount)
        func expect(_ index: Int, _ shape: [Int]) throws {
            guard let info = inputs.optional(index) else { return }
            guard info.type == ValueType(input.elementType, shape) else {
                throw OperatorError("input \(index) is \(info.type), not \(ValueType(input.elementType, shape))")
            }
        }
        guard shape.inputChannels % offsetGroups == 0 else {
            throw OperatorError("\(shape.inputChannels) channels do not make \(offsetGroups) groups")
        }
        _ = try inputs.required(2)
        try expect(2, [shape.batch, taps.multiplied(by: window.input.count)] + window.output)
        try expect(3, [shape.outputChannels])
        try expect(4, [shape.batch, taps] + window.output)
        return [ValueType(input.elementType, [shape.batch, shape.outputChannels] + window.output)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        convolution.multiplyAdds(inputs: inputs, outputs: outputs)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try convolution.shape(ValueType(step.input(0)), weights: ValueType(step.input(1)))
        let bias = try step.optional(3)?.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let spatial = shape.window.outputCount
        guard output.count > 0 else { return }
        let patches = try step.context.budget.allocate(
            ValueType(Element.elementType, [shape.inputChannels, shape.window.kernelCount, spatial]))
        let sampler = DeformedPatches(
            input: try step.elements(0, of: type), offsets: try step.elements(2, of: type),
            mask: try step.optional(4)?.elements(of: type), window: shape.window,
            channels: shape.inputChannels, offsetGroups: offsetGroups)
        let columns = try patches.uncheckedMutableElements(of: type)
        let weights = try step.elements(1, of: type)
        let channels = shape.outputChannelsPerGroup
        for image in 0..<shape.batch {
            try step.parallel(offsetGroups * shape.window.kernelCount, grain: 1) { taps in
                for tap in taps { sampler.write(image: image, tap: tap, into: columns) }
            }
            // Row by row: the sums are formed in the same order however many threads there are.
            try step.parallel(shape.outputChannels, grain: max(1, (1 << 16) / max(1, shape.patchCount * spatial))) {
                range in
                for channel in range {
                    let target = (image * shape.outputChannels + channel) * spatial
                    output.fill(target..<target + spatial, with: bias?[channel] ?? 0)
                    let first = channel / channels * shape.patchCount
                    for row in 0..<shape.patchCount {
                        let weight = weights[channel * shape.patchCount + row]
                        output.assign(
                            target..<target + spatial, from: output.readable, at: target, step: 1,
                            and: columns.readable, at: (first + row) * spatial, step: 1
                        ) { $0 + weight * $1 }
                    }
                }
            }
        }
    }
}

/// The matrix of patches of one image, sampled where the offsets say.
private struct DeformedPatches<Element: FloatingElement>: Sendable {
    let input, offsets: Elements<Element>
    let mask: Elements<Element>?
    let window: Window
    let channels, offsetGroups: Int

    /// A pixel that a sample is made of, and its share.
    private typealias Corner = (place: Int, weight: Element)

    /// Writes the rows of a tap for all channels of its group of offsets; `tap` counts through all groups.
    func write(image: Int, tap: Int, into columns: MutableElements<Element>) {
        let (taps, spatial, rank) = (window.kernelCount, window.outputCount, window.input.count)
        let perGroup = channels / offsetGroups
        let group = tap / taps
        let ownTap = tap % taps
        let firstOffset = (image * offsetGroups * taps + tap) * rank * spatial
        for place in 0..<spatial {
            var position = [Double](repeating: 0, count: rank)
            var (restOfPlace, restOfTap) = (place, ownTap)
            for axis in (0..<rank).reversed() {
                let start = restOfPlace % window.output[axis] * window.strides[axis] - window.begins[axis]
                let tapOffset = restOfTap % window.kernel[axis] * window.dilations[axis]
                position[axis] = Double(start + tapOffset) + offsets[firstOffset + axis * spatial + place].double
                restOfPlace /= window.output[axis]
                restOfTap /= window.kernel[axis]
            }
            let factor = mask?[(image * offsetGroups * taps + tap) * spatial + place] ?? 1
            let corners = corners(position)
            for channel in group * perGroup..<(group + 1) * perGroup {
                let plane = (image * channels + channel) * window.inputCount
                var sum: Element = 0
                for corner in corners { sum += corner.weight * input[plane + corner.place] }
                columns[(channel * taps + ownTap) * spatial + place] = sum * factor
            }
        }
    }

    /// The pixels around a position that lie in the image.
    private func corners(_ position: [Double]) -> [Corner] {
        var corners: [(place: Int, weight: Double)] = [(0, 1)]
        for (axis, value) in position.enumerated() {
            let size = window.input[axis]
            // Also false for NaN.
            guard value > -1, value < Double(size) else { return [] }
            let below = Int(value.rounded(.down))
            let share = value - Double(below)
            corners = corners.flatMap { corner in
                [(below, 1 - share), (below + 1, share)].compactMap { index, weight in
                    index < 0 || index >= size || weight == 0
                        ? nil : (corner.place * size + index, corner.weight * weight)
                }
            }
        }
        return corners.map { ($0.place, Element($0.weight)) }
    }
}
