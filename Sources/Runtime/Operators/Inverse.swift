import ONNXLoader

/// Inverse (com.microsoft): the inverses of square matrices, by Gauss–Jordan elimination with partial pivoting in binary64.
struct Inverse: FloatingOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count >= 2, input.shape[input.shape.count - 1] == input.shape[input.shape.count - 2] else {
            throw OperatorError("\(input.type) does not hold square matrices")
        }
        return [input.type]
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        let size = try inputs.required(0).shape.last ?? 0
        return try max(1, size.multiplied(by: size).multiplied(by: 2)).multiplied(by: MemoryLayout<Double>.stride)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let size = input.shape.last ?? 0
        guard output.count > 0 else { return }
        // Each row of the matrix with the row of what becomes the inverse behind it.
        let rows = try step.scratch(of: Double.self, count: 2 * size * size)
        for start in stride(from: 0, to: output.count, by: size * size) {
            try step.checkpoint()
            for row in 0..<size {
                for column in 0..<size {
                    rows[2 * size * row + column] = Double(source[start + size * row + column])
                    rows[2 * size * row + size + column] = row == column ? 1 : 0
                }
            }
            guard rows.eliminate(size: size) else { throw OperatorError("a matrix is singular") }
            for row in 0..<size {
                for column in 0..<size {
                    output[start + size * row + column] = Element(rows[2 * size * row + size + column])
                }
            }
        }
    }
}

extension Inverse: DifferentiableOperator {
    /// `dX = −Yᵀ · dY · Yᵀ`.
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let transposed = try node.output(0).matrixTransposed()
            let product = try node.tape.apply(
                "MatMul", [node.tape.apply("MatMul", [transposed, node.gradient()]), transposed])
            return try -product
        }
    }
}

extension MutableElements<Double> {
    /// Turns `size` rows of twice as many columns into the unit matrix beside the inverse.
    /// - Returns: false when there is none.
    fileprivate func eliminate(size: Int) -> Bool {
        let width = 2 * size
        for column in 0..<size {
            var pivot = column
            for row in column..<size where abs(self[row * width + column]) > abs(self[pivot * width + column]) {
                pivot = row
            }
            let diagonal = self[pivot * width + column]
            guard diagonal != 0, diagonal.isFinite else { return false }
            for index in 0..<width {
                let kept = self[column * width + index]
                self[column * width + index] = self[pivot * width + index] / diagonal
                if pivot != column { self[pivot * width + index] = kept }
            }
            for row in 0..<size where row != column {
                let factor = self[row * width + column]
                guard factor != 0 else { continue }
                for index in 0..<width { self[row * width + index] -= factor * self[column * width + index] }
            }
        }
        return true
    }
}
