import CKernels
import Foundation
import ONNXLoader

/// MaxPool (opsets 1–22): the largest element of every window, and optionally where it is.
struct MaxPool: NumericOperator {
    let attributes: WindowAttributes
    let ceiling: Bool
    let columnMajor: Bool

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        ceiling = try node.flag("ceil_mode")
        columnMajor = try node.flag("storage_order")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let type = try pooledType(inputs.required(0).type, attributes, ceiling: ceiling)
        return [type] + (arity > 1 ? [ValueType(.int64, type.shape)] : [])
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let window = try attributes.resolved(spatial: Array(input.shape[2...]), ceiling: ceiling).threeDimensional
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let indices = step.wants(1) ? try step.mutableElements(1, of: Int64.self) : nil
        let planes = input.shape[0] * input.shape[1]
        if let source = source as? Elements<Float>, let output = output as? MutableElements<Float>, indices == nil {
            return try step.parallelPlanes(planes, window) { plane in
                PoolingKernels.max(source, plane: plane, window, into: output)
            }
        }
        try step.parallelPlanes(planes, window) { plane in
            let base = plane * window.inputCount
            var index = plane * window.outputCount
            window.forEachOutput { z, y, x in
                var best: (value: Element, place: Int)?
                window.forEachTap(z, y, x) { place, _ in
                    let value = source[base + place]
                    if best == nil || value > best!.value || value != value { best = (value, place) }
                }
                // A window over padding alone has no largest element; the reference leaves the lowest value there.
                output[index] = best?.value ?? Element(saturating: -.infinity)
                indices?[index] = Int64(base + self.index(of: best?.place ?? 0, in: window))
                index += 1
            }
        }
    }

    /// A place's index under the node's storage order.
    private func index(of place: Int, in window: Window) -> Int {
        guard columnMajor else { return place }
        let x = place % window.input[2]
        let y = place / window.input[2] % window.input[1]
        let z = place / (window.input[2] * window.input[1])
        return (x * window.input[1] + y) * window.input[0] + z
    }
}

/// AveragePool (opsets 1–22): the mean of every window.
struct AveragePool: FloatingOperator {
    let attributes: WindowAttributes
    let ceiling: Bool
    let includesPadding: Bool

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        ceiling = try node.flag("ceil_mode")
        includesPadding = try node.flag("count_include_pad")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [try pooledType(inputs.required(0).type, attributes, ceiling: ceiling)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let window = try attributes.resolved(spatial: Array(input.shape[2...]), ceiling: ceiling).threeDimensional
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let planes = input.shape[0] * input.shape[1]
        if let source = source as? Elements<Float>, let output = output as? MutableElements<Float> {
            return try step.parallelPlanes(planes, window) { plane in
                PoolingKernels.average(source, plane: plane, window, includesPadding: includesPadding, into: output)
            }
        }
        try step.parallelPlanes(planes, window) { plane in
            var index = plane * window.outputCount
            window.forEachOutput { z, y, x in
                var sum = 0.0
                var count = 0
                window.forEachTap(z, y, x) { place, _ in
                    sum += Double(source[plane * window.inputCount + place])
                    count += 1
                }
                if includesPadding { count = window.paddedTapCount(z, y, x) }
                output[index] = Element(count > 0 ? sum / Double(count) : 0)
                index += 1
            }
        }
    }
}

/// LpPool (opsets 2–22): the p-norm of every window.
struct LpPool: FloatingOperator {
    let attributes: WindowAttributes
    let ceiling: Bool
    let order: Int

    init(_ node: inout NodeReader) throws {
        attributes = try WindowAttributes(&node)
        ceiling = try node.flag("ceil_mode")
        order = try node.int("p", or: 2)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [try pooledType(inputs.required(0).type, attributes, ceiling: ceiling)]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let window = try attributes.resolved(spatial: Array(input.shape[2...]), ceiling: ceiling).threeDimensional
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        try step.parallelPlanes(input.shape[0] * input.shape[1], window) { plane in
            var index = plane * window.outputCount
            window.forEachOutput { z, y, x in
                var norm = Norm(order: order)
                window.forEachTap(z, y, x) { place, _ in norm.add(Double(source[plane * window.inputCount + place])) }
                output[index] = Element(norm.value)
                index += 1
            }
        }
    }
}

private func pooledType(_ input: ValueType, _ attributes: WindowAttributes, ceiling: Bool) throws -> ValueType {
    guard input.shape.count >= 3 else { throw OperatorError("\(input) has no spatial dimensions") }
    let window = try attributes.resolved(spatial: Array(input.shape[2...]), ceiling: ceiling)
    return ValueType(input.elementType, input.shape[..<2] + window.output)
}

extension Window {
    @inline(__always)
    func forEachOutput(_ body: (_ z: Int, _ y: Int, _ x: Int) -> Void) {
        for z in 0..<output[0] {
            for y in 0..<output[1] {
                for x in 0..<output[2] { body(z, y, x) }
            }
        }
    }

    /// Taps of a window that lie in the input or its padding.
    func paddedTapCount(_ z: Int, _ y: Int, _ x: Int) -> Int {
        zip([z, y, x], 0..<3).reduce(1) { product, pair in
            let (place, axis) = pair
            let start = place * strides[axis]
            let size = input[axis] + begins[axis] + ends[axis]
            return product * min(kernel[axis], max(0, (size - start + dilations[axis] - 1) / dilations[axis]))
        }
    }
}

extension Step {
    func parallelPlanes(_ count: Int, _ window: Window, _ body: @Sendable (Int) -> Void) throws {
        let cost = max(1, window.outputCount * min(64, window.kernelCount))
        try parallel(count, grain: max(1, (1 << 16) / cost)) { range in
            for plane in range { body(plane) }
        }
    }
}

/// The p-norm of numbers that come one by one.
struct Norm {
    private let order: Int
    private var sum = 0.0

    init(order: Int) { self.order = order }

    mutating func add(_ value: Double) {
        switch order {
        case 1: sum += abs(value)
        case 2: sum += value * value
        default: sum += pow(abs(value), Double(order))
        }
    }

    var value: Double {
        switch order {
        case 1: sum
        case 2: sum.squareRoot()
        default: pow(sum, 1 / Double(order))
        }
    }
}

extension MaxPool: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let input = try node.input(0)
            let window = try attributes.resolved(spatial: Array(input.shape()[2...]), ceiling: ceiling)
            return try node.tape.append(MaxPoolGradient(window: window), "MaxPoolGradient", [input, node.gradient()])
        }
    }
}

extension AveragePool: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let window = try attributes.resolved(spatial: Array(node.input(0).shape()[2...]), ceiling: ceiling)
            return try node.tape.append(
                SeparableAdjoint(axes: [nil, nil] + window.adjoints(includesPadding: includesPadding, averages: true)),
                "AveragePoolGradient", [node.gradient()])
        }
    }
}

extension LpPool: DifferentiableOperator {
    /// `dx = x · |x|^(p-2) · Σ over windows of dy · y^(1-p)`.
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let (x, y) = (try node.input(0), try node.output(0))
            let window = try attributes.resolved(spatial: Array(x.shape()[2...]), ceiling: ceiling)
            let share = try (y > 0).keep(node.gradient() * node.tape.apply("Pow", [y, y.number(Double(1 - order))]))
            let sum = try node.tape.append(
                SeparableAdjoint(axes: [nil, nil] + window.adjoints(includesPadding: false, averages: false)),
                "LpPoolGradient", [share])
            let magnitude = try node.tape.apply("Pow", [x.apply("Abs"), x.number(Double(order - 1))])
            return try sum * x.apply("Sign") * magnitude
        }
    }
}

extension Window {
    /// For each axis, how an input element takes part in the windows: with weight 1, or as its share of a mean.
    fileprivate func adjoints(includesPadding: Bool, averages: Bool) -> [AxisAdjoint] {
        input.indices.map { axis in
            AxisAdjoint(inputSize: input[axis], outputSize: output[axis]) { add in
                for position in 0..<output[axis] {
                    let start = position * strides[axis] - begins[axis]
                    let places = (0..<kernel[axis]).map { start + $0 * dilations[axis] }
                    let last = includesPadding ? input[axis] + ends[axis] : input[axis]
                    let first = includesPadding ? -begins[axis] : 0
                    let count = places.filter { $0 >= first && $0 < last }.count
                    for place in places where place >= 0 && place < input[axis] {
                        add(position, place, averages ? 1 / Double(count) : 1)
                    }
                }
            }
        }
    }
}
