import ONNXLoader
import Testing

@testable import Runtime

/// An application of an operator that must be refused, with a word of the reason.
struct Failure: Sendable, CustomTestStringConvertible {
    let example: Case
    let reason: String

    init(
        _ name: String, opset: Int, _ attributes: [String: Attribute] = [:], inputs: [Literal?], _ reason: String
    ) {
        example = Case(name, opset: opset, attributes, inputs: inputs, outputs: [[0]], note: reason)
        self.reason = reason
    }

    var testDescription: String { example.testDescription }

    func check() {
        let error = #expect(throws: RuntimeError.self) { try example.check() }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reason))
    }
}
