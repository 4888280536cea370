extension Registry {
    /// The `ai.onnx` domain. One line an operator.
    static let standard: [String: Entry] = [
        "AveragePool": Entry(AveragePool.self, since: 7),
        "BatchNormalization": Entry(BatchNormalization.self, since: 7),
        "Concat": Entry(Concat.self),
        "Conv": Entry(Convolution.self),
        "ConvTranspose": Entry(TransposedConvolution.self),
        "Gemm": Entry(Gemm.self, since: 7),
        "GlobalAveragePool": Entry(GlobalPool.self),
        "GlobalLpPool": Entry(GlobalPool.self, since: 2),
        "GlobalMaxPool": Entry(GlobalPool.self),
        "Identity": Entry(Identity.self),
        "LpPool": Entry(LpPool.self, since: 2),
        "MatMul": Entry(MatMul.self),
        "MaxPool": Entry(MaxPool.self),
        "Relu": Entry(Relu.self),
        "Reshape": Entry(Reshape.self, since: 5),
    ]
}
