/// Where the elements lie that fall together when some axes of a contiguous tensor are reduced.
///
/// Adjacent dimensions of one kind are merged, so that kept and reduced ones alternate.
struct ReductionLayout: Sendable {
    struct Dimension: Sendable {
        var size: Int
        /// Elements from one index to the next.
        var stride: Int
    }

    /// Outermost first.
    private(set) var kept: [Dimension] = []
    private(set) var reduced: [Dimension] = []
    /// Elements of the output.
    let outputCount: Int
    /// Elements that become one.
    let reducedCount: Int

    init(_ shape: [Int], reducing axes: [Int]) {
        var outputCount = 1
        var reducedCount = 1
        var stride = 1
        var innerIsReduced: Bool?
        for axis in shape.indices.reversed() {
            let size = shape[axis]
            let isReduced = axes.contains(axis)
            // Only a tensor without elements can have sizes whose product wraps.
            if isReduced { reducedCount &*= size } else { outputCount &*= size }
            guard size != 1 else { continue }
            if innerIsReduced == isReduced {
                if isReduced { reduced[0].size &*= size } else { kept[0].size &*= size }
            } else if isReduced {
                reduced.insert(Dimension(size: size, stride: stride), at: 0)
            } else {
                kept.insert(Dimension(size: size, stride: stride), at: 0)
            }
            innerIsReduced = isReduced
            stride &*= size
        }
        self.outputCount = outputCount
        self.reducedCount = reducedCount
    }

    /// Whether the elements that become one output lie in contiguous runs, rather than those of neighbouring outputs.
    var reducesRuns: Bool { reduced.last?.stride == 1 }

    /// Length of the contiguous runs: of elements that become one output, or of neighbouring outputs.
    var runLength: Int { reducesRuns ? reduced[reduced.count - 1].size : kept.last?.size ?? 1 }

    /// Where the elements of an output start; with `reducesRuns` not set, of the first one of a run of outputs.
    func start(of index: Int) -> Int {
        var rest = index
        var start = 0
        for dimension in (reducesRuns ? kept[...] : kept.dropLast()).reversed() {
            start += rest % dimension.size * dimension.stride
            rest /= dimension.size
        }
        return start
    }

    /// Calls `body` with the distance from the start of an output's elements to each of its runs, in order.
    @inline(__always)
    func forEachRun(_ body: (Int) -> Void) {
        let outer = reducesRuns ? reduced.dropLast() : reduced[...]
        guard let last = outer.last else { return body(0) }
        var indices = [Int](repeating: 0, count: outer.count)
        var start = 0
        var remaining = outer.dropLast().reduce(1) { $0 * $1.size }
        while remaining > 0 {
            for index in 0..<last.size { body(start + index * last.stride) }
            remaining -= 1
            var axis = outer.count - 2
            while axis >= 0 {
                indices[axis] += 1
                start += outer[axis].stride
                guard indices[axis] == outer[axis].size else { break }
                start -= outer[axis].stride * outer[axis].size
                indices[axis] = 0
                axis -= 1
            }
        }
    }
}

extension Step {
    /// Reduces the elements of each output of a layout to one value, one after the other in memory order.
    ///
    /// - Parameters:
    ///   - initial: the value of no elements.
    ///   - accumulate: takes in one more element.
    ///   - finish: the output for all elements.
    @inline(__always)
    func reduce<Source: TensorElement, Accumulator: Sendable, Result: TensorElement>(
        _ input: Elements<Source>, _ layout: ReductionLayout, to output: MutableElements<Result>,
        from initial: Accumulator,
        _ accumulate: @escaping @Sendable (Accumulator, Source) -> Accumulator,
        finish: @escaping @Sendable (Accumulator) -> Result
    ) throws {
        try forEachOutput(of: layout) { outputs, start in
            guard layout.reducesRuns else {
                var accumulators = [Accumulator](repeating: initial, count: outputs.count)
                layout.forEachRun { distance in
                    for index in 0..<accumulators.count {
                        accumulators[index] = accumulate(accumulators[index], input[start + distance + index])
                    }
                }
                for (index, accumulator) in accumulators.enumerated() {
                    output[outputs.lowerBound + index] = finish(accumulator)
                }
                return
            }
            var accumulator = initial
            layout.forEachRun { distance in
                let first = start + distance
                for index in first..<first + layout.runLength { accumulator = accumulate(accumulator, input[index]) }
            }
            output[outputs.lowerBound] = finish(accumulator)
        }
    }

    /// Calls `body` with each output, or run of up to 512 neighbouring outputs where their elements are interleaved, and
    /// where its elements start; several at a time.
    @inline(__always)
    func forEachOutput(of layout: ReductionLayout, _ body: @escaping @Sendable (Range<Int>, Int) -> Void) throws {
        guard layout.outputCount > 0 else { return }
        // Nothing is read of no elements, wherever they would start.
        let widest = layout.reducesRuns ? 1 : min(512, layout.runLength)
        let row = layout.reducesRuns ? 1 : layout.runLength
        let chunks = (row + widest - 1) / widest
        let units = layout.outputCount / row * chunks
        let cost = max(1, layout.reducedCount).multipliedReportingOverflow(by: widest)
        let grain = cost.overflow ? 1 : max(1, Self.elementGrain / cost.partialValue)
        try parallel(units, grain: grain) { units in
            for unit in units {
                let first = unit % chunks * widest
                let outputs = unit / chunks * row + first..<unit / chunks * row + min(row, first + widest)
                body(outputs, layout.start(of: unit / chunks) + (layout.reducesRuns ? 0 : first))
            }
        }
    }
}
