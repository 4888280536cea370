import ONNXLoader

/// ConvInteger (opset 10): the convolution of 8-bit integers, each less its zero point, in 32 bits.
struct ConvInteger: Operator {
    private let convolution: Convolution

    init(_ node: inout NodeReader) throws { convolution = try Convolution(&node) }

    var kernelName: String { "im2col + integer gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let shape = try convolution.shape(bytes: inputs.requiredBytes(0), weights: inputs.requiredBytes(1))
        return [ValueType(.int32, shape.output)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        convolution.multiplyAdds(inputs: inputs, outputs: outputs)
    }

    func run(_ step: inout Step) throws {
        let output = try step.mutableElements(0, of: Int32.self)
        guard output.count > 0 else { return }
        try IntegerConvolution(
            convolution, input: step.input(0), zeroPoint: step.optional(2), weights: step.input(1),
            zeroPoint: step.optional(3)
        ).run(step) { _, index, count, sums, start in output.copy(sums, start..<start + count, to: index) }
    }
}

/// QLinearConv (opset 10): the convolution of quantised integers of 8 bits, with scales and zero points of the weights per
/// tensor or per output channel.
struct QLinearConv: Operator {
    private let convolution: Convolution

    init(_ node: inout NodeReader) throws { convolution = try Convolution(&node) }

    var kernelName: String { "im2col + integer gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let shape = try convolution.shape(bytes: inputs.requiredBytes(0), weights: inputs.requiredBytes(3))
        if let bias = inputs.optional(8), bias.type != ValueType(.int32, [shape.outputChannels]) {
            throw OperatorError("the bias is \(bias.type), not int32[\(shape.outputChannels)]")
        }
        return [ValueType(try inputs.requiredBytes(7).elementType, shape.output)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let weights = try? inputs.required(3).shape, let output = outputs.first?.shape else { return 0 }
        return saturatingProduct(output + weights.dropFirst())
    }

    func run(_ step: inout Step) throws {
        switch try step.output(0).elementType {
        case .uint8: try compute(step, UInt8.self)
        default: try compute(step, Int8.self)
        }
    }

    private func compute<Target: IntegerElement>(_ step: Step, _ type: Target.Type) throws {
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let integer = try IntegerConvolution(
            convolution, input: step.input(0), zeroPoint: step.optional(2), weights: step.input(3),
            zeroPoint: step.optional(5))
        let weightScales = try step.scales(4)
        let channels = integer.shape.outputChannels
        guard weightScales.count == 1 || weightScales.count == channels else {
            throw OperatorError("\(weightScales.count) scales do not fit \(channels) output channels")
        }
        let (inputScale, outputScale) = (try step.scale(1), try step.scale(6))
        let bias = try step.optional(8)?.elements(of: Int32.self)
        let quantizer = Quantizer<Float, Target>(zeroPoint: try step.zeroPoint(7, of: type))
        try integer.run(step) { channel, index, count, sums, start in
            let scale = inputScale * weightScales[weightScales.count == 1 ? 0 : channel] / outputScale
            let addend = bias?[channel] ?? 0
            output.assign(index..<index + count, from: sums, at: start) { quantizer(Float($0 &+ addend) * scale) }
        }
    }
}

extension Convolution {
    /// The sizes for 8-bit operands, which may differ in their signs.
    fileprivate func shape(bytes input: ValueInfo, weights: ValueInfo) throws -> ConvolutionShape {
        try shape(ValueType(.uint8, input.shape), weights: ValueType(.uint8, weights.shape))
    }
}

extension ConvolutionShape {
    fileprivate var output: [Int] { [batch, outputChannels] + window.output }
}

/// A convolution as products of weights and patches.
private struct IntegerConvolution: Sendable {
    let shape: ConvolutionShape
    private let input, weights: Elements<UInt8>
    private let inputIsSigned, weightsAreSigned: Bool
    private let inputZeroPoint, weightZeroPoints: Elements<UInt8>

    init(
        _ convolution: Convolution, input: Tensor, zeroPoint: Tensor?, weights: Tensor,
        zeroPoint weightZeroPoint: Tensor?
    ) throws {
        shape = try convolution.shape(bytes: ValueInfo(input), weights: ValueInfo(weights))
        self.input = try input.words(UInt8.self)
        self.weights = try weights.words(UInt8.self)
        inputIsSigned = input.elementType == .int8
        weightsAreSigned = weights.elementType == .int8
        inputZeroPoint = try Self.zeroPoints(zeroPoint, of: input, count: 1)
        weightZeroPoints = try Self.zeroPoints(weightZeroPoint, of: weights, count: shape.outputChannels)
    }

    private static func zeroPoints(_ zeroPoint: Tensor?, of operand: Tensor, count: Int) throws -> Elements<UInt8> {
        guard let zeroPoint else { return try Tensor(UInt8(0)).elements() }
        guard zeroPoint.elementType == operand.elementType, zeroPoint.count == 1 || zeroPoint.count == count else {
            throw OperatorError("the zero point \(ValueType(zeroPoint)) does not fit \(ValueType(operand))")
        }
        return try zeroPoint.words(UInt8.self)
    }

    /// - Parameter finish: takes the sums of some places of an output channel; `index` is their place in the output.
    func run(
        _ step: Step,
        finish: @Sendable (_ channel: Int, _ index: Int, _ count: Int, _ sums: Elements<Int32>, _ start: Int) -> Void
    ) throws {
        let channels = shape.outputChannelsPerGroup
        let spatial = shape.window.outputCount
        let padding = inputZeroPoint[0]
        var product = IntegerProduct(rows: channels, columns: spatial, inner: shape.patchCount)
        product.patchesPerColumn = shape.window.isPointwise ? 0 : shape.patchCount
        try product.run(step, blocks: shape.batch * shape.groups) { block, rows in
            let channel = block % shape.groups * channels + rows.lowerBound
            return .init(
                elements: weights, start: channel * shape.patchCount, lineStride: shape.patchCount, innerStride: 1,
                isSigned: weightsAreSigned, zeroPoints: weightZeroPoints, zeroStart: channel)
        } right: { block, columns, patches in
            let plane =
                block / shape.groups * shape.inputChannels + block % shape.groups * shape.inputChannelsPerGroup
            guard !shape.window.isPointwise else {
                return .init(
                    elements: input, start: plane * spatial + columns.lowerBound, lineStride: 1, innerStride: spatial,
                    isSigned: inputIsSigned, zeroPoints: inputZeroPoint)
            }
            IntegerKernels.patches(
                input, plane: plane, channels: shape.inputChannelsPerGroup, shape.window, columns: columns,
                padding: padding, into: patches, at: 0)
            return .init(
                elements: patches.readable, lineStride: 1, innerStride: columns.count, isSigned: inputIsSigned,
                zeroPoints: inputZeroPoint)
        } finish: { block, row, columns, sums, start in
            let channel = block % shape.groups * channels + row
            let plane = block / shape.groups * shape.outputChannels + channel
            finish(channel, plane * spatial + columns.lowerBound, columns.count, sums, start)
        }
    }
}
