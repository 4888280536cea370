import CKernels

/// Bounds-checked entries to `convolution.c`.
enum ConvolutionKernels {
    /// Writes patches of some channels as rows of a matrix, for a range of output positions.
    ///
    /// - Parameters:
    ///   - plane: the first channel's plane in `input`; `channels` count from it.
    ///   - index: where in `columns` the first row starts; rows are `columns.count` apart.
    static func patches(
        _ input: Elements<Float>, plane: Int, channels: Range<Int>, _ window: Window, columns: Range<Int>,
        into matrix: MutableElements<Float>, at index: Int
    ) {
        let rows = channels.count * window.kernelCount
        guard rows > 0, !columns.isEmpty, let base = input.base else { return }
        precondition(
            plane >= 0 && channels.lowerBound >= 0 && (plane + channels.upperBound) * window.inputCount <= input.count
                && columns.lowerBound >= 0 && columns.upperBound <= window.outputCount && index >= 0
                && index + rows * columns.count <= matrix.count,
            "patches out of bounds")
        var cWindow = ts_window(window)
        ts_patches_f32(
            (base + plane * window.inputCount * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self),
            &cWindow,
            channels.lowerBound, channels.upperBound, columns.lowerBound, columns.count, matrix.pointer(at: index))
    }

    /// Writes rows of the matrix of patches, which count taps and then channels, as panels of `panelColumns` columns.
    ///
    /// - Parameters:
    ///   - plane: the first channel's plane in `input`.
    ///   - columns: a range of output positions.
    ///   - index: where in `panels` the first row of the first panel starts; panels are `panelStride` apart.
    static func patchPanels(
        _ input: Elements<Float>, plane: Int, rows: Range<Int>, _ window: Window, columns: Range<Int>,
        panelColumns: Int, panelStride: Int, into panels: MutableElements<Float>, at index: Int
    ) {
        guard !rows.isEmpty, !columns.isEmpty, let base = input.pointer else { return }
        let lastPanel = (columns.count - 1) / panelColumns
        precondition(
            plane >= 0 && rows.lowerBound >= 0
                && (plane + (rows.upperBound - 1) / window.kernelCount + 1) * window.inputCount <= input.count
                && columns.lowerBound >= 0 && columns.upperBound <= window.outputCount && index >= 0
                && (1...1024).contains(panelColumns) && panelStride >= rows.count * panelColumns
                && index + lastPanel * panelStride + rows.count * panelColumns <= panels.count,
            "patches out of bounds")
        var cWindow = ts_window(window)
        ts_patch_panels_f32(
            base + plane * window.inputCount, &cWindow, rows.lowerBound, rows.upperBound, columns.lowerBound,
            columns.count, panelColumns, panelStride, panels.pointer(at: index))
    }

    /// Adds a number, and the elements of `residual` at the same places, to a range.
    static func addBias(
        _ bias: Float, residual: Elements<Float>?, to output: MutableElements<Float>, _ range: Range<Int>
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= output.count
                && range.upperBound <= residual?.count ?? range.upperBound, "range out of bounds")
        guard !range.isEmpty else { return }
        let residualPointer = residual.flatMap(\.base).map {
            ($0 + range.lowerBound * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
        }
        ts_add_bias_f32(output.pointer(at: range.lowerBound), residualPointer, bias, range.count)
    }

    /// Writes elements of some rows in turn, `rows` neighbours for each column, with a number added.
    /// - Parameters:
    ///   - start: the first row's first element in `matrix`; rows are `rowStride` apart.
    ///   - index: where in `target` the first of `rows * count` elements goes.
    static func interleave(
        _ matrix: Elements<Float>, start: Int, rowStride: Int, rows: Int, count: Int, bias: Float,
        into target: MutableElements<Float>, at index: Int
    ) {
        guard rows > 0, count > 0, let base = matrix.pointer else { return }
        precondition(
            start >= 0 && rowStride >= 0 && start + (rows - 1) * rowStride + count <= matrix.count && index >= 0
                && index + rows * count <= target.count, "rows out of bounds")
        ts_interleave_f32(base + start, rowStride, rows, count, bias, target.pointer(at: index))
    }

    /// Adds every entry of a matrix of patches to the input position that it came from.
    /// - Parameter plane: the first channel's plane in `input`.
    static func scatterPatches(
        _ matrix: Elements<Float>, channel: Int, _ window: Window, into input: MutableElements<Float>, plane: Int
    ) {
        let taps = window.kernelCount
        guard let base = matrix.base, window.outputCount > 0 else { return }
        precondition(
            channel >= 0 && (channel + 1) * taps * window.outputCount <= matrix.count && plane >= 0
                && (plane + channel + 1) * window.inputCount <= input.count, "patches out of bounds")
        var cWindow = ts_window(window)
        ts_scatter_patches_f32(
            base.assumingMemoryBound(to: Float.self), &cWindow, channel, window.outputCount,
            input.pointer(at: plane * window.inputCount))
    }
}

extension ts_window {
    init(_ window: Window) {
        let window = window.threeDimensional
        func triple(_ values: [Int]) -> (Int, Int, Int) { (values[0], values[1], values[2]) }
        self.init(
            input: triple(window.input), output: triple(window.output), kernel: triple(window.kernel),
            stride: triple(window.strides), dilation: triple(window.dilations), begin: triple(window.begins))
    }
}

extension MutableElements where Element == Float {
    func pointer(at index: Int) -> UnsafeMutablePointer<Float> {
        (base + index * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
    }
}
