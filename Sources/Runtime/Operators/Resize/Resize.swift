import ONNXLoader

/// Resize (opsets 10–19) and Upsample (opsets 7–9): dimensions resampled to other sizes, one after another.
struct Resize: WordOperator {
    enum Mode: String, CaseIterable { case nearest, linear, cubic }

    private let mode: Mode
    private let sizing: ResizeSizing
    private let sampling: ResizeSampling
    private let filter: ResizeFilter
    /// Nil before opset 11: down when enlarging, up when shrinking.
    private let nearestMode: NearestMode?
    private let extrapolationValue: Float

    init(_ node: inout NodeReader) throws {
        mode = try node.choice("mode", or: .nearest)
        sizing = try ResizeSizing(&node)
        let isLegacy = node.opset < 11
        sampling = isLegacy ? .asymmetric : try node.choice("coordinate_transformation_mode", or: .halfPixel)
        nearestMode = isLegacy ? nil : try node.choice("nearest_mode", or: .roundPreferFloor)
        let antialias = node.opset < 18 ? false : try node.flag("antialias")
        filter = ResizeFilter(
            isCubic: mode == .cubic, coefficient: isLegacy ? -0.75 : Double(try node.float("cubic_coeff_a", or: -0.75)),
            antialias: antialias, excludesOutside: isLegacy ? false : try node.flag("exclude_outside"))
        extrapolationValue = isLegacy ? 0 : try node.float("extrapolation_value", or: 0)
        guard !antialias || mode != .nearest, !isLegacy || mode != .cubic else {
            throw OperatorError("mode \(mode.rawValue) is not defined here")
        }
    }

    var kernelName: String { mode == .nearest ? "nearest" : "separable" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let axes = try sizing.axes(inputs, readsRegion: false)
        return [ValueType(try inputs.required(0).elementType, axes.map(\.outputSize))]
    }

    func run(_ step: inout Step) throws {
        guard try step.output(0).count > 0 else { return }
        if mode == .nearest { return try runMovement(&step) }
        switch try step.input(0).elementType {
        case .float32: try interpolate(step, Float.self)
        case .float64: try interpolate(step, Double.self)
        case .float16, .bfloat16: try step.inSinglePrecision { try interpolate($0, Float.self) }
        default: try interpolateIntegers(step)
        }
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let input = try step.input(0)
        let tables = try resizedAxes(step.infos).enumerated().map { axis, resized in
            try resized.map(nearestCoordinates) ?? Array(0..<input.shape[axis])
        }
        let constant =
            extrapolationValue == 0
            ? nil : try Tensor(extrapolationValue).converted(to: input.elementType).words(type)[0]
        try CoordinateCopy(sourceShape: input.shape, tables: tables).run(
            step, input.words(type), into: step.output(0).uncheckedMutableWords(type), constant: constant)
    }

    /// For every output coordinate the input's, or -1 where the extrapolation value goes.
    private func nearestCoordinates(_ axis: ResizedAxis) throws -> [Int] {
        try (0..<axis.outputSize).map { position in
            guard let coordinate = try sampling.coordinate(of: position, axis) else { return -1 }
            return (nearestMode ?? (axis.scale < 1 ? .ceiling : .floor)).index(of: coordinate, axis)
        }
    }

    private func interpolate<Element: InterpolatedElement>(_ step: Step, _ type: Element.Type) throws {
        try interpolate(step, step.input(0), into: step.output(0), type)
    }

    /// Computes in binary64, rounds halves to even, and saturates.
    private func interpolateIntegers(_ step: Step) throws {
        let output = try step.output(0)
        let wide = try step.context.budget.allocate(ValueType(.float64, output.shape))
        try interpolate(
            step, step.input(0).converted(to: .float64, budget: step.context.budget), into: wide, Double.self)
        let elements = try wide.uncheckedMutableElements(of: Double.self)
        try step.parallel(elements.count, grain: 1 << 16) { range in
            elements.assign(range, from: elements.readable, at: range.lowerBound) { $0.rounded(.toNearestOrEven) }
        }
        try wide.convert(into: output)
    }

    private func interpolate<Element: InterpolatedElement>(
        _ step: Step, _ input: Tensor, into output: Tensor, _ type: Element.Type
    ) throws {
        let weights = try resizedAxes(step.infos).enumerated().compactMap { axis, resized in
            try resized.map {
                (axis: axis, weights: try AxisWeights<Element>($0, sampling, filter, outside: extrapolationValue))
            }
        }
        guard !weights.isEmpty else {
            return try step.copy(StridedCopy(shape: [input.count], sourceStrides: [1]), from: input, to: output)
        }
        let rank = input.shape.count
        if weights.map(\.axis) == [rank - 2, rank - 1], let vertical = weights[0].weights as? AxisWeights<Float>,
            let horizontal = weights[1].weights as? AxisWeights<Float>,
            let planes = PlaneInterpolation(vertical: vertical, horizontal: horizontal)
        {
            return try planes.apply(step, input, into: output)
        }
        // What shrinks goes first, so that the others have less to do. Of equals the last dimension, which takes longest
        // for each element, is where there are fewest of them: at the end when shrinking, else at the beginning.
        let order = weights.sorted { first, second in
            let (left, right) = (first.weights.growth, second.weights.growth)
            return left == right ? (first.axis < second.axis) == (left < 1) : left < right
        }
        var current = input
        for (number, (axis, weights)) in order.enumerated() {
            var shape = current.shape
            shape[axis] = weights.outputSize
            let target =
                number == order.count - 1
                ? output : try step.context.budget.allocate(ValueType(Element.elementType, shape))
            try weights.apply(step, current, axis: axis, into: target)
            current = target
        }
    }

    /// The axes; nil where nothing changes.
    private func resizedAxes(_ inputs: [ValueInfo?]) throws -> [ResizedAxis?] {
        let axes = try sizing.axes(inputs, readsRegion: sampling == .cropAndResize)
        return try axes.map { axis in
            guard axis.inputSize > 0 else {
                throw OperatorError("nothing can be resized to \(axis.outputSize) elements")
            }
            return sampling.keeps(axis) ? nil : axis
        }
    }
}

extension Resize: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let axes = try known { try resizedAxes(node.infos) }
            let adjoints = try axes.map { axis -> AxisAdjoint? in
                guard let axis else { return nil }
                guard mode != .nearest else {
                    return AxisAdjoint(inputSize: axis.inputSize, coordinates: try nearestCoordinates(axis))
                }
                return try AxisWeights<Double>(axis, sampling, filter, outside: extrapolationValue).adjoint
            }
            return try node.tape.append(SeparableAdjoint(axes: adjoints), "ResizeGradient", [node.gradient()])
        }
    }
}
