import Runtime
import TestSupport

extension SplitMix64 {
    /// A tensor of numbers between -1 and 1.
    mutating func tensor(_ shape: [Int]) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &self) }, shape: shape)
    }
}

extension Tensor {
    /// A matrix of binary32 with rows and columns exchanged.
    func transposed() throws -> Tensor {
        let (rows, columns) = (shape[0], shape[1])
        let elements = try array(of: Float.self)
        var turned: [Float] = []
        for column in 0..<columns {
            for row in 0..<rows { turned.append(elements[row * columns + column]) }
        }
        return try Tensor(turned, shape: [columns, rows])
    }
}
