import Foundation
import TestSupport
import Testing

@testable import Runtime

/// Attention in tiles against its definition in binary64, with the kernels of every instruction set.
@Suite struct TiledAttentionTests {
    struct Case: CustomTestStringConvertible {
        var queries = 50, keys = 300, headSize = 16, valueSize = 9
        var scale: Float = 0.7
        /// What biases repeat: element `k / divisor % modulus` of a query's row is added to the score of key k.
        var biases: [(divisor: Int, modulus: Int)] = []
        /// From this key on keys are as large as they are; before they are a hundredth.
        var largeKeys = 0
        /// How far a result may be off, in units of the largest value.
        var tolerance = 2e-6
        var testDescription: String { "\(queries)×\(keys)×\(headSize), biases \(biases), \(scale), \(largeKeys)" }
    }

    static let cases = [
        Case(),
        Case(queries: 1, keys: 1, headSize: 1, valueSize: 1),
        // A window of 14×14, and an image of 5 rows of 64 whose keys take more than one block.
        Case(queries: 196, keys: 196, headSize: 64, valueSize: 64, biases: [(14, 14), (1, 14)]),
        Case(queries: 210, keys: 320, headSize: 24, valueSize: 17, biases: [(64, 5), (1, 64)]),
        Case(queries: 33, keys: 261, headSize: 5, biases: [(1, 7), (3, 4)]),
        Case(queries: 49, keys: 77, headSize: 8, biases: [(1, 77)]),
        // More biases than are added in registers.
        Case(queries: 20, keys: 90, biases: [(9, 10), (1, 9), (1, 90)]),
        // Scores far above and below those of the first keys: in the first block, in a later one.
        Case(queries: 40, keys: 700, scale: 40, largeKeys: 100, tolerance: 1e-4),
        Case(queries: 70, keys: 700, scale: 40, biases: [(70, 10)], largeKeys: 520, tolerance: 1e-4),
        // References of which fractions are lost.
        Case(queries: 40, keys: 300, scale: 1e6, tolerance: 2e-2),
    ]

    @Test(arguments: MatrixKernel.all, cases)
    func isItsDefinition(_ matrices: MatrixKernel, _ example: Case) throws {
        let (queries, keys, headSize, valueSize) = (
            example.queries, example.keys, example.headSize, example.valueSize
        )
        var random = SplitMix64(state: 9)
        let query = try random.tensor([queries, headSize]).array(of: Float.self)
        var key = try random.tensor([keys, headSize]).array(of: Float.self)
        for index in 0..<min(key.count, example.largeKeys * headSize) { key[index] *= 0.01 }
        let value = try random.tensor([keys, valueSize]).array(of: Float.self)
        let biases = try example.biases.map { try random.tensor([queries, $0.modulus]).array(of: Float.self) }
        var attention = TiledAttention(
            batch: 1, queries: queries, keys: keys, headSize: headSize, valueSize: valueSize, scale: example.scale,
            query: ScatteredRows(input: 0, batch: 1, rows: queries, columns: headSize),
            key: ScatteredRows(input: 1, batch: 1, rows: keys, columns: headSize),
            value: ScatteredRows(input: 2, batch: 1, rows: keys, columns: valueSize),
            biases: example.biases.enumerated().map { number, bias in
                .init(
                    input: 3 + number, starts: [0], queryStride: bias.modulus, divisor: bias.divisor,
                    modulus: bias.modulus)
            }, type: ValueType(.float32, [queries, valueSize]))
        attention.matrices = matrices
        let operands =
            [
                try Tensor(query, shape: [queries, headSize]), try Tensor(key, shape: [keys, headSize]),
                try Tensor(value, shape: [keys, valueSize]),
            ]
            + (try zip(example.biases, biases).map { try Tensor($1, shape: [queries, $0.modulus]) })
        let context = RunContext(pool: ThreadPool(threads: 2), budget: MemoryBudget(limit: nil))
        let result = try attention.execute(operands, attention.type, context).array(of: Float.self)
        var worst = 0.0
        for row in 0..<queries {
            let scores = (0..<keys).map { position in
                let product = (0..<headSize).reduce(0.0) {
                    $0 + Double(query[row * headSize + $1]) * Double(key[position * headSize + $1])
                }
                return zip(example.biases, biases).reduce(product * Double(example.scale)) { sum, bias in
                    sum + Double(bias.1[row * bias.0.modulus + position / bias.0.divisor % bias.0.modulus])
                }
            }
            let highest = scores.max() ?? 0
            let powers = scores.map { exp($0 - highest) }
            let sum = powers.reduce(0, +)
            for column in 0..<valueSize {
                let exact = (0..<keys).reduce(0.0) { $0 + powers[$1] * Double(value[$1 * valueSize + column]) } / sum
                let off = abs(Double(result[row * valueSize + column]) - exact)
                worst = off <= worst ? worst : off
            }
        }
        #expect(worst <= example.tolerance, "\(worst)")
    }
}
