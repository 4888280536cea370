import CKernels

/// Bounds-checked entries to `integer.c`: products of 8-bit integers, each less its zero point.
enum IntegerKernels {
    /// Bytes inside a larger array, as lines: the rows of a left operand, the columns of a right one.
    struct Lines {
        var elements: Elements<UInt8>
        /// Index of the first element of the first line.
        var start = 0
        /// Elements from one line to the next, and along a line.
        var lineStride, innerStride: Int
        var isSigned: Bool
        /// One for all lines, or one for each from `zeroStart` on.
        var zeroPoints: Elements<UInt8>
        var zeroStart = 0

        fileprivate func check(lines: Int, inner: Int) {
            precondition(
                start >= 0 && lineStride >= 0 && innerStride >= 0
                    && start + (lines - 1) * lineStride + (inner - 1) * innerStride < elements.count && zeroStart >= 0
                    && (zeroPoints.count == 1 || zeroStart + lines <= zeroPoints.count), "lines out of bounds")
        }

        fileprivate func withPointers(_ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>, Int) -> Void) {
            guard let base = elements.base, let zeros = zeroPoints.base else { return }
            let shared = zeroPoints.count == 1
            body(
                (base + start).assumingMemoryBound(to: UInt8.self),
                (zeros + (shared ? 0 : zeroStart)).assumingMemoryBound(to: UInt8.self), shared ? 0 : 1)
        }

        fileprivate var flip: UInt8 { isSigned ? 0x80 : 0 }
    }

    /// Where the parts of the scratch memory of one tile lie.
    struct TileMemory {
        let left, right, sums, patches: Int
        let byteCount: Int

        /// - Throws: `OperatorError` when the sizes overflow.
        init(rows: Int, columns: Int, inner: Int, patchesPerColumn: Int) throws {
            func roundUp(_ value: Int, to multiple: Int) throws -> Int {
                try value.adding(multiple - 1) / multiple * multiple
            }
            func packed(_ lines: Int, by panel: Int) throws -> Int {
                try roundUp(lines, to: panel).multiplied(by: roundUp(inner, to: 2)).multiplied(by: 2)
            }
            left = 0
            right = try roundUp(packed(rows, by: TS_LEFT_LINES), to: 64)
            sums = try right.adding(roundUp(packed(columns, by: TS_RIGHT_LINES), to: 64))
            patches = try sums.adding(roundUp(rows.multiplied(by: columns).multiplied(by: 4), to: 64))
            byteCount = try patches.adding(roundUp(columns.multiplied(by: patchesPerColumn), to: 64))
        }
    }

    /// Products of every line of `left` with every line of `right`, row by row.
    static func multiply(
        _ left: Lines, _ right: Lines, rows: Int, columns: Int, inner: Int, in memory: MutableElements<UInt8>,
        at places: TileMemory
    ) -> Elements<Int32> {
        let sums = MutableElements<Int32>(base: memory.base + places.sums, count: rows * columns)
        guard rows > 0, columns > 0 else { return sums.readable }
        guard inner > 0 else {
            sums.fill(0..<sums.count, with: 0)
            return sums.readable
        }
        precondition(places.byteCount <= memory.count, "scratch memory is too small")
        left.check(lines: rows, inner: inner)
        right.check(lines: columns, inner: inner)
        let packedLeft = (memory.base + places.left).assumingMemoryBound(to: Int16.self)
        let packedRight = (memory.base + places.right).assumingMemoryBound(to: Int16.self)
        left.withPointers { source, zeros, zeroStep in
            ts_pack_left_8(
                source, left.lineStride, left.innerStride, rows, inner, zeros, zeroStep, left.flip, packedLeft)
        }
        right.withPointers { source, zeros, zeroStep in
            ts_pack_right_8(
                source, right.lineStride, right.innerStride, columns, inner, zeros, zeroStep, right.flip, packedRight)
        }
        ts_multiply_s16(
            packedLeft, packedRight, rows, columns, (inner + 1) / 2, sums.base.assumingMemoryBound(to: Int32.self),
            columns)
        return sums.readable
    }

    /// Patches of bytes as rows of a matrix, as `ConvolutionKernels.patches`.
    static func patches(
        _ input: Elements<UInt8>, plane: Int, channels: Int, _ window: Window, columns: Range<Int>, padding: UInt8,
        into matrix: MutableElements<UInt8>, at index: Int
    ) {
        let rows = channels * window.kernelCount
        guard rows > 0, !columns.isEmpty, let base = input.base else { return }
        precondition(
            plane >= 0 && (plane + channels) * window.inputCount <= input.count && columns.lowerBound >= 0
                && columns.upperBound <= window.outputCount && index >= 0
                && index + rows * columns.count <= matrix.count, "patches out of bounds")
        var cWindow = ts_window(window)
        ts_patches_8(
            (base + plane * window.inputCount).assumingMemoryBound(to: UInt8.self), &cWindow, 0, channels,
            columns.lowerBound, columns.count, padding, (matrix.base + index).assumingMemoryBound(to: UInt8.self))
    }
}
