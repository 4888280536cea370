import ONNXLoader
import TestSupport
import Testing

@testable import Runtime

/// Expected values by hand, under the definitions of the ONNX specification.
@Suite struct ReductionTests {
    private static let x: Literal = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]

    @Test(arguments: [
        Case("ReduceSum", opset: 13, inputs: [x, .int64([1])], outputs: [[[[4, 6]], [[12, 14]]]]),
        Case(
            "ReduceSum", opset: 13, ["keepdims": .int(0)], inputs: [x, .int64([-1])], outputs: [[[3, 7], [11, 15]]]),
        Case("ReduceSum", opset: 13, ["keepdims": .int(0)], inputs: [x, .int64([0, 2])], outputs: [[14, 22]]),
        Case("ReduceSum", opset: 13, inputs: [x], outputs: [[[[36]]]], note: "all axes"),
        Case(
            "ReduceSum", opset: 13, ["noop_with_empty_axes": .int(1)], inputs: [x, .flat([], [0], .int64)],
            outputs: [x],
            note: "no axes"),
        Case(
            "ReduceSum", opset: 11, ["axes": .ints([0])], inputs: [x], outputs: [[[[6, 8], [10, 12]]]],
            note: "attribute"),
        Case(
            "ReduceSum", opset: 13, ["keepdims": .int(0)], inputs: [.flat([], [2, 0, 3]), .int64([1])],
            outputs: [[[0, 0, 0], [0, 0, 0]]], note: "of nothing"),
        Case(
            "ReduceSum", opset: 13, ["keepdims": .int(0)], inputs: [.flat([], [0, 3]), .int64([1])],
            outputs: [.flat([], [0])]),
        Case("ReduceSum", opset: 13, inputs: [7], outputs: [7], note: "scalar"),
        Case("ReduceSum", opset: 13, inputs: [.uint8([200, 100])], outputs: [.uint8([44])], note: "wraps"),
        Case("ReduceMean", opset: 18, ["keepdims": .int(0)], inputs: [x, .int64([1, 2])], outputs: [[2.5, 6.5]]),
        Case("ReduceMean", opset: 13, ["axes": .ints([0, 1]), "keepdims": .int(0)], inputs: [x], outputs: [[4, 5]]),
        Case(
            "ReduceMean", opset: 18, inputs: [.int32([1, 2, 4]), .int64([0])], outputs: [.int32([2])], note: "truncates"
        ),
        Case(
            "ReduceMean", opset: 18, ["keepdims": .int(0)], inputs: [.half([1, 2]), .int64([0])], outputs: [.half(1.5)]),
        Case(
            "ReduceMean", opset: 18, ["keepdims": .int(0)], inputs: [.double(x), .int64([0])],
            outputs: [.double([[3, 4], [5, 6]])]),
    ])
    func sumsAndMeans(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case(
            "ReduceMax", opset: 18, ["keepdims": .int(0)], inputs: [[[1, 5], [7, -2]], .int64([1])], outputs: [[5, 7]]),
        Case(
            "ReduceMax", opset: 18, ["keepdims": .int(0)], inputs: [[[1, 5], [7, -2]], .int64([0])], outputs: [[7, 5]]),
        Case(
            "ReduceMin", opset: 13, ["axes": .ints([1])], inputs: [.int8([[1, 5], [7, -2]])],
            outputs: [.int8([[1], [-2]])]),
        Case(
            "ReduceMin", opset: 20, ["keepdims": .int(0)], inputs: [.bool([[1, 1], [1, 0]]), .int64([1])],
            outputs: [.bool([1, 0])]),
        Case(
            "ReduceMax", opset: 20, ["keepdims": .int(0)], inputs: [.bool([[0, 0], [1, 0]]), .int64([1])],
            outputs: [.bool([0, 1])]),
        Case(
            "ReduceMax", opset: 18, ["keepdims": .int(0)], inputs: [.flat([], [2, 0]), .int64([1])],
            outputs: [.flat([-.infinity, -.infinity], [2])], note: "of nothing"),
        Case(
            "ReduceMin", opset: 18, ["keepdims": .int(0)], inputs: [.flat([], [0, 2], .int8), .int64([0])],
            outputs: [.int8([127, 127])], note: "of nothing"),
        Case(
            "ReduceMax", opset: 18, ["keepdims": .int(0)], inputs: [.flat([1, .nan, 3, 4], [2, 2]), .int64([1])],
            outputs: [.flat([.nan, 4], [2])], note: "NaN stays"),
        Case(
            "ReduceProd", opset: 18, ["keepdims": .int(0)], inputs: [x, .int64([2])], outputs: [[[2, 12], [30, 56]]]),
        Case("ReduceProd", opset: 18, inputs: [.flat([], [0]), .int64([0])], outputs: [[1]], note: "of nothing"),
        Case(
            "ReduceL1", opset: 18, ["keepdims": .int(0)], inputs: [[[-3, 4], [1, -1]], .int64([1])], outputs: [[7, 2]]),
        Case(
            "ReduceL2", opset: 18, ["keepdims": .int(0)], inputs: [[[-3, 4], [5, 12]], .int64([1])], outputs: [[5, 13]]),
        Case(
            "ReduceL2", opset: 18, ["keepdims": .int(0)], inputs: [[[-3, 5], [4, 12]], .int64([0])], outputs: [[5, 13]]),
        Case("ReduceL2", opset: 13, inputs: [.int32([3, 4])], outputs: [.int32([5])]),
        Case("ReduceSumSquare", opset: 18, inputs: [[1, -2, 3], .int64([0])], outputs: [[14]]),
        Case("ReduceLogSum", opset: 18, inputs: [[1, 2, 3], .int64([0])], outputs: [[1.791759469228055]]),
        Case("ReduceLogSumExp", opset: 18, inputs: [[1, 2, 3], .int64([0])], outputs: [[3.40760596444438]]),
        Case(
            "ReduceLogSumExp", opset: 18, inputs: [[1001, 1002, 1003], .int64([0])], outputs: [[1003.40760596444438]],
            note: "without overflow"),
        Case(
            "ReduceLogSumExp", opset: 18, ["keepdims": .int(0)],
            inputs: [.flat([-.infinity, -.infinity], [2]), .int64([0])],
            outputs: [.flat([-.infinity], [])]),
        Case(
            "ReduceSumSquare", opset: 18, ["noop_with_empty_axes": .int(1)], inputs: [[2, -3]], outputs: [[4, 9]],
            note: "no axes: squares only"),
    ])
    func extremesAndNorms(_ example: Case) throws { try example.check() }

    @Test(arguments: [
        Case(
            "ArgMax", opset: 13, ["axis": .int(1)], inputs: [[[1, 9, 9], [4, 2, 3]]], outputs: [.int64([[1], [0]])]),
        Case(
            "ArgMax", opset: 13, ["axis": .int(1), "select_last_index": .int(1)], inputs: [[[1, 9, 9], [4, 2, 3]]],
            outputs: [.int64([[2], [0]])]),
        Case(
            "ArgMax", opset: 11, ["keepdims": .int(0)], inputs: [[[1, 9], [4, 2], [4, 10]]], outputs: [.int64([1, 2])]),
        Case(
            "ArgMin", opset: 13, ["axis": .int(-1), "keepdims": .int(0)], inputs: [.int32([[3, 1, 1], [2, 5, 0]])],
            outputs: [.int64([1, 2])]),
        Case(
            "ArgMin", opset: 13, ["axis": .int(0), "select_last_index": .int(1)], inputs: [.uint8([3, 1, 1])],
            outputs: [.int64([2])]),
        Case(
            "ArgMax", opset: 13, inputs: [.flat([1, .nan, 3, .nan], [4])], outputs: [.int64([1])], note: "the first NaN"
        ),
        Case("CumSum", opset: 14, inputs: [[1, 2, 3], .int64(0)], outputs: [[1, 3, 6]]),
        Case("CumSum", opset: 11, ["exclusive": .int(1)], inputs: [[1, 2, 3], .int32(0)], outputs: [[0, 1, 3]]),
        Case("CumSum", opset: 14, ["reverse": .int(1)], inputs: [[1, 2, 3], .int64(0)], outputs: [[6, 5, 3]]),
        Case(
            "CumSum", opset: 14, ["reverse": .int(1), "exclusive": .int(1)], inputs: [[1, 2, 3], .int64(0)],
            outputs: [[5, 3, 0]]),
        Case(
            "CumSum", opset: 14, inputs: [.int32([[1, 2], [3, 4]]), .int64([-2])],
            outputs: [.int32([[1, 2], [4, 6]])]),
        Case("CumProd", opset: 26, inputs: [[1, 2, 3], .int64(0)], outputs: [[1, 2, 6]]),
        Case(
            "CumProd", opset: 26, ["reverse": .int(1), "exclusive": .int(1)], inputs: [[1, 2, 3], .int64(0)],
            outputs: [[6, 3, 1]]),
        Case(
            "TopK", opset: 11, inputs: [[[1, 4, 4, 2], [9, 0, 3, 5]], .int64([2])],
            outputs: [[[4, 4], [9, 5]], .int64([[1, 2], [0, 3]])]),
        Case(
            "TopK", opset: 11, ["largest": .int(0), "axis": .int(0)],
            inputs: [.int64([[3, 1], [2, 2], [1, 3]]), .int64([2])],
            outputs: [.int64([[1, 1], [2, 2]]), .int64([[2, 0], [1, 1]])]),
        Case("TopK", opset: 9, ["k": .int(1)], inputs: [[1, 3, 2]], outputs: [[3], .int64([1])]),
        Case(
            "TopK", opset: 24, inputs: [.flat([1, .nan, 3], [3]), .int64([2])],
            outputs: [.flat([.nan, 3], [2]), .int64([1, 2])]),
        Case("TopK", opset: 11, inputs: [[1, 2], .int64([0])], outputs: [.flat([], [0]), .flat([], [0], .int64)]),
    ])
    func placesAndScans(_ example: Case) throws { try example.check() }

    @Test func topKTakesNoMoreThanThereIs() {
        let example = Case(
            "TopK", opset: 11, inputs: [[1, 2], .int64([3])], outputs: [[2, 1, 0], .int64([1, 0, 2])])
        #expect(throws: RuntimeError.self) { try example.check() }
    }

    /// A few of many are found by another way than many of few; against sorting everything.
    @Test func topKOfMany() throws {
        var generator = SplitMix64(state: 3)
        let values = (0..<5000).map { _ in Float(Int.random(in: 0..<700, using: &generator)) }
        let sorted = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }
        for k in [1, 7, 100, 3000] {
            let tensor = try Tensor(values, shape: [values.count])
            let result = try run("TopK", [tensor, Tensor([Int64(k)], shape: [1])], opset: 11, threads: 1)
            #expect(try result.array(of: Float.self) == sorted.prefix(k).map { values[$0] })
        }
    }

    /// Against sums in binary64 over indices by their definition, for every set of axes; equal for any number of threads.
    @Test(arguments: ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"])
    func matchesDefinition(_ name: String) throws {
        let shape = [3, 37, 1, 2, 41]
        var generator = SplitMix64(state: 11)
        let input = try generator.tensor(shape)
        let values = try input.array(of: Float.self).map(Double.init)
        for subset in 0..<1 << shape.count {
            let axes = shape.indices.filter { subset >> $0 & 1 == 1 }
            var groups: [[Int]: [Double]] = [:]
            var order: [[Int]] = []
            for (flat, value) in values.enumerated() {
                var rest = flat
                var key = [Int](repeating: 0, count: shape.count)
                for axis in shape.indices.reversed() {
                    if !axes.contains(axis) { key[axis] = rest % shape[axis] }
                    rest /= shape[axis]
                }
                if groups[key] == nil { order.append(key) }
                groups[key, default: []].append(value)
            }
            let expected = order.map { key -> (value: Double, scale: Double) in
                let group = groups[key]!
                let magnitudes = group.reduce(0) { $0 + abs($1) }
                switch name {
                case "ReduceSum": return (group.reduce(0, +), magnitudes)
                case "ReduceMean": return (group.reduce(0, +) / Double(group.count), magnitudes / Double(group.count))
                case "ReduceMax": return (group.max()!, 0)
                case "ReduceMin": return (group.min()!, 0)
                case "ReduceL1": return (magnitudes, magnitudes)
                default: return (group.reduce(0) { $0 + $1 * $1 }.squareRoot(), magnitudes)
                }
            }
            let attributes = ["noop_with_empty_axes": Attribute.int(1), "keepdims": .int(0)]
            let inputs = [input, try Tensor(axes.map(Int64.init), shape: [axes.count])]
            let single = try run(name, inputs, opset: 18, threads: 1, attributes: attributes).array(of: Float.self)
            let several = try run(name, inputs, opset: 18, threads: 3, attributes: attributes).array(of: Float.self)
            #expect(single == several)
            #expect(single.count == expected.count)
            #expect(
                zip(single, expected).allSatisfy { abs(Double($0) - $1.value) <= 2e-7 * $1.scale }, "\(name) \(axes)")
        }
    }

    /// A million equal numbers: a running sum in binary32 would be wrong in the third digit.
    @Test func longSumsKeepTheirPrecision() throws {
        let input = try Tensor([Float](repeating: 0.1, count: 1_000_000), shape: [1_000_000])
        let sum = try run("ReduceSum", [input], opset: 13, threads: 2, attributes: ["keepdims": .int(0)])
        let exact = Double(Float(0.1)) * 1_000_000
        #expect(abs(Double(try sum.array(of: Float.self)[0]) - exact) < exact * 1e-6)
    }
}
