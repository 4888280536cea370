import Foundation
import Testing

/// The node cases of the `onnx` package, which `make conformance` prepares.
@Suite struct NodeConformanceTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let cases = root.appending(path: ".build/conformance/node").resolvingSymlinksInPath()
    private static let arePrepared = FileManager.default.fileExists(atPath: cases.path)

    /// Cases that fail, with the reason. One that passes must leave the list.
    private static func knownFailures() throws -> [String: String] {
        let text = try String(
            contentsOf: root.appending(path: "Tests/ConformanceTests/known-failures.txt"), encoding: .utf8)
        return text.split(separator: "\n").reduce(into: [:]) { failures, line in
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, !line.hasPrefix("#") else { return }
            failures[String(parts[0])] = String(parts[1])
        }
    }

    @Test(.enabled(if: arePrepared, "the cases are made by `make conformance`"))
    func nodeCases() async throws {
        let outcomes = try NodeCase.all(in: Self.cases).map { $0.run() }
        try #require(!outcomes.isEmpty)
        let report = ConformanceReport(outcomes)
        print(report.text)
        let known = try Self.knownFailures()
        let failed = Set(outcomes.filter { $0.failure != nil }.map(\.name))
        for outcome in outcomes {
            if let failure = outcome.failure, known[outcome.name] == nil {
                Issue.record("\(outcome.name) fails: \(failure)")
            }
        }
        #expect(
            Set(known.keys).subtracting(failed).sorted() == [], "these pass: take them off the list of known failures")
        if let path = ProcessInfo.processInfo.environment["CONFORMANCE_REPORT"] {
            try report.markdown.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
