import ONNXLoader

/// FusedMatMul of `com.microsoft`: `α · A · B` under numpy's rules, with the last two dimensions of either perhaps
/// exchanged.
struct FusedMatMul: FloatingOperator {
    private let alpha: Float
    private let transposesLeft, transposesRight: Bool

    init(_ node: inout NodeReader) throws {
        alpha = try node.float("alpha", or: 1)
        transposesLeft = try node.flag("transA")
        transposesRight = try node.flag("transB")
        guard try !node.flag("transBatchA"), try !node.flag("transBatchB") else {
            throw OperatorError("transBatchA and transBatchB are not supported")
        }
    }

    var kernelName: String { "gemm" }

    private func product(_ left: [Int], _ right: [Int]) throws -> MatrixProduct {
        var product = try MatrixProduct(
            left: left, right: right, leftTransposed: transposesLeft && left.count > 1,
            rightTransposed: transposesRight && right.count > 1)
        product.alpha = alpha
        return product
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (left, right) = (try inputs.required(0), try inputs.required(1))
        guard left.elementType == right.elementType else {
            throw OperatorError("\(left.type) and \(right.type) have different element types")
        }
        return [ValueType(left.elementType, try product(left.shape, right.shape).shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let left = inputs.optional(0), let right = inputs.optional(1) else { return 0 }
        return (try? product(left.shape, right.shape))?.multiplyAdds ?? 0
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let (left, right) = (try step.input(0), try step.input(1))
        let product = try product(left.shape, right.shape)
        let output = try step.mutableElements(0, of: type)
        if let output = output as? MutableElements<Float> {
            return try product.run(step, left: left, right: right, addend: nil, into: output)
        }
        try product.run(step, left: left.elements(of: type), right: right.elements(of: type), into: output)
        let alpha = Element(alpha)
        try step.map(output.readable, to: output) { $0 * alpha }
    }
}

extension FusedMatMul: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.differentiate {
            func operand(_ index: Int, _ transposed: Bool) throws -> GradientValue {
                let value = try node.input(index)
                return try transposed && value.shape().count > 1 ? value.matrixTransposed() : value
            }
            return [
                try node.tape.apply("MatMul", [operand(0, transposesLeft), operand(1, transposesRight)])
                    * Double(alpha)
            ]
        }
    }
}
