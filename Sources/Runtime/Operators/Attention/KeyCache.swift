import ONNXLoader

/// Keys or values that follow those of earlier runs.
struct KeyCache: Sendable {
    let batch, heads, rowSize: Int
    let pastRows, newRows: Int

    private var rows: Int { pastRows + newRows }

    /// Writes all rows as `[batch, heads, rows, size]`.
    /// - Parameters:
    ///   - past: `[batch, heads, past rows, size]` from an index on.
    ///   - start: where the first row goes.
    func join<Element: FloatingElement>(
        past: (elements: Elements<Element>, start: Int)?, new: HeadRows<Element>, into memory: MutableElements<Element>,
        at start: Int = 0
    ) {
        guard memory.count > 0 else { return }
        for index in 0..<batch * heads {
            let target = start + index * rows * rowSize
            if let past {
                let first = past.start + index * pastRows * rowSize
                memory.copy(past.elements, first..<first + pastRows * rowSize, to: target)
            }
            for row in 0..<newRows {
                let from = new.layout.start(batch: index / heads, head: index % heads, row: row)
                memory.copy(new.elements, from..<from + rowSize, to: target + (pastRows + row) * rowSize)
            }
        }
    }

    /// All rows: an output, when it is wanted, holds them; without earlier rows, and when it is not, they stay where they
    /// are.
    func joined<Element: FloatingElement>(
        _ step: Step, past: Tensor?, new: HeadRows<Element>, output: Int
    ) throws -> HeadRows<Element> {
        guard past != nil || step.wants(output) else { return new }
        let target = step.wants(output) ? try step.output(output) : nil
        let memory =
            try target.flatMap { $0.elementType == Element.elementType ? $0 : nil }
            ?? step.context.budget.allocate(ValueType(Element.elementType, [batch, heads, rows, rowSize]))
        try join(
            past: past.map { (try step.widened($0, Element.self), 0) }, new: new,
            into: memory.uncheckedMutableElements(of: Element.self))
        if let target, target.elementType != Element.elementType { try memory.convert(into: target) }
        return HeadRows(
            elements: try memory.elements(of: Element.self),
            layout: .separate(heads: heads, rows: rows, size: rowSize))
    }
}
