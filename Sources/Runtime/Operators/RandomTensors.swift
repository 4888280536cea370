import Foundation
import ONNXLoader

/// Numbers that look random, each a function of a key and its position, so that they do not depend on the order in which
/// they are drawn: SplitMix64 (Steele, Lea and Flood, 2014).
private struct RandomNumbers: Sendable {
    private let key: UInt64

    /// - Parameter seed: the same seed gives the same numbers; nil a different sequence each time.
    init(seed: Float?) {
        key = seed.map { Self.mixed(UInt64($0.bitPattern)) } ?? UInt64.random(in: .min ... .max)
    }

    /// Uniform in [0, 1).
    func uniform(_ position: Int) -> Double {
        let bits = Self.mixed(key &+ UInt64(truncatingIfNeeded: position &+ 1) &* 0x9e37_79b9_7f4a_7c15)
        return Double(bits >> 11) * 0x1p-53
    }

    /// Normal with mean 0 and variance 1, by the transform of Box and Muller.
    func normal(_ position: Int) -> Double {
        let radius = (-2 * log(1 - uniform(position & ~1))).squareRoot()
        let angle = 2 * Double.pi * uniform(position | 1)
        return radius * (position & 1 == 0 ? cos(angle) : sin(angle))
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

extension Step {
    /// Fills output 0 with a number for each position.
    fileprivate func fill(_ number: @Sendable (Int) -> Double) throws {
        let output = try output(0)
        let numbers = try context.budget.allocate(ValueType(.float64, output.shape))
        let elements = try numbers.uncheckedMutableElements(of: Double.self)
        try parallel(elements.count, grain: 1 << 14) { range in
            for position in range { elements[position] = number(position) }
        }
        try numbers.convert(into: output)
    }
}

extension NodeReader {
    fileprivate mutating func seed() throws -> Float? {
        node.attributes["seed"] == nil ? nil : try float("seed")
    }
}

/// RandomUniform, RandomNormal (opsets 1–22) and the operators that take shape and type from an input.
struct RandomTensor: Operator {
    private enum Distribution {
        case uniform(low: Double, high: Double)
        case normal(mean: Double, deviation: Double)
    }

    private let distribution: Distribution
    private let elementType: ElementType?
    /// Nil for the input's.
    private let shape: [Int]?
    private let seed: Float?

    init(_ node: inout NodeReader) throws {
        let takesInput = node.node.operatorName.hasSuffix("Like")
        if node.node.operatorName.hasPrefix("RandomUniform") {
            distribution = .uniform(
                low: Double(try node.float("low", or: 0)), high: Double(try node.float("high", or: 1)))
        } else {
            distribution = .normal(
                mean: Double(try node.float("mean", or: 0)), deviation: Double(try node.float("scale", or: 1)))
        }
        elementType = try node.elementType("dtype") ?? (takesInput ? nil : .float32)
        shape = takesInput ? nil : try node.ints("shape")
        seed = try node.seed()
    }

    var isDeterministic: Bool { false }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        if let shape, let elementType { return [ValueType(elementType, shape)] }
        let input = try inputs.required(0)
        return [ValueType(elementType ?? input.elementType, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let numbers = RandomNumbers(seed: seed)
        switch distribution {
        case .uniform(let low, let high): try step.fill { low + (high - low) * numbers.uniform($0) }
        case .normal(let mean, let deviation): try step.fill { mean + deviation * numbers.normal($0) }
        }
    }
}

/// Bernoulli (opset 15): 1 with the probability that the input tells, else 0.
struct Bernoulli: Operator {
    let elementType: ElementType?
    let seed: Float?

    init(_ node: inout NodeReader) throws {
        elementType = try node.elementType("dtype")
        seed = try node.seed()
    }

    var isDeterministic: Bool { false }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        return [ValueType(elementType ?? input.elementType, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let numbers = RandomNumbers(seed: seed)
        let probabilities = try step.input(0).converted(to: .float64, budget: step.context.budget)
            .elements(of: Double.self)
        try step.fill { numbers.uniform($0) < probabilities[$0] ? 1 : 0 }
    }
}

/// Multinomial (opsets 7–22): indices of classes, drawn with probabilities whose logarithms, up to a constant, are the
/// input's rows.
struct Multinomial: Operator {
    let elementType: ElementType
    let sampleCount: Int
    let seed: Float?

    init(_ node: inout NodeReader) throws {
        elementType = try node.elementType("dtype") ?? .int32
        sampleCount = try node.int("sample_size", or: 1)
        seed = try node.seed()
        guard elementType == .int32 || elementType == .int64, sampleCount >= 0 else {
            throw OperatorError("\(sampleCount) samples of type \(elementType.name) cannot be drawn")
        }
    }

    var isDeterministic: Bool { false }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count == 2, input.shape[1] > 0 || input.shape[0] == 0 else {
            throw OperatorError("rows of classes are wanted, not \(input.type)")
        }
        return [ValueType(elementType, [input.shape[0], sampleCount])]
    }

    func run(_ step: inout Step) throws {
        let numbers = RandomNumbers(seed: seed)
        let input = try step.input(0)
        let classes = input.shape[1]
        let logits = try input.converted(to: .float64, budget: step.context.budget).elements(of: Double.self)
        // Running sums of each row's unnormalised probabilities.
        var sums: [Double] = []
        for row in 0..<input.shape[0] {
            let line = logits[row * classes..<(row + 1) * classes]
            let largest = line.max() ?? 0
            var sum = 0.0
            for logit in line {
                sum += exp(logit - largest)
                sums.append(sum)
            }
        }
        let table = sums
        let sampleCount = sampleCount
        try step.fill { position in
            let start = position / sampleCount * classes
            let wanted = numbers.uniform(position) * table[start + classes - 1]
            var (low, high) = (0, classes - 1)
            while low < high {
                let middle = (low + high) / 2
                if table[start + middle] > wanted { high = middle } else { low = middle + 1 }
            }
            return Double(low)
        }
    }
}
