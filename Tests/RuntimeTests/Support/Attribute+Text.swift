import ONNXLoader

extension Attribute {
    /// A string attribute.
    static func text(_ text: String) -> Attribute { .string(Array(text.utf8)) }
}
