import CKernels

/// A dilated 3×3 convolution whose phases are small, each transformed as one tile; see `phases.h`.
struct PhaseKernel: TileTransforms {
    let inputCount, outputCount: Int
    let matrices: MatrixKernel
    let blocks: [TileBlock]
    let scratchCount: Int
    private let parts: [ts_phases]

    /// Neighbouring phases along an axis that are computed as if each had `extent` elements.
    struct Phases: Sendable {
        var range: Range<Int>
        let extent: Int
    }

    /// Phases of a size along each axis: one matrix product for each frequency.
    struct Group: Sendable {
        var rows, columns: Phases

        var frequencies: Int { ts_phase_frequencies(rows.extent, columns.extent) }
        func lanes(_ vector: Int) -> Int {
            (rows.range.count * columns.range.count + vector - 1) / vector * vector
        }
    }

    /// Outputs of a plane; the blocks of a larger one would be many.
    private static let mostOutputs = 1 << 22

    /// Whether a window is one that this computes: with zeros around every phase, which are small.
    static func supports(_ window: Window) -> Bool {
        let window = window.threeDimensional
        return (1...mostOutputs).contains(window.outputCount) && window.kernel == [1, 3, 3]
            && window.strides == [1, 1, 1]
            && window.input == window.output && window.input[0] == 1 && window.begins[0] == 0
            && (1...2).allSatisfy { axis in
                window.begins[axis] == window.dilations[axis] && extent(window, axis) <= Int(TS_PHASE_EXTENT)
            }
    }

    /// Elements of the first, largest phase.
    private static func extent(_ window: Window, _ axis: Int) -> Int {
        (window.output[axis] - 1) / window.dilations[axis] + 1
    }

    /// The phases of an axis: those that are as large as the first, and the others, or all together.
    private static func phases(_ window: Window, _ axis: Int, together: Bool) -> [Phases] {
        let count = min(window.dilations[axis], window.output[axis])
        let extent = extent(window, axis)
        let large = window.output[axis] - (extent - 1) * window.dilations[axis]
        if together || large >= count { return [Phases(range: 0..<count, extent: extent)] }
        return [Phases(range: 0..<large, extent: extent), Phases(range: large..<count, extent: extent - 1)]
    }

    /// The phases of a window as groups that together take the least work: small ones may be computed like larger ones
    /// where that fills vectors, and saves transforms of the weights.
    /// - Parameter vector: lanes of a vector.
    static func groups(_ window: Window, vector: Int) -> [Group] {
        let window = window.threeDimensional
        let choices = [false, true].flatMap { rows in
            [false, true].map { columns in
                phases(window, 1, together: rows).flatMap { rows in
                    phases(window, 2, together: columns).map { Group(rows: rows, columns: $0) }
                }
            }
        }
        func work(_ groups: [Group]) -> Int { groups.reduce(0) { $0 + $1.frequencies * ($1.lanes(vector) + 8) } }
        return choices.min { work($0) < work($1) } ?? []
    }

    /// - Parameter mostNumbers: into which the tiles of one block are to be transformed, for one channel.
    init(_ window: Window, matrices: MatrixKernel, mostNumbers: Int) {
        precondition(Self.supports(window), "not a window of small phases")
        let window = window.threeDimensional
        let groups = Self.groups(window, vector: matrices.lanes).flatMap {
            Self.cut($0, mostTiles: max(matrices.tileColumns, mostNumbers / $0.frequencies))
        }
        (inputCount, outputCount) = (window.inputCount, window.outputCount)
        self.matrices = matrices
        blocks = groups.map { TileBlock(frequencies: $0.frequencies, lanes: $0.lanes(matrices.lanes)) }
        parts = groups.map {
            ts_phases(
                height: window.output[1], width: window.output[2], row_dilation: window.dilations[1],
                column_dilation: window.dilations[2], first_row: $0.rows.range.lowerBound,
                first_column: $0.columns.range.lowerBound, row_count: $0.rows.range.count,
                column_count: $0.columns.range.count, row_extent: $0.rows.extent, column_extent: $0.columns.extent,
                lanes: $0.lanes(matrices.lanes))
        }
        let counts = parts.map { ts_phase_scratch($0.row_extent, $0.column_extent, $0.lanes) }
        scratchCount = ((counts.max() ?? 0) + 15) & ~15
    }

    /// Parts of a group that have at most so many tiles.
    private static func cut(_ group: Group, mostTiles: Int) -> [Group] {
        func parts(_ phases: Phases, _ most: Int) -> [Phases] {
            let count = (phases.range.count + most - 1) / most
            let size = (phases.range.count + count - 1) / count
            return stride(from: phases.range.lowerBound, to: phases.range.upperBound, by: size).map {
                Phases(range: $0..<min(phases.range.upperBound, $0 + size), extent: phases.extent)
            }
        }
        return parts(group.columns, mostTiles).flatMap { columns in
            parts(group.rows, max(1, mostTiles / columns.range.count)).map { Group(rows: $0, columns: columns) }
        }
    }

    func transformInputAt(
        _ planes: ts_planes, _ block: Int, scratch: UnsafeMutablePointer<Float>?,
        into target: UnsafeMutablePointer<Float>?, _ order: ts_winograd_order
    ) {
        withUnsafePointer(to: parts[block]) { part in
            withUnsafePointer(to: order) { ts_phase_input(matrices.index, part, planes, scratch, target, $0) }
        }
    }

    func transformOutputAt(
        _ sums: ts_tile_sums, _ block: Int, _ end: ts_winograd_end, scratch: UnsafeMutablePointer<Float>?,
        into planes: UnsafeMutablePointer<Float>?
    ) {
        withUnsafePointer(to: parts[block]) { part in
            withUnsafePointer(to: sums) { sums in
                withUnsafePointer(to: end) { ts_phase_output(matrices.index, part, sums, $0, scratch, planes) }
            }
        }
    }

    func transformWeightsAt(
        _ taps: UnsafePointer<Float>, tapStep: Int, ahead: Int, count: Int, _ block: Int,
        into target: UnsafeMutablePointer<Float>?, step: Int
    ) {
        ts_phase_weights(
            matrices.index, parts[block].row_extent, parts[block].column_extent, taps, tapStep, count, target, step)
    }
}
