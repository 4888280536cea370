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
        let outcomes = try NodeCase.all(in: folder).map { $0.run() }
        try #require(!outcomes.isEmpty)
        let report = ConformanceReport(outcomes)
        print("\(kind): \(report.text)")
        let known = try KnownFailures(Self.root.appending(path: "Tests/ConformanceTests/known-failures.txt"), of: kind)
        for outcome in outcomes {
            if let failure = outcome.failure, known.reasons[outcome.name] == nil {
                Issue.record("\(kind)/\(outcome.name): \(failure)")
            }
        }
        let passing = outcomes.filter {
            $0.failure == nil && known.reasons[$0.name] != nil && !known.isRandom($0.name)
        }.map(\.name)
        #expect(passing == [], "these pass: take them off the list of known failures")
        if kind == "node", let path = ProcessInfo.processInfo.environment["OPERATOR_TABLE"] {
            try report.markdown.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}

/// Cases that fail, each with its reason: lines of `KIND/NAME reason`.
struct KnownFailures {
    private(set) var reasons: [String: String] = [:]

    /// Whether a case may also pass by chance.
    func isRandom(_ name: String) -> Bool { reasons[name]?.hasPrefix("random:") ?? false }

    init(_ file: URL, of kind: String) throws {
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].hasPrefix("\(kind)/") else { continue }
            reasons[String(parts[0].dropFirst(kind.count + 1))] = parts[1]
        }
    }
}
