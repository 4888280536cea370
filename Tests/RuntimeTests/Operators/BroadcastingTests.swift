import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Against the definition: every output element is worked out from its own index.
@Suite struct BroadcastingTests {
    /// Sizes that exercise merged and unmerged dimensions, rows longer than a block, and none at all.
    private static let pairs: [([Int], [Int])] = [
        ([2, 3, 4], [2, 3, 4]), ([2, 3, 4], [4]), ([2, 3, 4], [3, 1]), ([2, 3, 4], [2, 1, 4]), ([2, 1, 4], [1, 3, 1]),
        ([1, 5, 1, 7], [6, 1, 2, 1]), ([3, 1, 2, 1, 5], [2, 4, 5]), ([], [3, 2]), ([1], []), ([0, 3], [3]),
        ([2, 70_001], [2, 1]), ([2, 3, 40_000], [3, 1]), ([1, 3, 200, 200], [1, 3, 1, 1]),
    ]

    @Test(arguments: pairs.indices)
    func matchesDefinition(_ index: Int) throws {
        for (left, right) in [Self.pairs[index], (Self.pairs[index].1, Self.pairs[index].0)] {
            var generator = SplitMix64(state: UInt64(index))
            let (first, second) = (try generator.tensor(left), try generator.tensor(right))
            let shape = try broadcast(left, right)
            let values = try (first.array(of: Float.self), second.array(of: Float.self))
            let places = (self.places(left, in: shape), self.places(right, in: shape))
            for (name, function) in [("Add", { $0 + $1 }), ("Sub", { $0 - $1 })] as [(String, (Float, Float) -> Float)]
            {
                let expected = zip(places.0, places.1).map { function(values.0[$0], values.1[$1]) }
                for threads in [1, 3] {
                    let result = try run(name, [first, second], opset: 14, threads: threads)
                    #expect(result.shape == shape)
                    #expect(try result.array(of: Float.self) == expected, "\(name) \(left) \(right)")
                }
                let integers = try [first, second].map { try $0.scaled(by: 1000).converted(to: .int64) }
                let result = try run(name, integers, opset: 14, threads: 2)
                let (a, b) = (try integers[0].array(of: Int64.self), try integers[1].array(of: Int64.self))
                #expect(
                    try result.array(of: Int64.self)
                        == zip(places.0, places.1).map { name == "Add" ? a[$0] + b[$1] : a[$0] - b[$1] })
            }
        }
    }

    @Test func conditionBroadcastsToo() throws {
        let shape = [2, 3, 5]
        for (condition, first, second) in [
            ([2, 3, 5], [2, 3, 5], []), ([3, 1], [5], [2, 1, 1]), ([5], [2, 3, 1], [1, 3, 5]), ([], [2, 3, 5], [5]),
        ] {
            var generator = SplitMix64(state: 7)
            let truth = try generator.tensor(condition).array(of: Float.self).map { $0 > 0 }
            let (one, other) = (try generator.tensor(first), try generator.tensor(second))
            let result = try run("Where", [Tensor(truth, shape: condition), one, other], opset: 16, threads: 2)
            let (x, y) = (try one.array(of: Float.self), try other.array(of: Float.self))
            let places = [condition, first, second].map { self.places($0, in: shape) }
            let expected = (0..<30).map { truth[places[0][$0]] ? x[places[1][$0]] : y[places[2][$0]] }
            #expect(try result.array(of: Float.self) == expected)
        }
    }

    /// For every element of `shape`, the index of the element of `own` that is there.
    private func places(_ own: [Int], in shape: [Int]) -> [Int] {
        (0..<shape.reduce(1, *)).map { flat in
            var rest = flat
            var place = 0
            var stride = 1
            for axis in shape.indices.reversed() {
                let coordinate = rest % shape[axis]
                rest /= shape[axis]
                let ownAxis = axis - (shape.count - own.count)
                guard ownAxis >= 0 else { continue }
                if own[ownAxis] > 1 { place += coordinate * stride }
                stride *= own[ownAxis]
            }
            return place
        }
    }
}

/// Runs one operator on given inputs.
func run(
    _ name: String, _ inputs: [Tensor], opset: Int, threads: Int, attributes: [String: Attribute] = [:]
) throws -> Tensor {
    var graph = Graph()
    let names = inputs.indices.map { "input\($0)" }
    graph.inputs = zip(names, inputs).map { name, tensor in
        ValueDeclaration(name: name, kind: .tensor(tensor.elementType, shape: tensor.shape.map { .fixed($0) }))
    }
    graph.nodes = [Node(name: "node", operatorName: name, inputs: names, outputs: ["output"], attributes: attributes)]
    graph.outputs = [ValueDeclaration(name: "output", kind: .undeclared)]
    let session = try Session(Model(opsets: ["": opset], graph: graph), options: .init(threads: threads))
    return try #require(try session.run(Dictionary(uniqueKeysWithValues: zip(names, inputs)))["output"])
}

extension Tensor {
    fileprivate func scaled(by factor: Float) throws -> Tensor {
        try Tensor(array(of: Float.self).map { ($0 * factor).rounded() }, shape: shape)
    }
}
