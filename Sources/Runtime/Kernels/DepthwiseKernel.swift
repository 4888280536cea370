import CKernels

/// Depthwise convolutions of planes of known shape; a bounds-checked entry to `depthwise.c`.
struct DepthwiseKernel: Sendable {
    private let window: ts_window
    private let inputCount, outputCount, taps: Int
    private let limits: ClosedRange<Float>?
    private let isHardSwish: Bool

    /// - Parameter activation: what is done of it in registers.
    init(_ window: Window, _ activation: ActivationKernel) {
        self.window = ts_window(window)
        (inputCount, outputCount, taps) = (window.inputCount, window.outputCount, window.kernelCount)
        limits = activation.limits
        isHardSwish = activation == .hardSwish
    }

    /// Planes `plane..<plane + count` of the output, from as many of the input, of neighbouring channels.
    /// - Parameters:
    ///   - source: the first plane in `input`.
    ///   - channel: the first channel, in `weights` and `bias`.
    func convolve(
        _ input: Elements<Float>, plane source: Int, _ weights: Elements<Float>, bias: Elements<Float>?, channel: Int,
        count: Int, into output: MutableElements<Float>, plane: Int
    ) {
        guard let base = input.pointer, let weightBase = weights.pointer, outputCount > 0 else { return }
        precondition(
            count >= 0 && source >= 0 && (source + count) * inputCount <= input.count && channel >= 0
                && (channel + count) * taps <= weights.count && channel + count <= bias?.count ?? .max && plane >= 0
                && (plane + count) * outputCount <= output.count, "depthwise planes out of bounds")
        var window = window
        var end = ts_depthwise_end(
            biases: bias?.pointer.map { $0 + channel }, limits: limits == nil ? 0 : 1, low: limits?.lowerBound ?? 0,
            high: limits?.upperBound ?? 0, hard_swish: isHardSwish ? 1 : 0)
        ts_depthwise_f32(
            base + source * inputCount, weightBase + channel * taps, &window, &end, count,
            output.pointer(at: plane * outputCount))
    }
}
