import ONNXLoader

/// The contraction of two tensors as matrix products, one for each index of the labels that fit into no matrix. Operands
/// and result are used where they lie, and copied into another order only where BLAS could not walk along them.
struct MatrixContraction {
    let sizes: [Int: Int]

    func run<Element: FloatingElement>(
        _ step: Step, _ first: LabelledTensor, _ second: LabelledTensor, into result: LabelledTensor,
        _ type: Element.Type
    ) throws {
        var left = try summed(step, first, without: second, result, type)
        var right = try summed(step, second, without: first, result, type)
        let batch = result.labels.filter { left.has($0) && right.has($0) }
        let rows = result.labels.filter { left.has($0) && !right.has($0) }
        let columns = result.labels.filter { right.has($0) && !left.has($0) }
        let inner = left.labels.filter { right.has($0) && !result.has($0) }
        // Products of single numbers are not worth a call.
        guard !inner.isEmpty || !rows.isEmpty && !columns.isEmpty else {
            return try sumOfProducts(step, [left, right], into: result, sizes, type)
        }

        let row = longestRun(rows, in: left, result)
        let column = longestRun(columns, in: right, result)
        let depth = Run(labels: inner, size: size(inner))
        if !isRun(inner, in: left) || Layout(left, row, depth).leadingStride == nil {
            left = try reordered(step, left, batch + rows + inner)
        }
        if !isRun(inner, in: right) || Layout(right, depth, column).leadingStride == nil {
            right = try reordered(step, right, batch + columns + inner)
        }
        let loop = result.labels.filter { !row.labels.contains($0) && !column.labels.contains($0) }
        let product = Product(
            loop: loop.map { (size: sizes[$0] ?? 1, left: left.stride($0), right: right.stride($0)) }, left: left,
            right: right)

        if let layout = Layout(result, row, column).rowMajorStride {
            try product.run(
                step, row, depth, column, into: result.tensor, resultStrides: loop.map { result.stride($0) },
                resultStride: layout, type)
        } else if let layout = Layout(result, column, row).rowMajorStride {
            let swapped = Product(loop: product.loop.map { ($0.size, $0.right, $0.left) }, left: right, right: left)
            try swapped.run(
                step, column, depth, row, into: result.tensor, resultStrides: loop.map { result.stride($0) },
                resultStride: layout, type)
        } else {
            let order = loop + row.labels + column.labels
            let ordered = try LabelledTensor(
                step.context.budget.allocate(ValueType(Element.elementType, order.map { sizes[$0] ?? 1 })),
                labels: order, sizes: sizes)
            try product.run(
                step, row, depth, column, into: ordered.tensor, resultStrides: loop.map { ordered.stride($0) },
                resultStride: column.size, type)
            try step.copy(
                StridedCopy(shape: result.tensor.shape, sourceStrides: result.labels.map { ordered.stride($0) }),
                from: ordered.tensor, to: result.tensor)
        }
    }

    /// Labels that are one dimension of a matrix: together they have a single stride, that of the last one.
    private struct Run {
        var labels: [Int] = []
        var size = 1

        func stride(in tensor: LabelledTensor) -> Int { labels.last.map { tensor.stride($0) } ?? 0 }
    }

    /// How a matrix lies in memory: strides from row to row and from column to column.
    private struct Layout {
        let rows, columns, rowStride, columnStride: Int

        init(_ tensor: LabelledTensor, _ row: Run, _ column: Run) {
            rows = row.size
            columns = column.size
            rowStride = row.stride(in: tensor)
            columnStride = column.stride(in: tensor)
        }

        /// The stride from row to row, when columns are next to one another.
        var rowMajorStride: Int? {
            guard columns == 1 || columnStride == 1 else { return nil }
            if rows == 1 { return columns }
            return rowStride >= columns ? rowStride : nil
        }

        /// The stride of the matrix or of its transpose, whichever BLAS can take.
        var leadingStride: (stride: Int, isTransposed: Bool)? {
            if let rowMajorStride { return (rowMajorStride, false) }
            guard rows == 1 || rowStride == 1 else { return nil }
            if columns == 1 { return (rows, true) }
            return columnStride >= rows ? (columnStride, true) : nil
        }
    }

    /// Matrix products for every index of some labels.
    private struct Product {
        let loop: [(size: Int, left: Int, right: Int)]
        let left, right: LabelledTensor

        func run<Element: FloatingElement>(
            _ step: Step, _ row: Run, _ depth: Run, _ column: Run, into result: Tensor, resultStrides: [Int],
            resultStride: Int, _ type: Element.Type
        ) throws {
            guard let leftLayout = Layout(left, row, depth).leadingStride,
                let rightLayout = Layout(right, depth, column).leadingStride
            else { throw OperatorError("the operands were not reordered") }
            let leftElements = try left.tensor.elements(of: type)
            let rightElements = try right.tensor.elements(of: type)
            let output = try result.uncheckedMutableElements(of: type)
            let strides = zip(loop, resultStrides).map { ($0.size, $0.left, $0.right, $1) }
            let tiles = GEMMTiles(rows: row.size, columns: column.size, inner: depth.size)
            try step.parallel(blocks: loop.reduce(1) { $0 * $1.size }, tiles) { block, rows, columns in
                var rest = block
                var (leftStart, rightStart) = (0, 0)
                var start = rows.lowerBound * resultStride + columns.lowerBound
                for (size, leftStride, rightStride, outputStride) in strides.reversed() {
                    let index = rest % size
                    rest /= size
                    leftStart += index * leftStride
                    rightStart += index * rightStride
                    start += index * outputStride
                }
                leftStart += rows.lowerBound * (leftLayout.isTransposed ? 1 : leftLayout.stride)
                rightStart += columns.lowerBound * (rightLayout.isTransposed ? rightLayout.stride : 1)
                BLAS.multiply(
                    .init(
                        elements: leftElements, start: leftStart, rowStride: leftLayout.stride,
                        isTransposed: leftLayout.isTransposed),
                    .init(
                        elements: rightElements, start: rightStart, rowStride: rightLayout.stride,
                        isTransposed: rightLayout.isTransposed),
                    rows: rows.count, columns: columns.count, inner: depth.size, into: output, at: start,
                    resultStride: resultStride)
            }
        }
    }

    private func size(_ labels: [Int]) -> Int { labels.reduce(1) { $0 * (sizes[$1] ?? 1) } }

    /// Whether labels, in this order, have a single stride.
    private func isRun(_ labels: some Sequence<Int>, in tensor: LabelledTensor) -> Bool {
        let labels = Array(labels)
        return zip(labels, labels.dropFirst()).allSatisfy { tensor.stride($0) == tensor.stride($1) * (sizes[$1] ?? 1) }
    }

    /// The consecutive labels with most elements that have a single stride in both tensors.
    private func longestRun(_ labels: [Int], in tensor: LabelledTensor, _ result: LabelledTensor) -> Run {
        var best = Run()
        for first in labels.indices {
            for last in first..<labels.count {
                let candidate = labels[first...last]
                guard isRun(candidate, in: tensor), isRun(candidate, in: result) else { break }
                if best.labels.isEmpty || size(Array(candidate)) > best.size {
                    best = Run(labels: Array(candidate), size: size(Array(candidate)))
                }
            }
        }
        return best
    }

    /// A copy with its dimensions in the order of `labels`.
    private func reordered(_ step: Step, _ operand: LabelledTensor, _ labels: [Int]) throws -> LabelledTensor {
        let labels = labels.filter(operand.has)
        let shape = labels.map { sizes[$0] ?? 1 }
        let copy = try step.context.budget.allocate(ValueType(operand.tensor.elementType, shape))
        try step.copy(
            StridedCopy(shape: shape, sourceStrides: labels.map { operand.stride($0) }), from: operand.tensor, to: copy)
        return LabelledTensor(copy, labels: labels, sizes: sizes)
    }

    /// An operand summed over the labels that only it has.
    private func summed<Element: FloatingElement>(
        _ step: Step, _ operand: LabelledTensor, without other: LabelledTensor, _ result: LabelledTensor,
        _ type: Element.Type
    ) throws -> LabelledTensor {
        let kept = operand.labels.filter { other.has($0) || result.has($0) }
        guard kept.count < operand.labels.count else { return operand }
        let sum = try LabelledTensor(
            step.context.budget.allocate(ValueType(Element.elementType, kept.map { sizes[$0] ?? 1 })), labels: kept,
            sizes: sizes)
        try sumOfProducts(step, [operand], into: sum, sizes, type)
        return sum
    }
}
