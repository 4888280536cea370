extension Registry {
    /// The quantised part of the `com.microsoft` domain. One line an operator.
    static let quantized: [String: Entry] = [
        "DequantizeLinear": Entry(DequantizeLinear.self),
        "DynamicQuantizeMatMul": Entry(IntegerMatMulToFloat.self),
        "MatMulIntegerToFloat": Entry(IntegerMatMulToFloat.self),
        "MatMulNBits": Entry(MatMulNBits.self),
        "QGemm": Entry(QuantizedGemm.self),
        "QLinearAdd": Entry(QuantizedArithmetic.self),
        "QLinearAveragePool": Entry(QuantizedAveragePool.self),
        "QLinearConcat": Entry(QuantizedConcat.self),
        "QLinearGlobalAveragePool": Entry(QuantizedAveragePool.self),
        "QLinearLeakyRelu": Entry(QuantizedActivation.self),
        "QLinearMul": Entry(QuantizedArithmetic.self),
        "QLinearSigmoid": Entry(QuantizedActivation.self),
        "QLinearSoftmax": Entry(QuantizedSoftmax.self),
        "QuantizeLinear": Entry(QuantizeLinear.self),
    ]
}
