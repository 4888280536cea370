import ONNXLoader

/// How up to four operands are read as if each had the output's shape.
///
/// Dimensions that all operands walk alike are merged, so that the innermost one is as long as can be; in it every operand
/// is either contiguous or one element repeated.
struct Broadcasting: Sendable {
    /// Sizes after merging, outermost first; the last one is the length of a row.
    private let sizes: [Int]
    /// Elements from one index to the next, for each of `sizes` and each operand; in the last, 0 or 1.
    private let strides: [SIMD4<Int>]
    /// Elements of the output.
    let count: Int

    /// - Parameters:
    ///   - shapes: at most four; each must broadcast to `output`.
    init(_ shapes: [[Int]], to output: [Int]) {
        precondition(shapes.count <= 4, "at most four operands")
        count = output.reduce(1, &*)
        var own = [SIMD4<Int>](repeating: .zero, count: output.count)
        for (operand, shape) in shapes.enumerated() {
            for (axis, stride) in broadcastStrides(of: shape, to: output).enumerated() { own[axis][operand] = stride }
        }
        var sizes: [Int] = []
        var strides: [SIMD4<Int>] = []
        for axis in output.indices.reversed() where output[axis] != 1 {
            if let inner = sizes.first, own[axis] == strides[0] &* inner {
                // Wraps for a tensor without elements only.
                sizes[0] = inner &* output[axis]
            } else {
                sizes.insert(output[axis], at: 0)
                strides.insert(own[axis], at: 0)
            }
        }
        self.sizes = sizes.isEmpty ? [1] : sizes
        self.strides = strides.isEmpty ? [.zero] : strides
    }

    /// For each operand, how far it moves from one element of a row to the next: 0 or 1.
    var steps: SIMD4<Int> { strides[strides.count - 1] }

    /// Calls `body` for each contiguous run of output elements within `range`, with each operand's index at its start.
    @inline(__always)
    func forEachRun(in range: Range<Int>, _ body: (Range<Int>, SIMD4<Int>) -> Void) {
        guard !range.isEmpty else { return }
        let length = sizes[sizes.count - 1]
        var position = range.lowerBound
        var within = position % length
        var indices = [Int](repeating: 0, count: sizes.count)
        var row = position / length
        var start = SIMD4<Int>.zero
        for axis in sizes.indices.dropLast().reversed() {
            indices[axis] = row % sizes[axis]
            row /= sizes[axis]
            start &+= strides[axis] &* indices[axis]
        }
        while true {
            let end = min(position + length - within, range.upperBound)
            body(position..<end, start &+ steps &* within)
            guard end < range.upperBound else { return }
            position = end
            within = 0
            var axis = sizes.count - 2
            while axis >= 0 {
                indices[axis] += 1
                start &+= strides[axis]
                guard indices[axis] == sizes[axis] else { break }
                start &-= strides[axis] &* sizes[axis]
                indices[axis] = 0
                axis -= 1
            }
        }
    }
}

extension Step {
    /// Elements that one thread works on at a time, where little is done for each.
    static var elementGrain: Int { 1 << 15 }

    /// Sets every element of an output from as many elements of an input.
    @inline(__always)
    func map<Source: TensorElement, Result: TensorElement>(
        _ input: Elements<Source>, to output: MutableElements<Result>,
        _ transform: @escaping @Sendable (Source) -> Result
    ) throws {
        try parallel(output.count, grain: Self.elementGrain) { range in
            output.assign(range, from: input, at: range.lowerBound, transform)
        }
    }

    /// Sets every element of an output from the elements of two inputs, which broadcast to it.
    @inline(__always)
    func map<First: TensorElement, Second: TensorElement, Result: TensorElement>(
        _ first: Elements<First>, _ second: Elements<Second>, _ broadcasting: Broadcasting,
        to output: MutableElements<Result>, _ transform: @escaping @Sendable (First, Second) -> Result
    ) throws {
        let steps = broadcasting.steps
        try parallel(output.count, grain: Self.elementGrain) { range in
            broadcasting.forEachRun(in: range) { run, starts in
                output.assign(
                    run, from: first, at: starts[0], step: steps[0], and: second, at: starts[1], step: steps[1],
                    transform)
            }
        }
    }

    /// How this step's first inputs broadcast to its first output.
    func broadcasting(_ operands: Int) throws -> Broadcasting {
        Broadcasting(try (0..<operands).map { try input($0).shape }, to: try output(0).shape)
    }
}

extension Array where Element == ValueInfo? {
    /// The type of two inputs of one element type, broadcast to a common shape.
    func broadcastPair() throws -> ValueType {
        let (first, second) = (try required(0), try required(1))
        guard first.elementType == second.elementType else {
            throw OperatorError("the inputs have different element types, \(first.type) and \(second.type)")
        }
        return ValueType(first.elementType, try broadcast(first.shape, second.shape))
    }
}
