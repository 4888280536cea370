import ONNXLoader

@testable import Runtime

/// Outcomes by operator.
struct ConformanceReport {
    private struct Row {
        var passed = 0
        var failed = 0
        /// Of inputs and outputs of cases that passed and hold no other operator.
        var elementTypes: Set<ElementType> = []
    }

    private let outcomes: [NodeCase.Outcome]
    private var rows: [String: Row] = [:]

    init(_ outcomes: [NodeCase.Outcome]) {
        self.outcomes = outcomes
        for outcome in outcomes {
            for name in Set(outcome.operators) {
                var row = rows[name] ?? Row()
                if outcome.failure == nil {
                    row.passed += 1
                    if Set(outcome.operators).count == 1 { row.elementTypes.formUnion(outcome.elementTypes) }
                } else {
                    row.failed += 1
                }
                rows[name] = row
            }
        }
    }

    /// How many passed, and what failed.
    var text: String {
        let failures = outcomes.filter { $0.failure != nil }
        var lines = ["\(outcomes.count - failures.count) passed, \(failures.count) failed"]
        for (name, row) in rows.sorted(by: { $0.key < $1.key }) where row.failed > 0 {
            lines.append("  \(name): \(row.passed) passed, \(row.failed) failed")
        }
        for failure in failures { lines.append("  \(failure.name): \(failure.failure?.prefix(240) ?? "")") }
        return lines.joined(separator: "\n")
    }

    /// `docs/operators.md`.
    var markdown: String {
        let passed = outcomes.count { $0.failure == nil }
        var lines = [
            "# Operators",
            "Written by `make conformance`. The node cases are those of the `onnx` package; an operator's are all whose graph holds",
            "it, so that functions written out in other operators count for each of them. Element types are those of inputs and",
            "outputs of cases that passed and hold no other operator.",
            "",
            "**\(passed) of \(outcomes.count) cases pass**; the others are in",
            "[known-failures.txt](../Tests/ConformanceTests/known-failures.txt) with their reasons.",
            "",
            "| operator | opsets | element types | cases passed |",
            "|---|---|---|---|",
        ]
        for (domain, entries) in Registry.operators.sorted(by: { $0.key < $1.key }) {
            for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
                let full = domain.isEmpty ? name : "\(domain).\(name)"
                let row = rows[full] ?? Row()
                let types = row.elementTypes.map(\.name).sorted().joined(separator: ", ")
                let opsets = domain.isEmpty ? "\(entry.since)–\(Registry.newestOpset)" : "\(entry.since)–"
                let cases = row.passed + row.failed == 0 ? "–" : "\(row.passed) of \(row.passed + row.failed)"
                lines.append("| \(full) | \(opsets) | \(types) | \(cases) |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
