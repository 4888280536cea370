import ONNXLoader

/// STFT (opset 17): Fourier transforms of overlapping frames of a signal, each multiplied by a window.
///
/// The signal is `[batch, length]`, or `[batch, length, 1 or 2]` with real or complex numbers; the output
/// `[batch, frames, frequencies, 2]`.
struct STFT: FloatingOperator {
    private let isOneSided: Bool

    init(_ node: inout NodeReader) throws { isOneSided = try node.flag("onesided", or: true) }

    private struct Sizes {
        let batch, length, parts, frame, distance, frames, frequencies: Int
        var shape: [Int] { [batch, frames, frequencies, 2] }
    }

    private func sizes(_ inputs: [ValueInfo?]) throws -> Sizes {
        let signal = try inputs.required(0)
        let parts = signal.shape.count == 3 ? signal.shape[2] : 1
        guard signal.shape.count == 2 || signal.shape.count == 3, parts == 1 || parts == 2 else {
            throw OperatorError("a signal cannot have shape \(signal.shape)")
        }
        let window = inputs.optional(2)
        let length = signal.shape[1]
        let frame = try inputs.optionalIntegers(3)?.first ?? window?.shape.first ?? length
        guard let distance = try inputs.integers(1).first, distance > 0, frame > 0, frame <= length,
            window.map({ $0.shape == [frame] && $0.elementType == signal.elementType }) ?? true
        else {
            throw OperatorError(
                "frames of \(frame), with a window of \(window?.shape ?? [frame]), do not fit \(length)")
        }
        // Frequencies of complex numbers are not symmetric.
        let half = isOneSided && parts == 1
        return Sizes(
            batch: signal.shape[0], length: length, parts: parts, frame: frame, distance: distance,
            frames: (length - frame) / distance + 1, frequencies: half ? frame / 2 + 1 : frame)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        return [ValueType(try inputs.required(0).elementType, sizes.shape)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.infos)
        let signal = try step.elements(0, of: type)
        let window = try step.optional(2)?.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        guard output.count > 0 else { return }
        let transform = try FourierTransform(length: sizes.frame, budget: step.context.budget)
        try step.forEachTransform(sizes.batch * sizes.frames, transform) { index, data, scratch in
            let first = index / sizes.frames * sizes.length + index % sizes.frames * sizes.distance
            for position in 0..<sizes.frame {
                let weight = window?[position].double ?? 1
                let start = (first + position) * sizes.parts
                data[2 * position] = signal[start].double * weight
                data[2 * position + 1] = sizes.parts == 2 ? signal[start + 1].double * weight : 0
            }
            transform.apply(data, inverse: false, scratch: scratch)
            let start = index * sizes.frequencies * 2
            for number in 0..<2 * sizes.frequencies { output[start + number] = Element(data[number]) }
        }
    }
}
