/// Rows of a matrix in another order, some of them left out or repeated; where none is taken stands the row of input 1, or 0.
/// Lowering makes it of paddings, crops and transposes that move whole rows.
struct GatheredRows: LoweredOperator {
    /// For each row of the result the input's; -1 for none.
    let sources: [Int32]
    /// Elements of a row.
    let width: Int
    let type: ValueType

    var kernelName: String { "rows" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { [type] }

    func run(_ step: inout Step) throws {
        let input = try step.elements(0, of: Float.self)
        let fill = step.inputCount > 1 ? try step.elements(1, of: Float.self) : nil
        let output = try step.mutableElements(0, of: Float.self)
        guard output.count == sources.count * width, fill?.count ?? width == width else {
            throw OperatorError("the operands are not of the planned shape")
        }
        try step.parallel(sources.count, grain: max(1, (1 << 16) / max(1, width))) { range in
            for row in range {
                let source = Int(sources[row])
                if source >= 0 {
                    output.copy(input, source * width..<(source + 1) * width, to: row * width)
                } else if let fill {
                    output.copy(fill, 0..<width, to: row * width)
                } else {
                    output.fill(row * width..<(row + 1) * width, with: 0)
                }
            }
        }
    }
}
