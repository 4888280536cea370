/// What a model does for the method.
public enum ModelRole: String, Sendable, Hashable, CaseIterable {
    /// Says whether an image was manipulated, by one or more views.
    case classifier
    case deeplab
    case pspnet
    case samEncoder = "sam-encoder"
    case samDecoder = "sam-decoder"
    /// Gives a map of manipulated pixels by itself.
    case student

    /// All names, for messages.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
