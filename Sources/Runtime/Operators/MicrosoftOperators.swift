extension Registry {
    /// The `com.microsoft` domain: operators that ONNX Runtime adds. One line an operator.
    static let microsoft: [String: Entry] = [:]
}
