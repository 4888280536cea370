// Taps of a dilated window that lie in the padding wherever the window is, as the outer ones of an atrous pyramid on a
// small map, contribute nothing: they and their weights are left out at planning.
extension Window {
    /// Along each axis, the taps that may see the input; all of them where none does.
    var seeingTaps: [Range<Int>] {
        input.indices.map { axis in
            func quotient(_ value: Int) -> Int { value <= 0 ? 0 : (value - 1) / dilations[axis] + 1 }
            // The first tap that reaches the input's beginning at the last output, and the last one before its end at the first.
            let first = quotient(begins[axis] - (output[axis] - 1) * strides[axis])
            let end = min(kernel[axis], quotient(begins[axis] + input[axis]))
            return first < end ? first..<end : 0..<kernel[axis]
        }
    }

    /// The window with some taps alone.
    func keeping(_ taps: [Range<Int>]) -> Window {
        func axes(_ size: (Int) -> Int) -> [Int] { input.indices.map(size) }
        return Window(
            input: input, output: output, kernel: taps.map(\.count), strides: strides, dilations: dilations,
            begins: axes { begins[$0] - taps[$0].lowerBound * dilations[$0] },
            ends: axes { ends[$0] - (kernel[$0] - taps[$0].upperBound) * dilations[$0] })
    }
}

extension ConvolutionShape {
    func keeping(_ taps: [Range<Int>]) -> ConvolutionShape {
        ConvolutionShape(
            batch: batch, inputChannels: inputChannels, outputChannels: outputChannels, groups: groups,
            window: window.keeping(taps))
    }

    /// The weights of some taps.
    /// - Throws: `RuntimeError.memoryLimit`, `TensorError.wrongElementType`.
    func weights(_ weights: Tensor, keeping taps: [Range<Int>], budget: MemoryBudget) throws -> Tensor {
        let source = try weights.elements(of: Float.self)
        let (all, kept) = (window.threeDimensional.kernel, window.keeping(taps).threeDimensional)
        let offsets = Array(repeating: 0, count: 3 - taps.count) + taps.map(\.lowerBound)
        let result = try budget.allocate(
            ValueType(.float32, [outputChannels, inputChannelsPerGroup] + taps.map(\.count)))
        let target = try result.uncheckedMutableElements(of: Float.self)
        var index = 0
        for filter in 0..<outputChannels * inputChannelsPerGroup {
            for z in 0..<kept.kernel[0] {
                for y in 0..<kept.kernel[1] {
                    let row = ((filter * all[0] + offsets[0] + z) * all[1] + offsets[1] + y) * all[2] + offsets[2]
                    target.copy(source, row..<row + kept.kernel[2], to: index)
                    index += kept.kernel[2]
                }
            }
        }
        return result
    }
}
