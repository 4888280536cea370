import ONNXLoader

/// MaxUnpool (opsets 9–22): the maxima of MaxPool at the places that they came from, 0 elsewhere.
struct MaxUnpool: FloatingOperator {
    private let kernel: [Int]
    private let strides, padding: [Int]?

    init(_ node: inout NodeReader) throws {
        kernel = try node.ints("kernel_shape")
        strides = try node.optionalInts("strides")
        padding = try node.optionalInts("pads")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard try inputs.required(1).type == ValueType(.int64, input.shape) else {
            throw OperatorError("indices \(try inputs.required(1).type) for an input \(input.type)")
        }
        let inferred = try inferredShape(input.shape)
        guard let shape = try inputs.optionalIntegers(2) else { return [ValueType(input.elementType, inferred)] }
        guard shape.count == inferred.count, zip(shape, inferred).allSatisfy({ $0 >= $1 }) else {
            throw OperatorError("an output shape \(shape) does not hold the unpooled \(inferred)")
        }
        return [ValueType(input.elementType, shape)]
    }

    /// The shape that the indices count in.
    private func inferredShape(_ shape: [Int]) throws -> [Int] {
        let rank = kernel.count
        guard rank >= 1, shape.count == rank + 2, strides?.count ?? rank == rank, padding?.count ?? 2 * rank == 2 * rank
        else { throw OperatorError("a kernel \(kernel) does not fit an input of shape \(shape)") }
        let spatial = try (0..<rank).map { axis in
            let size = try (shape[axis + 2] - 1).multiplied(by: strides?[axis] ?? 1).adding(kernel[axis])
                .subtracting(padding?[axis] ?? 0).subtracting(padding?[axis + rank] ?? 0)
            guard size >= 0 else { throw OperatorError("axis \(axis + 2) would have the size \(size)") }
            return size
        }
        let result = shape[..<2] + spatial
        _ = try elementCount(of: result)
        return Array(result)
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let indices = try step.elements(1, of: Int64.self)
        let output = try step.output(0)
        let target = try step.mutableElements(0, of: type)
        let inferred = try inferredShape(input.shape)
        let inferredCount = try elementCount(of: inferred)
        let (inner, outer) = (Runtime.strides(of: inferred), Runtime.strides(of: output.shape))
        target.fill(0..<target.count, with: 0)
        for (position, index) in indices.enumerated() {
            guard index >= 0, index < inferredCount else {
                throw OperatorError("index \(index) is outside the unpooled \(inferred)")
            }
            var rest = Int(index)
            var place = 0
            for axis in inferred.indices {
                place += rest / inner[axis] * outer[axis]
                rest %= inner[axis]
            }
            target[place] = source[position]
        }
    }
}
