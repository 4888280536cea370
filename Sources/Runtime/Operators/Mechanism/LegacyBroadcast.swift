/// How operators of two inputs broadcast the second one before opset 7: its dimensions are those of the first one from an
/// axis on, and it is repeated along the others.
struct LegacyBroadcast: Sendable {
    private let axis: Int?

    /// Nil from opset 7 on, where both inputs broadcast to each other.
    ///
    /// - Parameter axis: where the operator has no attribute that says it.
    init?(_ node: inout NodeReader, axis fixed: Int? = nil) throws {
        guard node.opset < 7 else { return nil }
        node.ignore("consumed_inputs", "broadcast")
        axis = try node.optionalInt("axis") ?? fixed
    }

    /// The second input's shape with ones for the dimensions along which it is repeated.
    func aligned(_ shape: [Int], to first: [Int]) throws -> [Int] {
        // A scalar, or the last dimensions: as later opsets do.
        guard let axis, shape.count < first.count, shape != [1] else { return shape }
        let start = try normalized(axis, rank: first.count)
        guard start + shape.count <= first.count else {
            throw OperatorError("an input of shape \(shape) does not fit \(first) from axis \(axis) on")
        }
        return shape + Array(repeating: 1, count: first.count - start - shape.count)
    }
}

extension Array where Element == ValueInfo? {
    /// The inputs with the second one's shape as it broadcasts.
    func aligned(_ legacy: LegacyBroadcast?) throws -> [ValueInfo?] {
        guard let legacy else { return self }
        var inputs = self
        inputs[1] = ValueInfo(
            ValueType(try required(1).elementType, try legacy.aligned(required(1).shape, to: required(0).shape)))
        return inputs
    }
}

extension Step {
    /// How this step's first two inputs broadcast to its first output.
    func broadcastingPair(_ legacy: LegacyBroadcast?) throws -> Broadcasting {
        guard let legacy else { return try broadcasting(2) }
        let (first, second) = (try input(0).shape, try input(1).shape)
        return Broadcasting([first, try legacy.aligned(second, to: first)], to: try output(0).shape)
    }
}

extension GradientNode {
    /// Differentiates the operator as later opsets have it, its second input under the shape that it broadcasts with.
    func differentiate(_ operatorName: String, _ legacy: LegacyBroadcast) throws {
        try differentiate {
            let (first, second) = (try input(0), try input(1))
            let shape = try legacy.aligned(second.shape(), to: first.shape())
            return [try tape.apply(operatorName, [first, second.reshaped(to: shape)])]
        }
    }
}
