import CKernels

/// The weights of neighbouring elements in an interpolated one.
struct ResizeFilter: Sendable {
    /// Cubic convolution (Keys, 1981), else linear.
    let isCubic: Bool
    /// Keys' `a`.
    let coefficient: Double
    /// Whether the filter widens when a dimension shrinks.
    let antialias: Bool
    /// Whether elements beyond the ends have no weight, rather than the end's value.
    let excludesOutside: Bool

    /// Weights of as many consecutive elements, of which the one in the middle (the left one of the two) lies `distance`
    /// before the coordinate; `distance` is in (0, 1].
    func weights(distance: Double, scale: Double) -> [Double] {
        var weights: [Double] = []
        write(distance: distance, scale: scale, to: &weights)
        return weights
    }

    /// Writes them over what `weights` holds.
    func write(distance: Double, scale: Double, to weights: inout [Double]) {
        let scale = antialias ? min(scale, 1) : 1
        let radius = isCubic ? 2.0 : 1.0
        let first = Int((-radius / scale).rounded(.down)) + 1
        weights.removeAll(keepingCapacity: true)
        for tap in first..<2 - first { weights.append(kernel((Double(tap) - distance) * scale)) }
        guard antialias else { return }
        let sum = weights.reduce(0, +)
        for tap in weights.indices { weights[tap] /= sum }
    }

    private func kernel(_ distance: Double) -> Double {
        let x = abs(distance)
        let a = coefficient
        guard isCubic else { return max(0, 1 - x) }
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}

/// For every output element of one dimension the input elements that make it, with their weights.
struct AxisWeights<Element: InterpolatedElement>: Sendable {
    let inputSize: Int
    let outputSize: Int
    /// Input elements for each output element.
    let taps: Int
    let indices: [Int32]
    let weights: [Element]
    /// Output elements that are `outsideValue`.
    let outside: [Int]
    let outsideValue: Element

    /// Output elements for each input element.
    var growth: Double { Double(outputSize) / Double(inputSize) }

    init(_ axis: ResizedAxis, _ sampling: ResizeSampling, _ filter: ResizeFilter, outside value: Float) throws {
        inputSize = axis.inputSize
        outputSize = axis.outputSize
        guard inputSize <= Int32.max else {
            throw OperatorError("a dimension of \(inputSize) is too large to be resized")
        }
        taps = filter.weights(distance: 1, scale: axis.scale).count
        outsideValue = Element(value)
        var outside: [Int] = []
        var indices: [Int32] = []
        var weights: [Element] = []
        indices.reserveCapacity(taps * outputSize)
        weights.reserveCapacity(taps * outputSize)
        var own: [Double] = []
        for position in 0..<outputSize {
            var coordinate = 0.0
            if let found = try sampling.coordinate(of: position, axis) {
                // Far outside, all that matters is the end's value.
                coordinate = min(max(found, Double(-2 * taps)), Double(inputSize + 2 * taps))
            } else {
                outside.append(position)
            }
            // The element before the coordinate; where it is an element's own, the one before that.
            let before = coordinate.rounded(.up) - 1
            filter.write(distance: coordinate - before, scale: axis.scale, to: &own)
            let first = Int(before) + 1 - taps / 2
            if filter.excludesOutside {
                for tap in own.indices where first + tap < 0 || first + tap >= axis.inputSize { own[tap] = 0 }
                let sum = own.reduce(0, +)
                if sum != 0 { for tap in own.indices { own[tap] /= sum } }
            }
            for (tap, weight) in own.enumerated() {
                indices.append(Int32(min(max(first + tap, 0), axis.inputSize - 1)))
                weights.append(Element(weight))
            }
        }
        self.indices = indices
        self.weights = weights
        self.outside = outside
    }

    /// Interpolates a tensor along one dimension; lines of the result in parallel.
    func apply(_ step: Step, _ input: Tensor, axis: Int, into output: Tensor) throws {
        let source = try input.elements(of: Element.self)
        let target = try output.uncheckedMutableElements(of: Element.self)
        let inner = input.shape[(axis + 1)...].reduce(1, *)
        let outer = input.shape[..<axis].reduce(1, *)
        precondition(
            source.count == outer * inputSize * inner && target.count == outer * outputSize * inner,
            "tensors of other sizes than the axis")
        guard let base = source.base, target.count > 0 else { return }
        let bases = InterpolationBases(source: base, target: target.base)
        let stride = MemoryLayout<Element>.stride
        if inner == 1 {
            try step.parallel(outer, grain: max(1, (1 << 14) / (outputSize * taps))) { range in
                for line in range {
                    Element.interpolateLine(
                        bases.source + line * inputSize * stride, indices, weights, taps: taps, count: outputSize,
                        bases.target + line * outputSize * stride)
                    for position in outside { target[line * outputSize + position] = outsideValue }
                }
            }
        } else {
            try step.parallel(outer * outputSize, grain: max(1, (1 << 15) / (inner * taps))) { range in
                for line in range {
                    let position = line % outputSize
                    indices.withUnsafeBufferPointer { indices in
                        weights.withUnsafeBufferPointer { weights in
                            Element.blendLines(
                                bases.source + line / outputSize * inputSize * inner * stride, lineStride: inner,
                                indices.baseAddress! + position * taps, weights.baseAddress! + position * taps,
                                taps: taps, count: inner, bases.target + line * inner * stride)
                        }
                    }
                }
            }
            for position in outside {
                for line in 0..<outer {
                    let start = (line * outputSize + position) * inner
                    target.fill(start..<start + inner, with: outsideValue)
                }
            }
        }
    }
}

/// Memory that lines of an interpolation read and write; the lines are disjoint.
private struct InterpolationBases: @unchecked Sendable {
    let source: UnsafeRawPointer
    let target: UnsafeMutableRawPointer
}

/// An element type with interpolation kernels, `resize.c`. Callers have checked the bounds.
protocol InterpolatedElement: FloatingElement {
    static func interpolateLine(
        _ input: UnsafeRawPointer, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Self>, taps: Int,
        count: Int,
        _ output: UnsafeMutableRawPointer)
    static func blendLines(
        _ input: UnsafeRawPointer, lineStride: Int, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Self>,
        taps: Int, count: Int, _ output: UnsafeMutableRawPointer)
}

extension Float: InterpolatedElement {
    static func interpolateLine(
        _ input: UnsafeRawPointer, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Float>, taps: Int,
        count: Int, _ output: UnsafeMutableRawPointer
    ) {
        ts_interpolate_line_f32(
            input.assumingMemoryBound(to: Float.self), indices, weights, taps, count,
            output.assumingMemoryBound(to: Float.self))
    }

    static func blendLines(
        _ input: UnsafeRawPointer, lineStride: Int, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Float>,
        taps: Int, count: Int, _ output: UnsafeMutableRawPointer
    ) {
        ts_blend_lines_f32(
            input.assumingMemoryBound(to: Float.self), lineStride, indices, weights, taps, count,
            output.assumingMemoryBound(to: Float.self))
    }
}

extension Double: InterpolatedElement {
    static func interpolateLine(
        _ input: UnsafeRawPointer, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Double>, taps: Int,
        count: Int, _ output: UnsafeMutableRawPointer
    ) {
        ts_interpolate_line_f64(
            input.assumingMemoryBound(to: Double.self), indices, weights, taps, count,
            output.assumingMemoryBound(to: Double.self))
    }

    static func blendLines(
        _ input: UnsafeRawPointer, lineStride: Int, _ indices: UnsafePointer<Int32>, _ weights: UnsafePointer<Double>,
        taps: Int, count: Int, _ output: UnsafeMutableRawPointer
    ) {
        ts_blend_lines_f64(
            input.assumingMemoryBound(to: Double.self), lineStride, indices, weights, taps, count,
            output.assumingMemoryBound(to: Double.self))
    }
}

extension AxisWeights where Element == Double {
    /// The interpolation turned around.
    var adjoint: AxisAdjoint {
        let outside = Set(outside)
        return AxisAdjoint(inputSize: inputSize, outputSize: outputSize) { add in
            for position in 0..<outputSize where !outside.contains(position) {
                for tap in position * taps..<(position + 1) * taps where weights[tap] != 0 {
                    add(position, Int(indices[tap]), weights[tap])
                }
            }
        }
    }
}
