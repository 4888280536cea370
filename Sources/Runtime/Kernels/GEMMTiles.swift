import Synchronization

/// How a matrix product is cut into blocks that are worked on in parallel: by its size alone, never by the number of
/// threads, so that every sum is formed in the same way however many there are.
struct GEMMTiles: Sendable {
    let rowCount, columnCount: Int
    /// Rows and columns of the result in one block.
    let rows, columns: Int

    /// Blocks that suffice to keep several threads busy.
    private static let wantedBlocks = 8
    /// Elements of a panel of the right operand that stay in a second-level cache.
    private static let panelElements = 1 << 18

    init(rows: Int, columns: Int, inner: Int) {
        rowCount = rows
        columnCount = columns
        func roundUp(_ value: Int, to multiple: Int) -> Int { (value + multiple - 1) / multiple * multiple }
        let cached = max(128, Self.panelElements / max(1, inner) / 16 * 16)
        self.columns = max(1, min(roundUp(max(256, columns / Self.wantedBlocks), to: 16), min(cached, 1024), columns))
        let columnBlocks = (columns + self.columns - 1) / max(1, self.columns)
        let wantedRowBlocks = (Self.wantedBlocks + columnBlocks - 1) / max(1, columnBlocks)
        let small = Double(rows) * Double(columns) * Double(inner) < 0x1p18
        self.rows = small ? max(1, rows) : max(1, min(rows, max(48, roundUp(rows / wantedRowBlocks, to: 16))))
    }

    /// The same columns with all rows in one block.
    init(_ other: GEMMTiles, rows: Int) {
        rowCount = other.rowCount
        columnCount = other.columnCount
        columns = other.columns
        self.rows = max(1, rows)
    }

    var columnBlocks: Int { (columnCount + columns - 1) / columns }
    var rowBlocks: Int { (rowCount + rows - 1) / rows }
}

extension Step {
    /// Works on every tile of `blocks` products of the same size.
    func parallel(
        blocks: Int, _ tiles: GEMMTiles,
        _ body: @Sendable (_ block: Int, _ rows: Range<Int>, _ columns: Range<Int>) throws -> Void
    ) throws {
        let perBlock = tiles.rowBlocks * tiles.columnBlocks
        try context.pool.parallelFor(blocks * perBlock) { index in
            try context.checkpoint()
            let row = index % perBlock / tiles.columnBlocks * tiles.rows
            let column = index % tiles.columnBlocks * tiles.columns
            try body(
                index / perBlock, row..<min(row + tiles.rows, tiles.rowCount),
                column..<min(column + tiles.columns, tiles.columnCount))
        }
    }
}

/// Pieces of scratch memory, each lent to one thread at a time.
struct ScratchSlots<Element: TensorElement>: Sendable {
    private final class Free: Sendable {
        let slots: Mutex<[Int]>
        init(_ slots: [Int]) { self.slots = Mutex(slots) }
    }

    private let memory: MutableElements<Element>
    private let slotCount: Int
    private let free: Free

    /// - Parameter slotCount: elements of one slot; as many slots as threads must fit the memory.
    init(_ memory: MutableElements<Element>, slotCount: Int) {
        self.memory = memory
        self.slotCount = slotCount
        free = Free(Array(0..<memory.count / max(1, slotCount)))
    }

    /// - Throws: `OperatorError` when the memory is for fewer threads than call this at once, and what `body` throws.
    func withSlot<Result>(_ body: (MutableElements<Element>) throws -> Result) throws -> Result {
        let slot = free.slots.withLock { $0.popLast() }
        guard let slot else { throw OperatorError("scratch memory was announced for fewer threads") }
        defer { free.slots.withLock { $0.append(slot) } }
        return try body(
            MutableElements(base: memory.base + slot * slotCount * MemoryLayout<Element>.stride, count: slotCount))
    }
}
