import ONNXLoader

/// MatMul (opsets 1–13): the matrix product under numpy's rules; optionally followed, in the same pass, by the addition
/// of a row and an activation.
struct MatMul: NumericOperator {
    /// Set by lowering: input 2, one number for each column, is added.
    var addsBias = false
    /// Set by lowering: the last input, of the result's shape, is added.
    var addsResidual = false
    /// Set by lowering.
    var activation = ActivationKernel.none

    init(_ node: inout NodeReader) throws {}

    /// Whether nothing follows in the same pass.
    var isBare: Bool { !addsBias && !addsResidual && activation == .none }

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let left = try inputs.required(0)
        let right = try inputs.required(1)
        guard left.elementType == right.elementType else {
            throw OperatorError("\(left.type) and \(right.type) have different element types")
        }
        return [ValueType(left.elementType, try MatrixProduct(left: left.shape, right: right.shape).shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let left = try? inputs.required(0), let right = try? inputs.required(1) else { return 0 }
        return (try? MatrixProduct(left: left.shape, right: right.shape))?.multiplyAdds ?? 0
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let left = try step.input(0)
        let right = try step.input(1)
        var product = try MatrixProduct(left: left.shape, right: right.shape)
        guard let output = try step.mutableElements(0, of: type) as? MutableElements<Float> else {
            return try product.run(
                step, left: left.elements(of: type), right: right.elements(of: type),
                into: step.mutableElements(0, of: type))
        }
        product.activation = addsResidual ? .none : activation
        try product.run(step, left: left, right: right, addend: addsBias ? step.input(2) : nil, into: output)
        guard addsResidual else { return }
        let residual = try step.elements(addsBias ? 3 : 2, of: Float.self)
        try step.parallel(output.count, grain: 1 << 15) { range in
            ConvolutionKernels.addBias(0, residual: residual, to: output, range)
            activation.apply(to: output, range)
        }
    }

    /// With a constant right operand, packs it.
    func specialized(
        for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext
    ) throws -> any Operator {
        let (left, right) = (try inputs.required(0), try inputs.required(1))
        guard left.elementType == .float32, let type = outputs.first else { return self }
        var product = try MatrixProduct(left: left.shape, right: right.shape)
        product.activation = activation
        return try LinearLayer(
            product, right: right, type: type, bias: addsBias ? 2 : nil,
            residual: addsResidual ? (addsBias ? 3 : 2) : nil, context: context) ?? self
    }
}

/// Gemm (opsets 1–13): `α · A · B + β · C`, A and B perhaps transposed, C broadcast; optionally with an activation.
struct Gemm: NumericOperator {
    let alpha, beta: Float
    let transposesLeft, transposesRight: Bool
    /// Set by lowering, and by FusedGemm of `com.microsoft`.
    var activation = ActivationKernel.none

    init(_ node: inout NodeReader) throws {
        if node.node.operatorName == "FusedGemm" { activation = try node.fusedActivation(ofProduct: true) }
        alpha = try node.float("alpha", or: 1)
        beta = try node.float("beta", or: 1)
        transposesLeft = try node.flag("transA")
        transposesRight = try node.flag("transB")
        if node.opset < 7 { node.ignore("broadcast") }
    }

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let left = try inputs.required(0)
        let right = try inputs.required(1)
        let shape = try product(left.shape, right.shape).shape
        guard left.elementType == right.elementType,
            inputs.optional(2)?.elementType ?? left.elementType == left.elementType
        else { throw OperatorError("the inputs have different element types") }
        if let addend = inputs.optional(2)?.shape, addend.count > 2 || (try? broadcast(addend, shape)) != shape {
            throw OperatorError("input C of shape \(addend) does not broadcast to \(shape)")
        }
        return [ValueType(left.elementType, shape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let left = try? inputs.required(0), let right = try? inputs.required(1) else { return 0 }
        return (try? product(left.shape, right.shape))?.multiplyAdds ?? 0
    }

    /// With a constant right operand, packs it.
    func specialized(
        for inputs: [ValueInfo?], outputs: [ValueType], context: RunContext
    ) throws -> any Operator {
        let (left, right) = (try inputs.required(0), try inputs.required(1))
        let addend = inputs.optional(2)
        guard left.elementType == .float32, let type = outputs.first, addend == nil || beta == 1,
            addend.map({ $0.shape.last == type.shape[1] && $0.shape.dropLast().allSatisfy { $0 == 1 } }) ?? true
        else { return self }
        return try LinearLayer(
            product(left.shape, right.shape), right: right, type: type, bias: addend == nil ? nil : 2, residual: nil,
            context: context) ?? self
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let left = try step.input(0)
        let right = try step.input(1)
        let product = try product(left.shape, right.shape)
        if let output = try step.mutableElements(0, of: type) as? MutableElements<Float> {
            return try product.run(step, left: left, right: right, addend: step.optional(2), into: output)
        }
        let output = try step.mutableElements(0, of: type)
        try product.run(step, left: left.elements(of: type), right: right.elements(of: type), into: output)
        let addend = step.optional(2)
        let elements = try addend?.elements(of: type)
        let strides = broadcastStrides(of: addend?.shape ?? [], to: product.shape)
        // Scaled integers: ONNX gives α and β as floats, whatever the type.
        let (alpha, beta) = (Double(alpha), Double(beta))
        for row in 0..<product.rows {
            for column in 0..<product.columns {
                let index = row * product.columns + column
                let extra = elements.map { $0[row * strides[0] + column * strides[1]] } ?? 0
                if alpha == 1, beta == 1 {
                    output[index] = Element.wrappingSum(output[index], extra)
                } else {
                    output[index] = Element(saturating: alpha * output[index].double + beta * extra.double)
                }
                guard activation != .none else { continue }
                output[index] = Element(saturating: activation.value(at: output[index].double))
            }
        }
    }

    private func product(_ left: [Int], _ right: [Int]) throws -> MatrixProduct {
        var product = try MatrixProduct(
            left: left, transposed: transposesLeft, right: right, transposed: transposesRight)
        product.alpha = alpha
        product.beta = beta
        product.activation = activation
        return product
    }
}

extension MatMul: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let (left, right) = (try node.input(0), try node.input(1))
        let (leftShape, rightShape) = (try left.shape(), try right.shape())
        // Vectors as matrices of one row, or of one column.
        let a = try left.reshaped(to: leftShape.count == 1 ? [1, leftShape[0]] : leftShape)
        let b = try right.reshaped(to: rightShape.count == 1 ? [rightShape[0], 1] : rightShape)
        let (rows, columns) = (try a.shape().dropLast().last ?? 1, try b.shape().last ?? 1)
        let inner = try b.shape().dropLast().last ?? 1
        let batch = try broadcast(Array(a.shape().dropLast(2)), Array(b.shape().dropLast(2)))
        let gradient = try node.gradient().reshaped(to: batch + [rows, columns])
        guard try b.shape().count == 2 else {
            try node.contribute(to: 0) {
                try node.tape.apply("MatMul", [gradient, b.matrixTransposed()]).fitted(to: a).reshaped(like: left)
            }
            try node.contribute(to: 1) {
                try node.tape.apply("MatMul", [a.matrixTransposed(), gradient]).fitted(to: b).reshaped(like: right)
            }
            return
        }
        // One right operand for all: the left ones stand below one another, as a single matrix.
        let allRows = try batch.reduce(rows) { try $0.multiplied(by: $1) }
        let flat = try gradient.reshaped(to: [allRows, columns])
        try node.contribute(to: 0) {
            try node.tape.apply("Gemm", [flat, b], ["transB": .int(1)]).reshaped(like: left)
        }
        try node.contribute(to: 1) {
            try node.tape.apply("Gemm", [a.reshaped(to: [allRows, inner]), flat], ["transA": .int(1)])
                .reshaped(like: right)
        }
    }
}

extension Gemm: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        guard activation == .none else {
            var bare = self
            bare.activation = .none
            return try node.differentiate {
                let inputs = try [node.input(0), node.input(1), node.optionalInput(2)]
                return [
                    try node.tape.append(
                        Activation(activation), "Activation", [node.tape.append(bare, "Gemm", inputs)])
                ]
            }
        }
        let (a, b, gradient) = (try node.input(0), try node.input(1), try node.gradient())
        func product(
            _ left: GradientValue, _ leftTransposed: Bool, _ right: GradientValue, _ rightTransposed: Bool
        ) throws -> GradientValue {
            try node.tape.apply(
                "Gemm", [left, right],
                [
                    "alpha": .float(alpha), "transA": .int(leftTransposed ? 1 : 0),
                    "transB": .int(rightTransposed ? 1 : 0),
                ])
        }
        try node.contribute(to: 0) {
            transposesLeft
                ? try product(b, transposesRight, gradient, true) : try product(gradient, false, b, !transposesRight)
        }
        try node.contribute(to: 1) {
            transposesRight
                ? try product(gradient, true, a, transposesLeft) : try product(a, !transposesLeft, gradient, false)
        }
        try node.contribute(to: 2) { try gradient * Double(beta) }
    }
}
