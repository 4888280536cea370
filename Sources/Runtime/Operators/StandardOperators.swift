extension Registry {
    /// The `ai.onnx` domain. One line an operator.
    static let standard: [String: Entry] = [
        "Concat": Entry(Concat.self),
        "Identity": Entry(Identity.self),
        "Relu": Entry(Relu.self),
        "Reshape": Entry(Reshape.self, since: 5),
    ]
}
