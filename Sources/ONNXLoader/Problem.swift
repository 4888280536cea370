/// Something wrong with a model, and where.
public struct Problem: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// Something that the specification demands is absent.
        case missing
        /// A tensor whose shape, element type and data do not agree.
        case tensor
        /// Tensor data in another file that is absent, too short, or must not be read.
        case externalData
        case attribute
        /// A declared type.
        case type
        /// A name that is defined twice.
        case duplicate
        /// A name that is used but not defined.
        case undefined
        /// Nodes that stand before those they depend on, although an order exists.
        case order
        /// Nodes or functions that depend on themselves.
        case cycle
        /// A domain without an operator set version.
        case operatorSet
    }

    public let kind: Kind
    /// The place in the model, such as `node 3 'conv1' (Conv), attribute 'strides'`.
    public let location: String
    public let message: String

    public init(_ kind: Kind, at location: String, _ message: String) {
        self.kind = kind
        self.location = location
        self.message = message
    }

    public var description: String { location.isEmpty ? message : "\(location): \(message)" }
}

/// A collection of problems that a hostile file cannot make as large as it likes.
struct ProblemList {
    private(set) var all: [Problem] = []

    var isEmpty: Bool { all.isEmpty }

    mutating func add(_ problem: Problem) {
        if all.count < 1000 { all.append(problem) }
    }

    mutating func add(_ kind: Problem.Kind, at location: String, _ message: @autoclosure () -> String) {
        if all.count < 1000 { all.append(Problem(kind, at: location, message())) }
    }
}

/// Text from a file, fit for a terminal: control characters escaped, overlong text cut.
func printable(_ text: String) -> String {
    let limit = 300
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        result += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return text.unicodeScalars.count > limit ? result + "…" : result
}

/// A name from a file in quotes, fit for a terminal.
func quoted(_ name: String) -> String { "'\(printable(name))'" }

/// A shape as text; overlong ones are cut.
func described(_ shape: [Int]) -> String {
    shape.count > 16 ? "[\(shape.prefix(16).map(String.init).joined(separator: ", ")), …]" : "\(shape)"
}
