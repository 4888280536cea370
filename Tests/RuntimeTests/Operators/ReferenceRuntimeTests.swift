import Foundation
import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Operators against ONNX Runtime: the cases that Tests/Fixtures/operators.py writes.
@Suite struct ReferenceRuntimeTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/operators.json")

    private static func cases() throws -> [Case] {
        try JSONDecoder().decode([WrittenCase].self, from: Data(contentsOf: file)).map { try $0.example() }
    }

    @Test(arguments: try cases())
    func agrees(_ example: Case) throws { try example.check() }

    /// The same numbers in other types.
    @Test(arguments: try cases(), [ElementType.float64, .float16])
    func agrees(_ example: Case, in type: ElementType) throws {
        // An attribute says what its output is.
        guard example.name != "MelWeightMatrix" else { return }
        try Case(
            example.name, domain: example.domain, opset: example.opset, example.attributes,
            inputs: example.inputs.map { $0?.converted(to: type) },
            outputs: example.outputs.map { $0?.converted(to: type) },
            tolerance: type == .float16 ? 2e-2 : example.tolerance
        ).check(gradient: false)
    }
}

extension ReferenceRuntimeTests {
    private static let extremes: [Attribute] = [
        .int(.max), .int(.min), .int(-1), .int(0), .int(3), .float(.nan), .float(-.infinity), .float(0),
        .ints([.max]), .ints([0, 0]), .ints([-1, .min]), .floats([]), .floats([.nan, .infinity]), .text("?"),
    ]

    /// Whatever attributes say, and whatever sizes come together, there is a result or an error.
    @Test(arguments: try cases())
    func survivesDamage(_ example: Case) throws {
        var random = SplitMix64(state: 5)
        for name in Set(example.attributes.keys).union(["scale", "axis", "unidirectional", "num_heads"]).sorted() {
            for value in Self.extremes {
                try example.damaged(attributes: [name: value]).attempt()
            }
        }
        for index in example.inputs.indices {
            guard let shape = try example.inputs[index]?.tensor().shape else { continue }
            for axis in shape.indices {
                for size in [0, 1, shape[axis] + 1, 1 << 40] {
                    var other = shape
                    other[axis] = size
                    if size == 1 << 40, let zero = shape.indices.first(where: { $0 != axis }) { other[zero] = 0 }
                    try example.damaged(input: index, shape: other, &random).attempt()
                }
            }
        }
    }
}

extension Case {
    fileprivate func damaged(attributes changes: [String: Attribute]) -> Case {
        Case(
            name, domain: domain, opset: opset, attributes.merging(changes) { $1 }, inputs: inputs, outputs: outputs)
    }

    /// With small numbers under another shape as one of the inputs.
    fileprivate func damaged(input: Int, shape: [Int], _ random: inout SplitMix64) throws -> Case {
        let count = try elementCount(of: shape)
        guard count < 1 << 12, let type = try inputs[input]?.tensor().elementType else { return self }
        var inputs = inputs
        inputs[input] = .flat(
            (0..<count).map { _ in Double(Int.random(in: -1...2, using: &random)) }, shape, type)
        return Case(name, domain: domain, opset: opset, attributes, inputs: inputs, outputs: outputs)
    }
}

/// A case as the script writes it.
private struct WrittenCase: Decodable {
    struct WrittenTensor: Decodable {
        let type: String
        let shape: [Int]
        let values: [Double]

        func literal() throws -> Literal {
            .flat(values, shape, try #require(ElementType.allCases.first { "\($0)" == type }))
        }
    }
    struct WrittenAttribute: Decodable {
        let int: Int64?
        let ints: [Int64]?
        let float: Float?
        let floats: [Float]?
        let string: String?
        let strings: [String]?

        func attribute() throws -> Attribute {
            if let int { return .int(int) }
            if let ints { return .ints(ints) }
            if let float { return .float(float) }
            if let floats { return .floats(floats) }
            if let string { return .text(string) }
            return .strings(try #require(strings).map { Array($0.utf8) })
        }
    }

    let name, domain, note: String
    let opset: Int
    let attributes: [String: WrittenAttribute]
    let inputs: [WrittenTensor?]
    let outputs: [WrittenTensor?]

    func example() throws -> Case {
        Case(
            name, domain: domain, opset: opset, try attributes.mapValues { try $0.attribute() },
            inputs: try inputs.map { try $0?.literal() }, outputs: try outputs.map { try $0?.literal() },
            tolerance: 1e-5, note: note)
    }
}
