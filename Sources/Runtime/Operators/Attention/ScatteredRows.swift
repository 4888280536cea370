/// Where the rows of many matrices lie among the elements of a tensor: element (pair, row, column) at
/// `starts[pair] + offsets[row] + column · columnStride`.
struct ScatteredRows: Sendable {
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

    /// Whether every row has its place.
    var isComplete: Bool { moved == nil }

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

    /// The index of a row's first element; nil when it has none. A row that is filled has the complement of an index into
    /// what fills it.
    func place(_ pair: Int, _ row: Int) -> Int? {
        let place = starts[pair] + offsets[row]
        guard let moved else { return place }
        let (row, column) = place.quotientAndRemainder(dividingBy: moved.width)
        let source = Int(moved.sources[row])
        if source >= 0 { return source * moved.width + column }
        return moved.fill == nil ? nil : ~column
    }

    /// - Throws: `OperatorError` when one has no place.
    func places(_ pair: Int, _ rows: some Sequence<Int>) throws -> [Int] {
        try rows.map { row in
            guard let place = place(pair, row) else { throw OperatorError("row \(row) has no place") }
            return place
        }
    }
}
