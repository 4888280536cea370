import CKernels
import Foundation
import ONNXLoader

/// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp and
/// ReduceSumSquare (opsets 1–20). Sums of floats run in binary64, those of integers in 64 bits and wrap.
struct Reduction: ArithmeticOperator {
    enum Function: String {
        case sum = "ReduceSum"
        case mean = "ReduceMean"
        case max = "ReduceMax"
        case min = "ReduceMin"
        case product = "ReduceProd"
        case l1 = "ReduceL1"
        case l2 = "ReduceL2"
        case logSum = "ReduceLogSum"
        case logSumExp = "ReduceLogSumExp"
        case sumSquare = "ReduceSumSquare"
    }
    let function: Function
    private let axes: ReductionAxes

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        axes = try ReductionAxes(&node, inputSince: function == .sum ? 13 : 18)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        let axes = try axes(of: inputs)
        return [ValueType(input.elementType, self.axes.output(of: input.shape, reducing: axes))]
    }

    var computedElements: (input: Int, types: Set<ElementType>)? {
        (0, function == .max || function == .min ? ElementType.numbers.union([.bool]) : ElementType.numbers)
    }

    func run(_ step: inout Step) throws {
        guard try step.input(0).elementType == .bool else { return try runArithmetic(&step) }
        let input = try step.elements(0, of: Bool.self)
        let output = try step.mutableElements(0, of: Bool.self)
        switch function {
        case .max: try step.reduce(input, layout(step), to: output, from: false, { $0 || $1 }, finish: { $0 })
        case .min: try step.reduce(input, layout(step), to: output, from: true, { $0 && $1 }, finish: { $0 })
        default: throw OperatorError("bool is not supported")
        }
    }

    /// The axes that are reduced, sorted.
    func axes(of inputs: [ValueInfo?]) throws -> [Int] {
        try axes.resolved(input: inputs.optionalIntegers(1), rank: inputs.required(0).shape.count)
    }

    private func layout(_ step: Step) throws -> ReductionLayout {
        let shape = try step.input(0).shape
        return ReductionLayout(
            shape, reducing: try axes.resolved(input: step.optional(1)?.integers(), rank: shape.count))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, floating type: Element.Type) throws {
        let layout = try layout(step)
        if type == Float.self, let kernel = function.kernel {
            return try reduce(step, layout, kernel)
        }
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let finish = function.finish(count: layout.reducedCount)
        switch function {
        case .sum, .mean, .logSum:
            try step.reduce(input, layout, to: output, from: 0.0, { $0 + $1.double }, finish: { Element(finish($0)) })
        case .l1:
            try step.reduce(
                input, layout, to: output, from: 0.0, { $0 + abs($1.double) }, finish: { Element(finish($0)) })
        case .l2, .sumSquare:
            try step.reduce(
                input, layout, to: output, from: 0.0, { $0 + $1.double * $1.double }, finish: { Element(finish($0)) })
        case .product:
            try step.reduce(input, layout, to: output, from: 1.0, { $0 * $1.double }, finish: { Element($0) })
        case .max:
            try step.reduce(
                input, layout, to: output, from: -Element.infinity, { $1 > $0 || $1.isNaN ? $1 : $0 }, finish: { $0 })
        case .min:
            try step.reduce(
                input, layout, to: output, from: Element.infinity, { $1 < $0 || $1.isNaN ? $1 : $0 }, finish: { $0 })
        case .logSumExp:
            try step.reduce(
                input, layout, to: output, from: ScaledSum(), { $0.adding($1.double) },
                finish: { Element($0.logarithm) })
        }
    }

    func compute<Element: IntegerElement>(_ step: inout Step, integer type: Element.Type) throws {
        if Element.isSigned {
            try reduce(step, type, wide: Int64.self)
        } else {
            try reduce(step, type, wide: UInt64.self)
        }
    }

    private func reduce<Element: IntegerElement, Wide: IntegerElement>(
        _ step: Step, _ type: Element.Type, wide: Wide.Type
    ) throws {
        let layout = try layout(step)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let count = Wide(truncatingIfNeeded: Swift.max(1, layout.reducedCount))
        func reduce(
            from initial: Wide, _ accumulate: @escaping @Sendable (Wide, Element) -> Wide,
            finish: @escaping @Sendable (Wide) -> Element = { Element(truncatingIfNeeded: $0) }
        ) throws {
            try step.reduce(input, layout, to: output, from: initial, accumulate, finish: finish)
        }
        switch function {
        case .sum: try reduce(from: 0) { $0 &+ Wide(truncatingIfNeeded: $1) }
        case .mean:
            try reduce(from: 0) {
                $0 &+ Wide(truncatingIfNeeded: $1)
            } finish: {
                Element(truncatingIfNeeded: $0.dividedReportingOverflow(by: count).partialValue)
            }
        case .max: try reduce(from: Wide(Element.min)) { Swift.max($0, Wide(truncatingIfNeeded: $1)) }
        case .min: try reduce(from: Wide(Element.max)) { Swift.min($0, Wide(truncatingIfNeeded: $1)) }
        case .product: try reduce(from: 1) { $0 &* Wide(truncatingIfNeeded: $1) }
        case .l1: try reduce(from: 0) { $0 &+ Wide(truncatingIfNeeded: $1.magnitude) }
        case .sumSquare:
            try reduce(from: 0) { $0 &+ Wide(truncatingIfNeeded: $1) &* Wide(truncatingIfNeeded: $1) }
        case .l2, .logSum:
            let finish = function.finish(count: layout.reducedCount)
            let squares = function == .l2
            try step.reduce(
                input, layout, to: output, from: 0.0, { $0 + (squares ? $1.double * $1.double : $1.double) },
                finish: { Element(saturating: finish($0)) })
        case .logSumExp:
            try step.reduce(
                input, layout, to: output, from: ScaledSum(), { $0.adding($1.double) },
                finish: { Element(saturating: $0.logarithm) })
        }
    }

    private func reduce(_ step: Step, _ layout: ReductionLayout, _ kernel: ReductionKernel) throws {
        let input = try step.elements(0, of: Float.self)
        let output = try step.mutableElements(0, of: Float.self)
        let finish = function.finish(count: layout.reducedCount)
        let function = function
        try step.forEachOutput(of: layout) { outputs, start in
            if layout.reducesRuns {
                var total: Double?
                layout.forEachRun { distance in
                    let first = start + distance
                    let part = kernel.reduce(input, first..<first + layout.runLength)
                    total = total.map { function.combine($0, part) } ?? part
                }
                output[outputs.lowerBound] = Float(finish(total ?? kernel.reduce(input, 0..<0)))
            } else if let extreme = function.pairKernel {
                output.fill(outputs, with: Float(kernel.reduce(input, 0..<0)))
                layout.forEachRun { distance in
                    extreme.apply(
                        output.readable, at: outputs.lowerBound, step: 1, input, at: start + distance, step: 1,
                        into: output, outputs)
                }
            } else {
                var sums = [Double](repeating: 0, count: outputs.count)
                layout.forEachRun { distance in
                    kernel.accumulate(input, start + distance..<start + distance + outputs.count, into: &sums)
                }
                for (index, sum) in sums.enumerated() { output[outputs.lowerBound + index] = Float(finish(sum)) }
            }
        }
    }
}

extension Reduction.Function {
    /// The kernel for binary32, where there is one.
    fileprivate var kernel: ReductionKernel? {
        switch self {
        case .sum, .mean, .logSum: ReductionKernel(TS_SUM)
        case .l1: ReductionKernel(TS_SUM_OF_MAGNITUDES)
        case .l2, .sumSquare: ReductionKernel(TS_SUM_OF_SQUARES)
        case .max: ReductionKernel(TS_LARGEST)
        case .min: ReductionKernel(TS_SMALLEST)
        case .product, .logSumExp: nil
        }
    }

    /// For extremes: the larger or the smaller of two.
    fileprivate var pairKernel: PairKernel? {
        switch self {
        case .max: PairKernel(TS_MAXIMUM)
        case .min: PairKernel(TS_MINIMUM)
        default: nil
        }
    }

    /// Joins the reductions of two parts.
    fileprivate func combine(_ left: Double, _ right: Double) -> Double {
        switch self {
        case .max: left.isNaN || left > right ? left : right
        case .min: left.isNaN || left < right ? left : right
        default: left + right
        }
    }

    /// What becomes of a sum at the end.
    fileprivate func finish(count: Int) -> @Sendable (Double) -> Double {
        switch self {
        case .mean: { $0 / Double(count) }
        case .l2: { $0.squareRoot() }
        case .logSum: { log($0) }
        default: { $0 }
        }
    }
}

/// A sum of powers of e, divided by the largest of them.
private struct ScaledSum: Sendable {
    private var largest = -Double.infinity
    private var sum = 0.0

    func adding(_ exponent: Double) -> ScaledSum {
        var result = self
        if exponent > largest {
            result.sum = sum * exp(largest - exponent) + 1
            result.largest = exponent
        } else {
            result.sum += exponent == largest ? 1 : exp(exponent - largest)
        }
        return result
    }

    var logarithm: Double { log(sum) + largest }
}

/// The axes of a reduction: an attribute, or an input since some opset.
struct ReductionAxes: Sendable {
    private let attribute: [Int]?
    private let keepsDimensions: Bool
    /// Whether no axes mean none rather than all.
    private let emptyMeansNone: Bool

    init(_ node: inout NodeReader, inputSince: Int) throws {
        let isInput = node.opset >= inputSince
        attribute = isInput ? nil : try node.optionalInts("axes")
        emptyMeansNone = isInput ? try node.flag("noop_with_empty_axes") : false
        keepsDimensions = try node.flag("keepdims", or: true)
    }

    /// The axes that are reduced, sorted.
    func resolved(input: [Int]?, rank: Int) throws -> [Int] {
        let axes = try normalized(attribute ?? input ?? [], rank: rank)
        return axes.isEmpty && !emptyMeansNone ? Array(0..<rank) : axes
    }

    /// The shape that is left.
    func output(of shape: [Int], reducing axes: [Int]) -> [Int] {
        shape.indices.compactMap { axes.contains($0) ? (keepsDimensions ? 1 : nil) : shape[$0] }
    }
}

extension Reduction: DifferentiableOperator {
    /// Of equal extremes, each gets an equal share.
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let x = try node.input(0)
            let shape = try x.shape()
            let axes = try known {
                try self.axes.resolved(input: node.infos.optionalIntegers(1), rank: shape.count)
            }
            let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
            let (y, gradient) = (try node.output(0).reshaped(to: kept), try node.gradient().reshaped(to: kept))
            switch function {
            case .sum: return gradient
            case .mean: return try gradient / Double(axes.reduce(1) { $0 * shape[$1] })
            case .max, .min:
                let isExtreme = try (x == y).asNumbers(like: x)
                return try gradient / isExtreme.sum(over: axes) * isExtreme
            case .product: return try gradient * y / x
            case .l1: return try gradient * x.apply("Sign")
            case .l2: return try (y > 0).keep(gradient / y) * x
            case .logSum: return try gradient / y.apply("Exp")
            case .logSumExp: return try gradient * (x - y).apply("Exp")
            case .sumSquare: return try gradient * x * 2
            }
        }
    }
}
