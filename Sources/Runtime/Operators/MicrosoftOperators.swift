extension Registry {
    /// The `com.microsoft` domain: operators that ONNX Runtime adds. One line an operator.
    static let microsoft: [String: Entry] = [
        "Attention": Entry(ProjectedAttention.self),
        "BiasGelu": Entry(BiasedGelu.self),
        "EmbedLayerNormalization": Entry(EmbedLayerNormalization.self),
        "FastGelu": Entry(BiasedGelu.self),
        "FusedConv": Entry(Convolution.self),
        "FusedGemm": Entry(Gemm.self),
        "FusedMatMul": Entry(FusedMatMul.self),
        "Gelu": Entry(Activation.self),
        "Inverse": Entry(Inverse.self),
        "MultiHeadAttention": Entry(MultiHeadAttention.self),
        "NhwcMaxPool": Entry(NhwcMaxPool.self),
        "QuickGelu": Entry(Activation.self),
        "SimplifiedLayerNormalization": Entry(RMSNormalization.self),
        "SkipLayerNormalization": Entry(SkipLayerNormalization.self),
        "SkipSimplifiedLayerNormalization": Entry(SkipLayerNormalization.self),
    ]
}
