import Foundation

/// Renames the tensors of a file of weights to the names of a graph's initializers.
///
/// A line has two columns, the name in the file and the name in the graph. A `*` in the first stands for any text, and
/// the n-th `*` of the second for what the n-th of the first stood for. The first line that fits a name renames it; names
/// that no line fits stay. Empty lines and lines that begin with `#` do not count.
public struct WeightMap: Sendable, Hashable {
    /// A line that is no rule.
    public struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        public let line: Int
        public let reason: String
        public var description: String { "line \(line) of the weight map: \(reason)" }
    }

    struct Rule: Sendable, Hashable {
        let line: Int
        let pattern: String
        /// The texts around the stars.
        let source: [String]
        let target: [String]
    }

    let rules: [Rule]

    /// - Throws: `SyntaxError`.
    public init(_ text: String) throws {
        rules = try text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
            try Self.rule(String($0.element), line: $0.offset + 1)
        }
    }

    /// - Throws: `SyntaxError`, or `ArchiveError` when the file cannot be read as UTF-8.
    public init(contentsOf url: URL) throws {
        guard let data = try? Data(contentsOf: url), data.count <= 64 << 20 else {
            throw ArchiveError(file: url.path, problem: .inaccessible("the file cannot be read"))
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ArchiveError(file: url.path, problem: .malformed("a weight map is text in UTF-8"))
        }
        try self.init(text)
    }

    private static func rule(_ line: String, line number: Int) throws -> Rule? {
        let columns = line.split(whereSeparator: \.isWhitespace)
        guard let first = columns.first, !first.hasPrefix("#") else { return nil }
        guard columns.count == 2 else {
            throw SyntaxError(line: number, reason: "two columns are expected, not \(columns.count)")
        }
        let source = first.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        let target = columns[1].split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        guard target.count <= source.count else {
            throw SyntaxError(line: number, reason: "the second column has more stars than the first")
        }
        return Rule(line: number, pattern: String(first), source: source, target: target)
    }

    /// The name in the graph, and the rule that gave it.
    func rename(_ name: String) -> (name: String, rule: Int?) {
        for (index, rule) in rules.enumerated() {
            guard let stars = rule.match(name) else { continue }
            var renamed = rule.target[0]
            for (star, text) in zip(stars, rule.target.dropFirst()) { renamed += star + text }
            return (renamed, index)
        }
        return (name, nil)
    }
}

extension WeightMap.Rule {
    /// What the stars stand for, each as short as possible except the last; nil when `name` does not fit.
    func match(_ name: String) -> [Substring]? {
        guard source.count > 1 else { return name == source[0] ? [] : nil }
        guard let last = source.last, name.hasPrefix(source[0]), name.hasSuffix(last),
            name.utf8.count >= source[0].utf8.count + last.utf8.count
        else { return nil }
        var rest = name.dropFirst(source[0].count).dropLast(last.count)
        var stars: [Substring] = []
        for text in source.dropFirst().dropLast() {
            guard let found = text.isEmpty ? rest.startIndex..<rest.startIndex : rest.range(of: text) else {
                return nil
            }
            stars.append(rest[..<found.lowerBound])
            rest = rest[found.upperBound...]
        }
        return stars + [rest]
    }
}
