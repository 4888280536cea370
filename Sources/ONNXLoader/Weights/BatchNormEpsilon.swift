/// The epsilon of BatchNorms that a graph's exporter merged into other layers without recording it.
public struct BatchNormEpsilon: Sendable, Hashable {
    public let value: Double
    private let rule: WeightMap.Rule

    /// - Parameter text: a number, for all BatchNorms; or `PATTERN=NUMBER`, for those whose module path, as the graph
    ///   names it, fits a pattern in which `*` stands for any text.
    /// - Returns: nil unless the number lies between 0 and 1.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last, let value = Double(last), value > 0, value < 1,
            parts[0].isEmpty == false
        else { return nil }
        self.value = value
        let pattern = parts.count == 2 ? String(parts[0]) : "*"
        rule = WeightMap.Rule(
            line: 0, pattern: pattern,
            source: pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init), target: [])
    }

    func fits(_ path: String) -> Bool { rule.match(path) != nil }
}
