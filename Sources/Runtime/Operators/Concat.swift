/// Concat: tensors joined along one axis.
struct Concat: Operator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: node.opset < 4 ? 1 : nil)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        var type = try inputs.required(0).type
        let axis = try normalized(axis, rank: type.shape.count)
        for index in 1..<max(1, inputs.count) {
            let other = try inputs.required(index)
            guard other.elementType == type.elementType, other.shape.count == type.shape.count,
                type.shape.indices.allSatisfy({ $0 == axis || other.shape[$0] == type.shape[$0] })
            else { throw OperatorError("inputs \(type) and \(other.type) cannot be joined along axis \(axis)") }
            type.shape[axis] = try type.shape[axis].adding(other.shape[axis])
        }
        return [type]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        let axis = try normalized(axis, rank: output.shape.count)
        let outer = output.shape[..<axis].reduce(1, *)
        let outputRow = output.shape[axis...].reduce(1, *)
        var start = 0
        for index in 0..<step.inputCount {
            let input = try step.input(index)
            let row = input.shape[axis...].reduce(1, *)
            for block in 0..<outer {
                try step.copy(input, block * row..<(block + 1) * row, to: 0, at: block * outputRow + start)
            }
            start += row
        }
    }
}
