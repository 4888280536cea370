/// ReverseSequence (opset 10): for each entry of a batch, the given number of first elements along time reversed.
struct ReverseSequence: MovementOperator {
    let batchAxis, timeAxis: Int

    init(_ node: inout NodeReader) throws {
        batchAxis = try node.int("batch_axis", or: 1)
        timeAxis = try node.int("time_axis", or: 0)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let axes = try normalized([batchAxis, timeAxis], rank: input.shape.count)
        let lengths = try inputs.required(1)
        guard axes.count == 2, lengths.shape == [input.shape[try normalized(batchAxis, rank: input.shape.count)]] else {
            throw OperatorError("lengths \(lengths.type) do not fit \(input.type) with batch axis \(batchAxis)")
        }
        return [input.type]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        let batch = try normalized(batchAxis, rank: input.shape.count)
        let time = try normalized(timeAxis, rank: input.shape.count)
        let own = strides(of: input.shape)
        for (entry, length) in try step.input(1).integers().enumerated() {
            guard length >= 0, length <= input.shape[time] else {
                throw OperatorError("a sequence of \(length) is not inside \(input.shape[time]) elements")
            }
            var copy = StridedCopy(
                shape: input.shape, sourceStart: entry * own[batch], sourceStrides: own,
                targetStart: entry * own[batch], targetStrides: own)
            copy.shape[batch] = 1
            var reversed = copy
            reversed.shape[time] = length
            reversed.sourceStart += max(0, length - 1) * own[time]
            reversed.sourceStrides[time] = -own[time]
            try step.copy(reversed, from: input, to: 0)
            copy.shape[time] -= length
            copy.sourceStart += length * own[time]
            copy.targetStart += length * own[time]
            try step.copy(copy, from: input, to: 0)
        }
    }
}

extension ReverseSequence: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.tape.apply(
                "ReverseSequence", [node.gradient(), node.input(1)],
                ["batch_axis": .int(Int64(batchAxis)), "time_axis": .int(Int64(timeAxis))])
        }
    }
}
