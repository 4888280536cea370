import Foundation
import ONNXLoader

/// QLinearAdd and QLinearMul of `com.microsoft`: the sum or product of two quantised tensors, broadcast, quantised again.
struct QuantizedArithmetic: Operator {
    enum Function: String { case add = "QLinearAdd", multiply = "QLinearMul" }
    private let function: Function

    init(_ node: inout NodeReader) throws { function = try node.family() }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (left, right) = (try inputs.requiredBytes(0), try inputs.requiredBytes(3))
        guard left.elementType == right.elementType else { throw OperatorError("\(left.type) and \(right.type)") }
        return [ValueType(left.elementType, try broadcast(left.shape, right.shape))]
    }

    func run(_ step: inout Step) throws {
        let left = try step.quantization(of: 0, scale: 1, zeroPoint: 2)
        let right = try step.quantization(of: 3, scale: 4, zeroPoint: 5)
        let result = try step.outputQuantization(scale: 6, zeroPoint: 7)
        let (a, b, output) = (try step.bytes(0), try step.bytes(3), try step.outputBytes())
        let broadcasting = try Broadcasting(
            [step.input(0).shape, step.input(3).shape], to: step.output(0).shape)
        switch function {
        case .add: try step.map(a, b, broadcasting, to: output) { result.byte(left.real($0) + right.real($1)) }
        case .multiply: try step.map(a, b, broadcasting, to: output) { result.byte(left.real($0) * right.real($1)) }
        }
    }
}

/// QLinearSigmoid and QLinearLeakyRelu of `com.microsoft`: a function of a quantised tensor, by a table of its 256 values.
struct QuantizedActivation: Operator {
    enum Function: String { case sigmoid = "QLinearSigmoid", leakyRelu = "QLinearLeakyRelu" }
    private let function: Function
    private let slope: Float

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        slope = function == .leakyRelu ? try node.float("alpha", or: 0.01) : 0
    }

    var inPlaceInputs: [Int] { [0] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [try inputs.requiredBytes(0).type] }

    func run(_ step: inout Step) throws {
        let source = try step.quantization(of: 0, scale: 1, zeroPoint: 2)
        let result = try step.outputQuantization(scale: 3, zeroPoint: 4)
        let table = (0...255).map { byte in
            let x = source.real(UInt8(byte))
            return switch function {
            case .sigmoid: result.byte(1 / (1 + exp(-x)))
            case .leakyRelu: result.byte(x < 0 ? slope * x : x)
            }
        }
        try step.map(step.bytes(0), to: step.outputBytes()) { table[Int($0)] }
    }
}

/// QLinearSoftmax of `com.microsoft`: the softmax of a quantised tensor, quantised again.
struct QuantizedSoftmax: Operator {
    private let axis: Int
    /// Before opset 13 of the default domain, all axes from `axis` on count as one.
    private let flattens: Bool

    init(_ node: inout NodeReader) throws {
        flattens = try node.int("opset") < 13
        axis = try node.int("axis", or: flattens ? 1 : -1)
    }

    private func layout(_ shape: [Int]) throws -> AxisLayout {
        let axis = try normalized(axis, rank: shape.count)
        return flattens ? AxisLayout(shape, axes: axis..<shape.count) : AxisLayout(shape, axis: axis)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.requiredBytes(0).type
        _ = try layout(input.shape)
        return [input]
    }

    func run(_ step: inout Step) throws {
        let source = try step.quantization(of: 0, scale: 1, zeroPoint: 2)
        let result = try step.outputQuantization(scale: 3, zeroPoint: 4)
        let (input, output) = (try step.bytes(0), try step.outputBytes())
        let layout = try layout(step.input(0).shape)
        // Of differences from the largest element, which is at most 255 steps away.
        let powers = (0...255).map { exp(Float(-$0) * source.scale) }
        try step.forEachLine(of: layout) { _, start in
            let places = stride(from: start, to: start + layout.size * layout.inner, by: layout.inner)
            let largest = places.reduce(Int32.min) { max($0, source.difference(input[$1])) }
            func power(_ place: Int) -> Float { powers[Int(largest - source.difference(input[place]))] }
            let sum = places.reduce(Float(0)) { $0 + power($1) }
            for place in places { output[place] = result.byte(power(place) / sum) }
        }
    }
}

/// QLinearConcat of `com.microsoft`: quantised tensors joined along an axis, each quantised like the result.
struct QuantizedConcat: Operator {
    private let axis: Int

    init(_ node: inout NodeReader) throws { axis = try node.int("axis") }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        guard inputs.count >= 5, (inputs.count - 2) % 3 == 0 else {
            throw OperatorError("\(inputs.count) inputs are not an output's scale and zero point and groups of three")
        }
        var type = try inputs.requiredBytes(2).type
        let axis = try normalized(axis, rank: type.shape.count)
        for index in stride(from: 5, to: inputs.count, by: 3) {
            let other = try inputs.requiredBytes(index)
            guard other.shape.count == type.shape.count,
                type.shape.indices.allSatisfy({ $0 == axis || other.shape[$0] == type.shape[$0] })
            else { throw OperatorError("inputs \(type) and \(other.type) cannot be joined along axis \(axis)") }
            type.shape[axis] = try type.shape[axis].adding(other.shape[axis])
        }
        type.elementType = try inputs.requiredBytes(1).elementType
        return [type]
    }

    func run(_ step: inout Step) throws {
        let output = try step.outputBytes()
        let shape = try step.output(0).shape
        let axis = try normalized(axis, rank: shape.count)
        let row = shape[axis...].reduce(1, *)
        let result = try step.outputQuantization(scale: 0, zeroPoint: 1)
        var start = 0
        for index in stride(from: 2, to: step.inputCount, by: 3) {
            let source = try step.quantization(of: index, scale: index + 1, zeroPoint: index + 2)
            let table = (0...255).map { result.byte(source.real(UInt8($0))) }
            let input = try step.bytes(index)
            let part = try step.input(index).shape[axis...].reduce(1, *)
            guard part > 0 else { continue }
            for line in 0..<input.count / part {
                let target = line * row + start
                output.assign(target..<target + part, from: input, at: line * part) { table[Int($0)] }
            }
            start += part
        }
    }
}

/// QLinearAveragePool and QLinearGlobalAveragePool of `com.microsoft`: means of quantised elements, from exact sums.
struct QuantizedAveragePool: Operator {
    /// Nil for the mean of all places.
    private let attributes: WindowAttributes?
    private let ceiling, includesPadding, channelsLast: Bool

    init(_ node: inout NodeReader) throws {
        let isGlobal = node.node.operatorName == "QLinearGlobalAveragePool"
        attributes = isGlobal ? nil : try WindowAttributes(&node)
        ceiling = isGlobal ? false : try node.flag("ceil_mode")
        includesPadding = isGlobal ? false : try node.flag("count_include_pad")
        channelsLast = try node.flag("channels_last")
    }

    /// Images, channels, and how the window slides.
    private func layout(_ shape: [Int]) throws -> (images: Int, channels: Int, window: Window) {
        guard shape.count >= 3 else { throw OperatorError("a shape \(shape) has no spatial dimensions") }
        let spatial = Array(channelsLast ? shape[1..<shape.count - 1] : shape[2...])
        let window: Window
        if let attributes {
            window = try attributes.resolved(spatial: spatial, ceiling: ceiling)
        } else {
            let count = try elementCount(of: spatial)
            guard count > 0 else { throw OperatorError("there is nothing to average in \(shape)") }
            window = Window(
                input: [count], output: [1], kernel: [count], strides: [1], dilations: [1], begins: [0], ends: [0])
        }
        return (shape[0], channelsLast ? shape[shape.count - 1] : shape[1], window)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.requiredBytes(0)
        let (images, channels, window) = try layout(input.shape)
        let spatial = attributes == nil ? [Int](repeating: 1, count: input.shape.count - 2) : window.output
        return [
            ValueType(input.elementType, channelsLast ? [images] + spatial + [channels] : [images, channels] + spatial)
        ]
    }

    func run(_ step: inout Step) throws {
        let source = try step.quantization(of: 0, scale: 1, zeroPoint: 2)
        let result = try step.outputQuantization(scale: 3, zeroPoint: 4)
        let (input, output) = (try step.bytes(0), try step.outputBytes())
        let (images, channels, flat) = try layout(step.input(0).shape)
        let window = flat.threeDimensional
        let placeStride = channelsLast ? channels : 1
        try step.parallelPlanes(images * channels, window) { plane in
            func start(_ count: Int) -> Int {
                channelsLast ? plane / channels * channels * count + plane % channels : plane * count
            }
            let from = start(window.inputCount)
            var place = start(window.outputCount)
            window.forEachOutput { z, y, x in
                var sum = 0
                var count = 0
                window.forEachTap(z, y, x) { tap, _ in
                    sum += Int(source.difference(input[from + tap * placeStride]))
                    count += 1
                }
                if includesPadding { count = window.paddedTapCount(z, y, x) }
                output[place] = result.byte(Float(sum) * source.scale / Float(max(1, count)))
                place += placeStride
            }
        }
    }
}
