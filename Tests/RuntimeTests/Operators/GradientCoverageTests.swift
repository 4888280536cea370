import Testing

@testable import Runtime

/// Which operators have gradients, so that none loses its own unnoticed.
@Suite struct GradientCoverageTests {
    /// Operators whose outputs are integers, truth values or random, or that only look at their inputs' types.
    private static let withoutReals: Set<String> = [
        "And", "ArgMax", "ArgMin", "Bernoulli", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor",
        "BlackmanWindow", "ConstantOfShape", "ConvInteger", "DynamicQuantizeLinear", "Equal", "EyeLike", "Greater",
        "GreaterOrEqual", "HammingWindow", "HannWindow", "ImageDecoder", "IsInf", "IsNaN", "Less", "LessOrEqual",
        "MatMulInteger", "MelWeightMatrix", "Multinomial", "NonMaxSuppression", "NonZero", "Not", "Or", "QLinearConv",
        "QLinearMatMul", "QuantizeLinear", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
        "RegexFullMatch", "Shape", "Size", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer", "Xor",
    ]
    /// Operators that refuse by name to be differentiated.
    private static let refused: Set<String> = [
        "AffineGrid", "BitCast", "CausalConvWithState", "Col2Im", "Compress", "ConcatFromSequence", "DFT",
        "DeformConv", "DequantizeLinear", "Det", "GRU", "GridSample", "If", "LSTM", "LinearAttention", "Loop",
        "MaxRoiPool", "MaxUnpool", "OneHot", "Optional", "OptionalGetElement",
        "OptionalHasElement", "RNN", "Range", "RoiAlign", "RotaryEmbedding", "STFT", "Scan", "SequenceAt",
        "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap",
        "SplitToSequence", "TensorScatter", "Unique",
    ]

    @Test func everyOperatorWithRealOutputsHasAGradientOrIsListed() throws {
        var missing: Set<String> = []
        for (name, entry) in Registry.standard where !(entry.type is any DifferentiableOperator.Type) {
            missing.insert(name)
        }
        #expect(missing == Self.withoutReals.union(Self.refused))
    }
}
