/// Where the rows of many matrices lie among the elements of a tensor: element (pair, row, column) at
/// `starts[pair] + offsets[row] + column · columnStride`.
struct ScatteredRows: Sendable {
    /// Rows of all matrices together that are listed one by one; of more, nothing is fused.
    static let mostRows = 1 << 22

    /// Which input the tensor is.
    var input: Int
    var starts, offsets: [Int]
    var columnStride = 1
    /// What stands between the matrices and the tensor.
    var moved: MovedRows?

    /// Rows of a matrix that are taken from another one, by number; -1 for what is not there.
    struct MovedRows: Sendable {
        var sources: [Int32]
        /// Elements of a row.
        var width: Int
        /// The input whose elements stand where no row is; nil where nothing does.
        var fill: Int?
    }

    /// The input whose elements stand where no row is.
    var fill: Int? { moved?.fill }

    /// Matrices that follow one another.
    init(input: Int, batch: Int, rows: Int, columns: Int) {
        self.input = input
        starts = (0..<batch).map { $0 * rows * columns }
        offsets = (0..<rows).map { $0 * columns }
    }

    /// Transposed matrices that follow one another.
    init(input: Int, batch: Int, columnsOf rows: Int, depth: Int) {
        self.input = input
        starts = (0..<batch).map { $0 * rows * depth }
        offsets = Array(0..<rows)
        columnStride = rows
    }

    init(input: Int, starts: [Int], offsets: [Int], columnStride: Int = 1, moved: MovedRows? = nil) {
        self.input = input
        self.starts = starts
        self.offsets = offsets
        self.columnStride = columnStride
        self.moved = moved
    }

    /// The index of each row's first element. A row that is filled has the complement of an index into what fills it.
    /// - Throws: `OperatorError` when one has no place.
    func places(_ pair: Int, _ rows: Range<Int>) throws -> [Int] { try places(from: starts[pair], offsets[rows]) }

    /// The same of single rows.
    func places(_ pair: Int, _ rows: [Int]) throws -> [Int] {
        let all = offsets
        return try places(from: starts[pair], rows.map { all[$0] }[...])
    }

    private func places(from start: Int, _ offsets: ArraySlice<Int>) throws -> [Int] {
        guard let moved else { return offsets.map { start + $0 } }
        let (sources, width, isFilled) = (moved.sources, moved.width, moved.fill != nil)
        return try offsets.map { offset in
            let (row, column) = (start + offset).quotientAndRemainder(dividingBy: width)
            let source = Int(sources[row])
            guard source >= 0 || isFilled else { throw OperatorError("row \(row) has no place") }
            return source >= 0 ? source * width + column : ~column
        }
    }

    /// The rows of a matrix that have a place, or are filled.
    func presentRows(_ pair: Int) -> [Int] {
        guard let moved, moved.fill == nil else { return Array(offsets.indices) }
        let (start, sources, width) = (starts[pair], moved.sources, moved.width)
        return offsets.indices.filter { sources[(start + offsets[$0]) / width] >= 0 }
    }
}
