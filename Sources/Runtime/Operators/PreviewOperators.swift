extension Registry {
    /// The `ai.onnx.preview` domain. One line an operator.
    static let preview: [String: Entry] = [
        "FlexAttention": Entry(FlexAttention.self)
    ]

    /// The `ai.onnx.preview.training` domain. One line an operator.
    static let training: [String: Entry] = [
        "Adagrad": Entry(GradientDescent.self),
        "Adam": Entry(GradientDescent.self),
        "Gradient": Entry(GradientOperator.self),
        "Momentum": Entry(GradientDescent.self),
    ]
}
