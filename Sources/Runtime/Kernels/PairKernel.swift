import CKernels

/// A function of two variables in C.
struct PairKernel: Sendable {
    let function: ts_pair_function

    init(_ function: ts_pair_function) { self.function = function }

    /// Sets the elements of `range` from two sources, each either contiguous from its index on (`step` 1) or one element
    /// repeated (`step` 0). The target may be a contiguous source.
    func apply(
        _ first: Elements<Float>, at firstIndex: Int, step firstStep: Int, _ second: Elements<Float>,
        at secondIndex: Int, step secondStep: Int, into target: MutableElements<Float>, _ range: Range<Int>
    ) {
        guard !range.isEmpty, let left = first.pointer, let right = second.pointer else { return }
        precondition(
            range.lowerBound >= 0 && range.upperBound <= target.count && firstIndex >= 0 && secondIndex >= 0
                && (0...1).contains(firstStep) && (0...1).contains(secondStep)
                && firstIndex + (range.count - 1) * firstStep < first.count
                && secondIndex + (range.count - 1) * secondStep < second.count,
            "element range out of bounds")
        ts_combine_f32(
            function, left + firstIndex, firstStep, right + secondIndex, secondStep,
            target.pointer(at: range.lowerBound), range.count)
    }
}

extension Step {
    /// Sets every element of an output from the elements of two inputs, which broadcast to it.
    func map(
        _ first: Elements<Float>, _ second: Elements<Float>, _ broadcasting: Broadcasting,
        to output: MutableElements<Float>, _ kernel: PairKernel
    ) throws {
        let steps = broadcasting.steps
        try parallel(output.count, grain: Self.elementGrain) { range in
            broadcasting.forEachRun(in: range) { run, starts in
                kernel.apply(
                    first, at: starts[0], step: steps[0], second, at: starts[1], step: steps[1], into: output, run)
            }
        }
    }

    /// Sets every element of an output from as many elements of an input.
    func map(_ input: Elements<Float>, to output: MutableElements<Float>, _ kernel: FunctionKernel) throws {
        try parallel(output.count, grain: Self.elementGrain) { range in
            kernel.apply(input, at: range.lowerBound, into: output, range)
        }
    }
}
