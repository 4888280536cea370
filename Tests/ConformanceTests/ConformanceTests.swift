import Foundation
import Testing

/// The cases of the `onnx` package, which `make conformance` prepares: those of single nodes, and the older ones of small
/// models and of PyTorch's operators and layers.
@Suite struct ConformanceTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let cases = root.appending(path: ".build/conformance").resolvingSymlinksInPath()
    private static let arePrepared = FileManager.default.fileExists(atPath: cases.appending(path: "node").path)

    @Test(
        .enabled(if: arePrepared, "the cases are made by `make conformance`"),
        arguments: ["node", "simple", "pytorch-operator", "pytorch-converted"])
    func casesAgree(_ kind: String) throws {
        let folder = Self.cases.appending(path: kind).resolvingSymlinksInPath()
        let known = try KnownFailures(Self.root.appending(path: "Tests/ConformanceTests/known-failures.txt"), of: kind)
        let outcomes = try NodeCase.all(in: folder).map { known.withoutChance($0.run()) }
        try #require(!outcomes.isEmpty)
        let report = ConformanceReport(outcomes)
        print("\(kind): \(report.text)")
        for outcome in outcomes {
            if let failure = outcome.failure, known.reasons[outcome.name] == nil {
                Issue.record("\(kind)/\(outcome.name): \(failure)")
            }
        }
        let passing = outcomes.filter { $0.failure == nil && known.reasons[$0.name] != nil }.map(\.name)
        #expect(passing == [], "these pass: take them off the list of known failures")
        guard kind == "node" else { return }
        let table = Self.root.appending(path: "docs/operators.md")
        if ProcessInfo.processInfo.environment["WRITE_OPERATOR_TABLE"] != nil {
            try report.markdown.write(to: table, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: table, encoding: .utf8)
        #expect(written == report.markdown, "docs/operators.md is not of this run: make conformance writes it")
    }
}

/// Cases that fail, each with its reason: lines of `KIND/NAME reason`.
struct KnownFailures {
    private(set) var reasons: [String: String] = [:]

    /// The outcome, failed where a pass would be chance: reasons that begin with `random:`.
    func withoutChance(_ outcome: NodeCase.Outcome) -> NodeCase.Outcome {
        guard let reason = reasons[outcome.name], reason.hasPrefix("random:"), outcome.failure == nil else {
            return outcome
        }
        var failed = outcome
        failed.failure = reason
        return failed
    }

    init(_ file: URL, of kind: String) throws {
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].hasPrefix("\(kind)/") else { continue }
            reasons[String(parts[0].dropFirst(kind.count + 1))] = parts[1]
        }
    }
}
