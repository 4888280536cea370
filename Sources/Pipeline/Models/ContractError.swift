/// Why a model cannot be used as it is: what is wrong with its metadata or its graph, and what to do.
public enum ContractError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownRole(String)
    case unknownKey(String)
    /// A setting that is not of the form `key=value`.
    case malformedSetting(String)
    case badValue(MetadataKey, value: String)
    /// No metadata, no argument and nothing unmistakable in the graph says what the file is for.
    case noRole(command: String)
    case missing([MetadataKey], role: ModelRole, command: String)
    /// Two values, or a value and the graph, contradict each other.
    case contradiction(String)
    /// The graph's inputs or outputs are not those of the role.
    case wrongSignature(ModelRole, found: String, expected: String)

    public var description: String {
        switch self {
        case .unknownRole(let name):
            "there is no role \(quoted(name)); roles are \(ModelRole.names)"
        case .unknownKey(let name):
            "there is no metadata key \(quoted(name)); keys are "
                + MetadataKey.allCases.map(\.rawValue).joined(separator: ", ")
        case .malformedSetting(let setting):
            "\(quoted(setting)) is not of the form key=value, such as input.layout=NCHW"
        case .badValue(let key, let value):
            "\(key.rawValue) cannot be \(quoted(value)): it takes \(key.allowed)"
        case .noRole(let command):
            "nothing says what this model is for; record it: \(command)"
        case .missing(let keys, let role, let command):
            "a \(role.rawValue) needs \(keys.map(\.rawValue).joined(separator: ", ")) in its metadata, which are never"
                + " guessed; record them: \(command)"
        case .contradiction(let text):
            text
        case .wrongSignature(let role, let found, let expected):
            "these are not the inputs and outputs of a \(role.rawValue): found \(found); expected \(expected)"
        }
    }
}

/// Text from a file or an argument as it is shown in a message: in quotes, not too long, without control characters.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { scalar in
        scalar.properties.generalCategory == .control ? "?" : String(scalar)
    }
    return "\"" + shown.joined() + (text.unicodeScalars.count > 80 ? "…" : "") + "\""
}
