import Synchronization

/// Constants in the order in which kernels read them, made once for all plans of a session.
final class PreparedWeights: Sendable {
    /// The order of the elements.
    enum Layout: Hashable, Sendable {
        /// Rows of as many matrices as there are groups, packed for the left side of products.
        case rows(groups: Int)
        /// The same of the transposed matrices.
        case transposedRows(groups: Int)
        /// Weights packed like rows, tap by tap.
        case taps(groups: Int)
        /// Rows of taps transformed along them, packed like rows.
        case rowTaps(groups: Int)
        /// Columns packed for the right side of products; the matrix may be stored transposed.
        case columns(isTransposed: Bool)
    }

    private struct Key: Hashable {
        let storage: ObjectIdentifier
        let byteOffset: Int
        let layout: Layout
    }

    /// Keeps the storage, by whose identity it is found, alive.
    private struct Entry {
        let source: TensorStorage
        let elements: Elements<Float>
    }

    private let entries = Mutex<[Key: Entry]>([:])

    /// The constant in a layout.
    ///
    /// What a plan has computed for itself, as folded weights, is not kept for others.
    /// - Parameter make: writes `count` elements.
    func elements(
        of constant: Tensor, _ layout: Layout, count: Int, budget: MemoryBudget,
        make: (MutableElements<Float>) throws -> Void
    ) throws -> Elements<Float> {
        let key = Key(storage: ObjectIdentifier(constant.storage), byteOffset: constant.byteOffset, layout: layout)
        if let found = entries.withLock({ $0[key] }) { return found.elements }
        let storage = try budget.allocate(byteCount: try count.multiplied(by: MemoryLayout<Float>.stride))
        let target = MutableElements<Float>(base: storage.bytes.baseAddress!, count: count)
        try make(target)
        constant.storage.releasePages(from: constant.byteOffset, count: constant.byteCount)
        let elements = Elements<Float>(base: UnsafeRawPointer(target.base), count: count, owner: storage)
        if !constant.storage.isOwned {
            entries.withLock { $0[key] = Entry(source: constant.storage, elements: elements) }
        }
        return elements
    }
}
