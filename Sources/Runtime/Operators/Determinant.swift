import ONNXLoader

/// Det (opsets 11–22): the determinants of square matrices, by elimination with partial pivoting in binary64.
struct Determinant: FloatingOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count >= 2, input.shape[input.shape.count - 1] == input.shape[input.shape.count - 2] else {
            throw OperatorError("\(input.type) does not hold square matrices")
        }
        return [ValueType(input.elementType, input.shape.dropLast(2))]
    }

    func workspaceByteCount(inputs: [ValueInfo?], outputs: [ValueType], threads: Int) throws -> Int {
        let size = try inputs.required(0).shape.last ?? 0
        return try max(1, size.multiplied(by: size)).multiplied(by: MemoryLayout<Double>.stride)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let size = input.shape.last ?? 0
        let matrix = try step.scratch(of: Double.self, count: size * size)
        for index in 0..<output.count {
            try step.checkpoint()
            for element in 0..<size * size { matrix[element] = Double(source[index * size * size + element]) }
            output[index] = Element(matrix.determinant(size: size))
        }
    }
}

extension MutableElements<Double> {
    /// The determinant of a matrix, which is lost.
    fileprivate func determinant(size: Int) -> Double {
        var determinant = 1.0
        for column in 0..<size {
            var pivot = column
            for row in column..<size where abs(self[row * size + column]) > abs(self[pivot * size + column]) {
                pivot = row
            }
            let diagonal = self[pivot * size + column]
            guard diagonal != 0 else { return 0 }
            if pivot != column {
                determinant = -determinant
                for index in column..<size {
                    (self[pivot * size + index], self[column * size + index]) = (
                        self[column * size + index], self[pivot * size + index]
                    )
                }
            }
            determinant *= diagonal
            for row in column + 1..<Swift.max(size, column + 1) {
                let factor = self[row * size + column] / diagonal
                for index in column..<size { self[row * size + index] -= factor * self[column * size + index] }
            }
        }
        return determinant
    }
}
