import Foundation

/// Outcomes by operator.
struct ConformanceReport {
    private var passed: [String: Int] = [:]
    private var failed: [String: Int] = [:]
    private let outcomes: [NodeCase.Outcome]

    init(_ outcomes: [NodeCase.Outcome]) {
        self.outcomes = outcomes
        for outcome in outcomes {
            for name in Set(outcome.operators) {
                if outcome.failure == nil { passed[name, default: 0] += 1 } else { failed[name, default: 0] += 1 }
            }
        }
    }

    private var operators: [String] { Set(passed.keys).union(failed.keys).sorted() }

    /// How many passed, and the operators with failures.
    var text: String {
        let failures = outcomes.filter { $0.failure != nil }
        var lines = ["\(outcomes.count - failures.count) passed, \(failures.count) failed"]
        for name in operators where failed[name] != nil {
            lines.append("  \(name): \(passed[name] ?? 0) passed, \(failed[name]!) failed")
        }
        for failure in failures { lines.append("  \(failure.name): \(failure.failure!.prefix(240))") }
        return lines.joined(separator: "\n")
    }

    /// The table of `docs/operators.md`.
    var markdown: String {
        operators.map { "| \($0) | \(passed[$0] ?? 0) of \((passed[$0] ?? 0) + (failed[$0] ?? 0)) |" }
            .joined(separator: "\n")
    }
}
