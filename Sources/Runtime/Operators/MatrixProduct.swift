import ONNXLoader

/// Products of matrices, one for each index of the batch: `left[i] · right[i] + addend`, then an activation.
struct MatrixProduct: Sendable {
    var rows, columns, inner: Int
    /// Index of the first element of each product's operands; the results follow one another.
    var leftStarts, rightStarts: [Int]
    var leftTransposed = false
    var rightTransposed = false
    var alpha: Float = 1
    var beta: Float = 1
    var activation = ActivationKernel.none

    /// The product of two tensors under numpy's rules: leading dimensions broadcast, vectors are rows or columns.
    /// - Parameters:
    ///   - leftTransposed: whether the last two dimensions of the left tensor, which is no vector, are to be exchanged.
    ///   - rightTransposed: likewise.
    init(left: [Int], right: [Int], leftTransposed: Bool = false, rightTransposed: Bool = false) throws {
        guard !left.isEmpty, !right.isEmpty else { throw OperatorError("a scalar has no matrix product") }
        self.leftTransposed = leftTransposed
        self.rightTransposed = rightTransposed
        var leftMatrix = left.count == 1 ? [1, left[0]] : left
        var rightMatrix = right.count == 1 ? [right[0], 1] : right
        if leftTransposed { leftMatrix.swapAt(leftMatrix.count - 1, leftMatrix.count - 2) }
        if rightTransposed { rightMatrix.swapAt(rightMatrix.count - 1, rightMatrix.count - 2) }
        let leftBatch = Array(leftMatrix.dropLast(2))
        let rightBatch = Array(rightMatrix.dropLast(2))
        inner = leftMatrix[leftMatrix.count - 1]
        rows = leftMatrix[leftMatrix.count - 2]
        columns = rightMatrix[rightMatrix.count - 1]
        guard rightMatrix[rightMatrix.count - 2] == inner else {
            throw OperatorError(
                "matrices \(left) and \(right) do not fit: \(inner) columns, \(rightMatrix[rightMatrix.count - 2]) rows"
            )
        }
        batch = try broadcast(leftBatch, rightBatch)
        _ = try elementCount(of: batch + [rows, columns])
        if rightBatch.allSatisfy({ $0 == 1 }), batch == leftBatch, !leftTransposed || batch.allSatisfy({ $0 == 1 }) {
            // One right operand for all: the left ones stand below one another, as a single matrix.
            rows = try rows.multiplied(by: elementCount(of: batch))
            leftStarts = [0]
            rightStarts = [0]
        } else {
            leftStarts = Self.starts(leftBatch, batch, size: rows * inner)
            rightStarts = Self.starts(rightBatch, batch, size: inner * columns)
        }
        shape =
            batch + (left.count == 1 ? [] : [leftMatrix[leftMatrix.count - 2]]) + (right.count == 1 ? [] : [columns])
    }

    /// One product of two matrices, each perhaps transposed.
    init(left: [Int], transposed leftTransposed: Bool, right: [Int], transposed rightTransposed: Bool) throws {
        guard left.count == 2, right.count == 2 else {
            throw OperatorError("matrices are wanted, not \(left) and \(right)")
        }
        rows = leftTransposed ? left[1] : left[0]
        inner = leftTransposed ? left[0] : left[1]
        columns = rightTransposed ? right[0] : right[1]
        guard (rightTransposed ? right[1] : right[0]) == inner else {
            throw OperatorError("matrices \(left) and \(right) do not fit")
        }
        self.leftTransposed = leftTransposed
        self.rightTransposed = rightTransposed
        leftStarts = [0]
        rightStarts = [0]
        batch = []
        shape = [rows, columns]
    }

    /// The shape of the result.
    let shape: [Int]
    private let batch: [Int]

    private static func starts(_ own: [Int], _ batch: [Int], size: Int) -> [Int] {
        let steps = broadcastStrides(of: own, to: batch)
        var starts = [0]
        for (count, step) in zip(batch, steps) {
            starts = starts.flatMap { start in (0..<count).map { start + $0 * step } }
        }
        return starts.map { $0 * size }
    }

    var multiplyAdds: Int { saturatingProduct([leftStarts.count, rows, columns, inner]) }

    /// Computes binary32 products.
    /// - Parameter addend: added `beta` times, broadcast to each result; its strides are per row and per column.
    func run(_ step: Step, left: Tensor, right: Tensor, addend: Tensor?, into output: MutableElements<Float>) throws {
        let a = try left.elements(of: Float.self)
        let b = try right.elements(of: Float.self)
        let c = try addend.map { try Addend($0, columns: columns) }
        let tiles = GEMMTiles(rows: rows, columns: columns, inner: inner)
        let leftStride = leftTransposed ? rows : inner
        let rightStride = rightTransposed ? inner : columns
        try step.parallel(blocks: leftStarts.count, tiles) { block, rowRange, columnRange in
            let resultStart = block * rows * columns + rowRange.lowerBound * columns + columnRange.lowerBound
            if let c {
                for row in rowRange {
                    c.write(
                        row: row, columnRange, times: beta, to: output,
                        at: resultStart + (row - rowRange.lowerBound) * columns)
                }
            }
            BLAS.multiply(
                .init(
                    elements: a,
                    start: leftStarts[block] + rowRange.lowerBound * (leftTransposed ? 1 : leftStride),
                    rowStride: leftStride, isTransposed: leftTransposed),
                .init(
                    elements: b,
                    start: rightStarts[block] + columnRange.lowerBound * (rightTransposed ? rightStride : 1),
                    rowStride: rightStride, isTransposed: rightTransposed),
                rows: rowRange.count, columns: columnRange.count, inner: inner, alpha: alpha, beta: c == nil ? 0 : 1,
                into: output, at: resultStart, resultStride: columns)
            if activation != .none {
                for row in rowRange {
                    let start = resultStart + (row - rowRange.lowerBound) * columns
                    activation.apply(to: output, start..<start + columnRange.count)
                }
            }
        }
    }

    /// Computes products of any other numeric type; integer sums wrap.
    func run<Element: NumericElement>(
        _ step: Step, left: Elements<Element>, right: Elements<Element>, into output: MutableElements<Element>
    ) throws {
        let leftStrides = leftTransposed ? (1, rows) : (inner, 1)
        let rightStrides = rightTransposed ? (1, inner) : (columns, 1)
        try step.parallel(leftStarts.count * rows, grain: max(1, (1 << 14) / max(1, columns * inner))) { range in
            for index in range {
                let block = index / rows
                let leftStart = leftStarts[block] + index % rows * leftStrides.0
                for column in 0..<columns {
                    var sum = Element.zero
                    let rightStart = rightStarts[block] + column * rightStrides.1
                    for k in 0..<inner {
                        sum = wrappingMultiplyAdd(
                            sum, left[leftStart + k * leftStrides.1], right[rightStart + k * rightStrides.0])
                    }
                    output[index * columns + column] = sum
                }
            }
        }
    }
}

/// `sum + left · right`, wrapping for integers, where `+` and `*` would trap.
@inline(__always)
func wrappingMultiplyAdd<Element: NumericElement>(_ sum: Element, _ left: Element, _ right: Element) -> Element {
    Element.wrappingSum(sum, Element.wrappingProduct(left, right))
}

/// A tensor that broadcasts to the rows and columns of a matrix.
private struct Addend: Sendable {
    let elements: Elements<Float>
    let rowStride, columnStride: Int

    init(_ tensor: Tensor, columns: Int) throws {
        elements = try tensor.elements(of: Float.self)
        let strides = broadcastStrides(of: tensor.shape, to: [2, columns])
        rowStride = tensor.shape.count == 2 && tensor.shape[0] != 1 ? tensor.shape[1] : 0
        columnStride = columns == 1 ? 0 : strides[1]
    }

    func write(row: Int, _ columns: Range<Int>, times factor: Float, to output: MutableElements<Float>, at index: Int) {
        let start = row * rowStride + columns.lowerBound * columnStride
        let range = index..<index + columns.count
        if columnStride == 0 {
            output.fill(range, with: elements[start] * factor)
        } else if factor == 1 {
            output.copy(elements, start..<start + columns.count, to: index)
        } else {
            output.assign(range, from: elements, at: start) { $0 * factor }
        }
    }
}
