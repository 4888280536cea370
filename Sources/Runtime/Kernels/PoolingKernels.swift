import CKernels

/// Bounds-checked entries to `pooling.c`.
enum PoolingKernels {
    static func max(_ input: Elements<Float>, plane: Int, _ window: Window, into output: MutableElements<Float>) {
        guard let source = check(input, plane, window, output) else { return }
        var cWindow = ts_window(window)
        ts_max_pool_f32(source, &cWindow, output.pointer(at: plane * window.outputCount))
    }

    static func average(
        _ input: Elements<Float>, plane: Int, _ window: Window, includesPadding: Bool,
        into output: MutableElements<Float>
    ) {
        guard let source = check(input, plane, window, output) else { return }
        var cWindow = ts_window(window)
        ts_average_pool_f32(
            source, &cWindow, window.threeDimensional.ends, includesPadding ? 1 : 0,
            output.pointer(at: plane * window.outputCount))
    }

    /// The sum of a range.
    static func sum(_ input: Elements<Float>, _ range: Range<Int>) -> Float {
        precondition(range.lowerBound >= 0 && range.upperBound <= input.count, "range out of bounds")
        guard !range.isEmpty, let base = input.base else { return 0 }
        return ts_sum_f32(
            (base + range.lowerBound * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self), range.count)
    }

    private static func check(
        _ input: Elements<Float>, _ plane: Int, _ window: Window, _ output: MutableElements<Float>
    ) -> UnsafePointer<Float>? {
        precondition(
            plane >= 0 && (plane + 1) * window.inputCount <= input.count
                && (plane + 1) * window.outputCount <= output.count, "plane out of bounds")
        return input.base.map {
            UnsafePointer(
                ($0 + plane * window.inputCount * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self))
        }
    }
}
