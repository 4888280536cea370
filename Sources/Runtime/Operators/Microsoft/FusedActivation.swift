import ONNXLoader

extension NodeReader {
    /// The activation that FusedConv and FusedGemm of `com.microsoft` apply to their results.
    /// - Parameter ofProduct: whether the attributes are those of FusedGemm.
    mutating func fusedActivation(ofProduct: Bool) throws -> ActivationKernel {
        let name = try optionalString("activation") ?? ""
        let parameters = ofProduct ? [] : try optionalFloats("activation_params") ?? []
        func parameter(_ index: Int, _ name: String, or absent: Float) throws -> Float {
            guard ofProduct else { return parameters.indices.contains(index) ? parameters[index] : absent }
            return try float(name, or: absent)
        }
        func alpha(or absent: Float) throws -> Float { try parameter(0, "activation_alpha", or: absent) }
        func beta(or absent: Float) throws -> Float { try parameter(1, "activation_beta", or: absent) }
        defer { ignore("activation_alpha", "activation_beta", "activation_gamma") }
        switch name {
        case "": return .none
        case "Relu": return .relu
        case "Tanh": return .tanh
        case "Sigmoid": return .sigmoid
        case "HardSwish": return .hardSwish
        case "Softplus": return .softplus
        case "Softsign": return .softsign
        case "LeakyRelu": return .leakyRelu(slope: try alpha(or: 0.01))
        case "Elu": return .elu(alpha: try alpha(or: 1))
        case "HardSigmoid": return .hardSigmoid(alpha: try alpha(or: 0.2), beta: try beta(or: 0.5))
        case "Clip" where parameters.count == 2: return .clip(low: parameters[0], high: parameters[1])
        default: throw OperatorError("activation “\(name)” is not supported here")
        }
    }
}
