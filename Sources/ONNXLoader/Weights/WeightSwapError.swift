/// Why weights were not replaced: everything that stands against it.
public struct WeightSwapError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// Two tensors of the file are renamed to one name.
        case renamedTwice(String, from: [String])
        /// A rule of the weight map that no tensor fits.
        case unusedRule(line: Int, pattern: String)
        case shapeMismatch(String, graph: [Int], source: [Int])
        case typeMismatch(String, graph: ElementType, source: ElementType)
        /// A number is too large for the graph's element type.
        case outOfRange(String, graph: ElementType)
        /// Names that the graph has and the file lacks, each with where the graph uses it.
        case missing([String])
        /// Names that the file has and the graph lacks.
        case unused([String])
        /// Some parameters of a layer would be replaced and others not.
        case tornLayer(String, missing: [String])
        /// BatchNorms of the file cannot be merged as the graph's exporter merged its own.
        case fold([String], reason: String)
        /// A name that numbers a value means something else in the file's own graph.
        case numberedName(String)
    }

    public var source: String
    public var problems: [Problem]
    /// What would probably help.
    public var hint: String?

    public init(source: String, problems: [Problem], hint: String? = nil) {
        self.source = source
        self.problems = problems
        self.hint = hint
    }

    public var description: String {
        let shown = problems.prefix(30).map { "  " + $0.description.replacing("\n", with: "\n  ") }
        let rest = problems.count > 30 ? ["  … and \(problems.count - 30) more"] : []
        let lines = ["the weights of \(source) do not fit the graph:"] + shown + rest
        return (lines + (hint.map { [$0] } ?? [])).joined(separator: "\n")
    }
}

extension WeightSwapError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .renamedTwice(let name, let sources):
            "several tensors are renamed to \(quoted(name)): \(sources.map(quoted).joined(separator: ", "))"
        case .unusedRule(let line, let pattern):
            "line \(line) of the weight map: nothing fits \(quoted(pattern))"
        case .shapeMismatch(let name, let graph, let source):
            "\(quoted(name)) has the shape \(described(source)), the graph's has \(described(graph))"
        case .typeMismatch(let name, let graph, let source):
            "\(quoted(name)) holds \(source.name), the graph's holds \(graph.name), and the one is not converted to the other"
        case .outOfRange(let name, let graph):
            "\(quoted(name)) holds a number that \(graph.name) cannot hold"
        case .missing(let names):
            "\(names.count) of the graph's weights \(names.count == 1 ? "is" : "are") not in the file:\(list(names))"
        case .unused(let names):
            "\(names.count) of the file's tensors \(names.count == 1 ? "has" : "have") no place in the graph:\(list(names))"
        case .tornLayer(let layer, let missing):
            "\(layer) would be replaced in part only; \(missing.map(quoted).joined(separator: ", ")) "
                + "\(missing.count == 1 ? "is" : "are") not in the file"
        case .fold(let paths, let reason):
            "the BatchNorm\(paths.count == 1 ? "" : "s") \(paths.prefix(5).map(quoted).joined(separator: ", "))"
                + (paths.count > 5 ? " and \(paths.count - 5) more" : "")
                + " of the file cannot be merged into the graph: \(reason)"
        case .numberedName(let name):
            "\(quoted(name)) is a number given by an exporter, and the file's graph uses it elsewhere than this graph does"
        }
    }

    private func list(_ names: [String]) -> String {
        let shown = names.prefix(40).map { "\n  \($0)" }.joined()
        return names.count > 40 ? shown + "\n  … and \(names.count - 40) more" : shown
    }
}
