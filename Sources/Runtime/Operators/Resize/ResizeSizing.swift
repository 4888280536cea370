/// How one dimension is resized.
struct ResizedAxis: Sendable {
    var inputSize: Int
    var outputSize: Int
    /// Output elements for each input element, as given; their product with the input size may have a fraction.
    var scale: Double
    /// Where the part of the input that is sampled starts and ends, in units of its size.
    var regionStart = 0.0
    var regionEnd = 1.0
}

/// Where Resize takes its output sizes from.
struct ResizeSizing: Sendable {
    enum AspectRatioPolicy: String, CaseIterable { case stretch, notLarger = "not_larger", notSmaller = "not_smaller" }

    private let scaleAttribute: [Float]?
    private let scaleInput, sizeInput, regionInput: Int?
    private let axes: [Int]?
    private let policy: AspectRatioPolicy

    init(_ node: inout NodeReader) throws {
        if node.opset < 11 {
            let isUpsample = node.node.operatorName == "Upsample"
            scaleAttribute = isUpsample && node.opset < 9 ? try node.optionalFloats("scales") : nil
            scaleInput = scaleAttribute == nil ? 1 : nil
            (sizeInput, regionInput) = (nil, nil)
        } else {
            scaleAttribute = nil
            (regionInput, scaleInput, sizeInput) = (1, 2, 3)
        }
        axes = node.opset < 18 ? nil : try node.optionalInts("axes")
        policy = node.opset < 18 ? .stretch : try node.choice("keep_aspect_ratio_policy", or: .stretch)
    }

    /// Every dimension, resized or not.
    /// - Throws: `OperatorError` for scales that are not positive numbers, or sizes that cannot be counted.
    func axes(_ inputs: [ValueInfo?], readsRegion: Bool) throws -> [ResizedAxis] {
        let input = try inputs.required(0).shape
        var result = input.map { ResizedAxis(inputSize: $0, outputSize: $0, scale: 1) }
        let axes = try (axes ?? Array(input.indices)).map { try normalized($0, rank: input.count) }
        guard Set(axes).count == axes.count else { throw OperatorError("an axis of \(axes) is named twice") }
        if let sizes = try given(inputs, sizeInput) {
            let sizes = try sizes.integers()
            guard sizes.count == axes.count, sizes.allSatisfy({ $0 >= 0 }) else {
                throw OperatorError("sizes \(sizes) do not fit axes \(axes)")
            }
            for (axis, size) in zip(axes, sizes) {
                result[axis].outputSize = size
                result[axis].scale = input[axis] == size ? 1 : Double(size) / Double(max(1, input[axis]))
            }
            try applyPolicy(axes, &result)
        } else {
            let scales = try scaleAttribute ?? given(inputs, scaleInput)?.elements(of: Float.self).map { $0 }
            guard let scales else { throw OperatorError("neither scales nor sizes are given") }
            guard scales.count == axes.count, scales.allSatisfy({ $0 > 0 }) else {
                throw OperatorError("scales \(scales) do not fit axes \(axes)")
            }
            for (axis, scale) in zip(axes, scales) { try setScale(Double(scale), &result[axis], rounding: .down) }
        }
        if readsRegion, let region = try given(inputs, regionInput) {
            let bounds = try region.converted(to: .float64).array(of: Double.self)
            guard bounds.count == 2 * axes.count, bounds.allSatisfy(\.isFinite) else {
                throw OperatorError("the region \(bounds) does not fit axes \(axes)")
            }
            for (index, axis) in axes.enumerated() {
                result[axis].regionStart = bounds[index]
                result[axis].regionEnd = bounds[axes.count + index]
            }
        }
        return result
    }

    /// An optional input; nil also when it is there but empty, which older opsets used to leave it out.
    private func given(_ inputs: [ValueInfo?], _ index: Int?) throws -> Tensor? {
        guard let index, let info = inputs.optional(index), !info.shape.contains(0) else { return nil }
        guard let value = info.value else { throw DataDependentTypes() }
        return value
    }

    /// One scale for all axes, so that they keep their proportions.
    private func applyPolicy(_ axes: [Int], _ result: inout [ResizedAxis]) throws {
        guard policy != .stretch else { return }
        let scales = axes.map { result[$0].scale }
        guard let scale = policy == .notLarger ? scales.min() : scales.max() else { return }
        for axis in axes { try setScale(scale, &result[axis], rounding: .toNearestOrAwayFromZero) }
    }

    private func setScale(_ scale: Double, _ axis: inout ResizedAxis, rounding: FloatingPointRoundingRule) throws {
        guard scale.isFinite, let size = Int(exactly: (Double(axis.inputSize) * scale).rounded(rounding)) else {
            throw OperatorError("a dimension of \(axis.inputSize) cannot be scaled by \(scale)")
        }
        axis.scale = scale
        axis.outputSize = size
    }
}
