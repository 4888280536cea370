import Runtime
import TestSupport

extension SplitMix64 {
    /// A tensor of numbers between -1 and 1.
    mutating func tensor(_ shape: [Int]) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &self) }, shape: shape)
    }
}
