import ONNXLoader

/// GroupNormalization (opsets 18–21) and InstanceNormalization (opsets 6–22): `(x − mean) / √(variance + ε) · scale + bias`,
/// with the statistics over the spatial axes of a group of channels, or of each channel.
struct ChannelNormalization: FloatingOperator {
    enum Function: String {
        case group = "GroupNormalization"
        case instance = "InstanceNormalization"
    }
    private let epsilon: Double
    /// Nil for as many groups as channels.
    private let groups: Int?
    /// Whether there is one scale for each group, rather than for each channel.
    private let scalesGroups: Bool

    init(_ node: inout NodeReader) throws {
        epsilon = Double(try node.float("epsilon", or: 1e-5))
        let function = try node.family(Function.self)
        groups = function == .group ? try node.int("num_groups") : nil
        scalesGroups = function == .group && node.opset < 21
        // Statistics are never less precise than binary32.
        node.ignore("stash_type")
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        guard input.shape.count >= 2 else { throw OperatorError("\(input) has no channels") }
        let channels = input.shape[1]
        let groups = groups ?? channels
        guard groups > 0 ? channels % groups == 0 : channels == 0 else {
            throw OperatorError("\(channels) channels do not make \(groups) groups")
        }
        let wanted = ValueType(input.elementType, [scalesGroups ? groups : channels])
        for index in 1...2 where try inputs.required(index).type != wanted {
            throw OperatorError("input \(index) is \(try inputs.required(index).type), not \(wanted)")
        }
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let channels = shape[1]
        guard !shape.contains(0) else { return }
        let channelsPerGroup = channels / (groups ?? channels)
        let plane = shape[2...].reduce(1, *)
        let layout = AxisLayout([shape[0] * channels / channelsPerGroup, channelsPerGroup * plane], axis: 1)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let (scales, biases) = (try step.elements(1, of: type), try step.elements(2, of: type))
        let (epsilon, scalesGroups) = (epsilon, scalesGroups)
        try step.forEachLine(of: layout) { group, start in
            let (mean, variance) = input.moments(start..<start + layout.size)
            let inverse = 1 / (variance + epsilon).squareRoot()
            for channel in group * channelsPerGroup..<(group + 1) * channelsPerGroup {
                let parameter = scalesGroups ? group % scales.count : channel % channels
                input.standardize(
                    to: output, channel * plane..<(channel + 1) * plane, mean: mean,
                    factor: inverse * scales[parameter].double, offset: biases[parameter].double)
            }
        }
    }
}

extension ChannelNormalization: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            let input = try node.input(0)
            let shape = try input.shape()
            let groups = groups ?? shape[1]
            guard groups > 0 else { return [input] }
            let elements = shape[1] / groups * shape[2...].reduce(1, *)
            let lines = try input.reshaped(to: [shape[0], groups, elements])
            let centred = try lines - lines.mean(over: [2])
            let normal = try centred / ((centred * centred).mean(over: [2]) + epsilon).apply("Sqrt")
            func scaled(_ value: GradientValue, _ rank: Int) throws -> GradientValue {
                let parameter = [1, try node.input(1).shape()[0]] + Array(repeating: 1, count: rank - 2)
                return try value * node.input(1).reshaped(to: parameter) + node.input(2).reshaped(to: parameter)
            }
            return [
                scalesGroups
                    ? try scaled(normal, 3).reshaped(to: shape) : try scaled(normal.reshaped(to: shape), shape.count)
            ]
        }
    }
}
