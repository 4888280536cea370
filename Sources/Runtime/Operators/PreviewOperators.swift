extension Registry {
    /// The `ai.onnx.preview` domain. One line an operator.
    static let preview: [String: Entry] = [:]

    /// The `ai.onnx.preview.training` domain. One line an operator.
    static let training: [String: Entry] = [
        "Gradient": Entry(GradientOperator.self)
    ]
}
