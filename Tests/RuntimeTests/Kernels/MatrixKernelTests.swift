import TestSupport
import Testing

@testable import Runtime

/// Products of packed matrices by the kernel of each instruction set, against sums in binary64.
@Suite struct MatrixKernelTests {
    @Test(arguments: MatrixKernel.all, 0..<36 as Range<UInt64>)
    func productsAreRight(_ kernel: MatrixKernel, seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let rows = Int.random(in: 1...40, using: &random)
        // A single column has a loop of its own.
        let columns = seed % 8 == 3 ? 1 : Int.random(in: 1...(seed % 4 == 0 ? 1000 : 110), using: &random)
        let depth = Int.random(in: 0...(seed % 3 == 0 ? 1100 : 20), using: &random)
        let gap = Int.random(in: 0...5, using: &random)
        let left = try random.tensor([rows, max(1, depth)])
        let right = try random.tensor([max(1, depth), columns])
        let (a, b) = (try left.array(of: Float.self), try right.array(of: Float.self))
        let rowBias = Bool.random(using: &random) ? try random.tensor([rows + 2]) : nil
        let columnBias = Bool.random(using: &random) ? try random.tensor([columns + 3]) : nil
        let activation =
            [.none, .clip(low: -0.4, high: 0.6), .hardSwish].randomElement(using: &random)
            ?? ActivationKernel.none
        // The right operand packed before, or in passing.
        let packs = Bool.random(using: &random)
        let accumulates = Bool.random(using: &random)
        let stride = columns + gap
        let old = try random.tensor([rows * stride + 7])
        let residual = Bool.random(using: &random) ? try random.tensor([rows * stride + 7]) : nil
        let hasEnd = seed % 5 != 0
        let start = Int.random(in: 0...7, using: &random)

        var packedRows = try zeros(kernel.packedCount(rows: rows, depth: depth))
        var packedColumns = try zeros(kernel.packedCount(columns: columns, depth: depth))
        // As they lie, or transposed.
        try packedRows.withMutableElements(of: Float.self) {
            kernel.packRows(
                try left.elements(), start: 0, rowStride: max(1, depth), columnStride: 1, rows: rows, depth: depth,
                into: $0)
        }
        try packedColumns.withMutableElements(of: Float.self) {
            kernel.packColumns(
                try right.elements(), start: 0, rowStride: columns, columnStride: 1, depth: depth, columns: columns,
                into: $0)
        }
        var result = old
        var packing = try zeros(max(1, kernel.packingCount(columns: columns, depth: depth)))
        let plain = MatrixKernel.Columns(
            elements: try right.elements(), rowStride: columns, panelStride: kernel.tileColumns)
        let panels = MatrixKernel.Columns(
            elements: try packedColumns.elements(), rowStride: kernel.tileColumns,
            panelStride: kernel.tileColumns * depth)
        try packing.withMutableElements(of: Float.self) { room in
            try result.withMutableElements(of: Float.self) {
                kernel.multiply(
                    .init(elements: try packedRows.elements(), depth: depth), packs ? plain : panels,
                    packing: packs ? room : nil, rows: rows, columns: columns, accumulates: accumulates,
                    end: hasEnd
                        ? .init(
                            rowBias: try rowBias?.elements(), firstRow: 2, columnBias: try columnBias?.elements(),
                            firstColumn: 3, residual: try residual?.elements(), activation: activation) : nil,
                    into: $0, at: start, resultStride: stride)
            }
        }
        let found = try result.array(of: Float.self)
        let before = try old.array(of: Float.self)
        let rowBiases = try rowBias?.array(of: Float.self)
        let columnBiases = try columnBias?.array(of: Float.self)
        let residuals = try residual?.array(of: Float.self)
        var expected = before.map { Double($0) }
        for row in 0..<rows {
            for column in 0..<columns {
                let index = start + row * stride + column
                var sum = accumulates ? Double(before[index]) : 0
                for k in 0..<depth { sum += Double(a[row * max(1, depth) + k]) * Double(b[k * columns + column]) }
                if hasEnd {
                    sum += Double(rowBiases?[row + 2] ?? 0) + Double(columnBiases?[column + 3] ?? 0)
                    sum += Double(residuals?[index] ?? 0)
                    sum = activation.value(at: sum)
                }
                expected[index] = sum
            }
        }
        let error = zip(found, expected).map { abs(Double($0) - $1) }.max() ?? 0
        #expect(error <= 2e-6 * Double(depth + 4), "\(rows)×\(depth)×\(columns)")
    }

    /// A matrix packed from its transpose is the same.
    @Test(arguments: MatrixKernel.all)
    func transposedMatricesPackAlike(_ kernel: MatrixKernel) throws {
        var random = SplitMix64(state: 4)
        let matrix = try random.tensor([29, 53])
        let plain = try matrix.array(of: Float.self)
        let transposed = try matrix.transposed()
        func rows(_ source: Tensor, _ rowStride: Int, _ columnStride: Int) throws -> [Float] {
            var packed = try zeros(kernel.packedCount(rows: 29, depth: 53))
            try packed.withMutableElements(of: Float.self) {
                kernel.packRows(
                    try source.elements(), start: 0, rowStride: rowStride, columnStride: columnStride, rows: 29,
                    depth: 53, into: $0)
            }
            return try packed.array(of: Float.self)
        }
        func columns(_ source: Tensor, _ rowStride: Int, _ columnStride: Int) throws -> [Float] {
            var packed = try zeros(kernel.packedCount(columns: 53, depth: 29))
            try packed.withMutableElements(of: Float.self) {
                kernel.packColumns(
                    try source.elements(), start: 0, rowStride: rowStride, columnStride: columnStride, depth: 29,
                    columns: 53, into: $0)
            }
            return try packed.array(of: Float.self)
        }
        #expect(try rows(matrix, 53, 1) == rows(transposed, 1, 29))
        #expect(try columns(matrix, 53, 1) == columns(transposed, 1, 29))
        #expect(try rows(matrix, 53, 1)[..<2] == [plain[0], plain[53]])
    }

    private func zeros(_ count: Int) throws -> Tensor {
        try Tensor([Float](repeating: 0, count: count), shape: [count])
    }
}
