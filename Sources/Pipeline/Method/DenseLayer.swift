import ONNXLoader

/// The dense layer that makes a logit: a Gemm, or a MatMul perhaps followed by an Add.
struct DenseLayer {
    let input: String
    let output: String
    /// For each class the weights of all channels.
    let columns: [[Float]]

    /// - Parameter value: the logit, or what a Sigmoid or Softmax makes of it.
    init(endingIn value: String, _ trace: GraphTrace) throws(LinearHeadError) {
        var logits = value
        var steps = 0
        var dense: Node?
        while dense == nil {
            steps += 1
            guard steps <= 16, let node = trace.producer(of: logits) else {
                throw .needsGradient("no dense layer makes \(quoted(value))")
            }
            switch node.operatorName {
            case "Sigmoid", "Softmax", "LogSoftmax", "Identity", "Dropout", "Flatten", "Squeeze", "Unsqueeze",
                "Reshape":
                guard let before = node.inputs.first else { throw .needsGradient("\(node.operatorName) has no input") }
                logits = before
            case "Gemm", "MatMul", "Add":
                dense = node
            default:
                throw .needsGradient("\(node.operatorName) makes \(quoted(logits)) instead of a dense layer")
            }
        }
        guard var node = dense else { throw .needsGradient("no dense layer makes \(quoted(value))") }
        output = logits
        if node.operatorName == "Add" {
            // One of the two is the constant bias.
            let products = node.inputs.filter { trace.constant($0) == nil }
            guard node.inputs.count == 2, products.count == 1, let product = trace.producer(of: products[0]),
                product.operatorName == "MatMul"
            else { throw .needsGradient("the Add that makes \(quoted(logits)) is not a dense layer's bias") }
            node = product
        }
        guard node.inputs.count >= 2, let weight = trace.constant(node.inputs[1]), weight.shape.count == 2 else {
            throw .needsGradient("the weights of \(quoted(logits)) are not a constant matrix")
        }
        input = node.inputs[0]

        var scale: Float = 1
        var isTransposed = false
        if node.operatorName == "Gemm" {
            if case .int(let flag) = node.attributes["transA"], flag != 0 {
                throw .needsGradient("the Gemm that makes \(quoted(logits)) transposes its input")
            }
            if case .int(let flag) = node.attributes["transB"] { isTransposed = flag != 0 }
            if case .float(let alpha) = node.attributes["alpha"] { scale = alpha }
        }
        let (rows, count) = (weight.shape[0], weight.shape[1])
        columns =
            isTransposed
            ? (0..<rows).map { row in (0..<count).map { scale * weight.values[row * count + $0] } }
            : (0..<count).map { column in (0..<rows).map { scale * weight.values[$0 * count + column] } }
    }
}
