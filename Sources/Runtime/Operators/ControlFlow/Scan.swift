import ONNXLoader

/// `Scan`: a graph over slices of its inputs; what a slice's run hands on goes into the next one, its other outputs are
/// stacked. Before opset 9 every input has a batch dimension, and each of the batch is scanned by itself.
struct Scan: ControlFlowOperator {
    let body: Subgraph
    let captured: [String]
    let scannedCount: Int
    let isBatched: Bool
    private let inputAxes, outputAxes, inputDirections, outputDirections: [Int]?

    init(_ node: inout NodeReader) throws {
        body = try node.subgraph("body")
        captured = node.captured
        scannedCount = try node.int("num_scan_inputs")
        isBatched = node.opset < 9
        inputDirections = try node.optionalInts(isBatched ? "directions" : "scan_input_directions")
        inputAxes = isBatched ? nil : try node.optionalInts("scan_input_axes")
        outputAxes = isBatched ? nil : try node.optionalInts("scan_output_axes")
        outputDirections = isBatched ? nil : try node.optionalInts("scan_output_directions")
        guard (1...max(1, body.inputs.count)).contains(scannedCount), body.outputs.count >= carriedCount else {
            throw OperatorError(
                "of \(body.inputs.count) inputs of the body \(scannedCount) cannot be scanned, with \(body.outputs.count) outputs"
            )
        }
        for list in [inputAxes, inputDirections] where list.map({ $0.count != scannedCount }) ?? false {
            throw OperatorError("\(list!.count) axes or directions for \(scannedCount) scanned inputs")
        }
        for list in [outputAxes, outputDirections] where list.map({ $0.count != stackedCount }) ?? false {
            throw OperatorError("\(list!.count) axes or directions for \(stackedCount) scanned outputs")
        }
    }

    private var carriedCount: Int { body.inputs.count - scannedCount }
    private var stackedCount: Int { body.outputs.count - carriedCount }

    func run(_ step: inout Step) throws {
        let first = isBatched ? 1 : 0
        guard declaredInputs(step) == first + body.inputs.count else {
            throw OperatorError(
                "the body takes \(body.inputs.count) inputs, the node gives \(declaredInputs(step) - first)")
        }
        let scope = scope(step)
        let inputs = try (0..<body.inputs.count).map { try step.input(first + $0) }
        guard isBatched else {
            let results = try scan(inputs, length: nil, scope, step)
            for (index, tensor) in results.enumerated() { step.set(index, .tensor(tensor)) }
            return
        }
        guard let batch = inputs[0].shape.first, inputs.allSatisfy({ $0.shape.first == batch }) else {
            throw OperatorError("the inputs have no common batch")
        }
        let lengths = try step.optional(0)?.integers()
        guard lengths.map({ $0.count == batch }) ?? true else {
            throw OperatorError("one length for each of the batch is wanted")
        }
        var results: [[Tensor]] = []
        for index in 0..<batch {
            let own = try inputs.map { try step.slice(of: $0, axis: 0, at: index) }
            results.append(try scan(own, length: lengths?[index], scope, step))
        }
        for index in body.outputs.indices {
            var parts = results.map { $0[index] }
            if index >= carriedCount { parts = try padded(parts, step) }
            step.set(index, .tensor(try step.stack(parts, axis: 0, emptyOf: .undeclared)))
        }
    }

    /// Stacked outputs of different lengths, filled up with zeros.
    private func padded(_ parts: [Tensor], _ step: Step) throws -> [Tensor] {
        let longest = parts.map { $0.shape.first ?? 0 }.max() ?? 0
        return try parts.map { part in
            var rest = part.shape
            rest[0] = longest - part.shape[0]
            guard rest[0] > 0 else { return part }
            let zeros = try step.context.budget.allocate(ValueType(part.elementType, rest))
            zeros.storage.bytes.initializeMemory(as: UInt8.self, repeating: 0)
            return try step.concatenate([part, zeros], axis: 0)
        }
    }

    private func scan(
        _ inputs: [Tensor], length: Int?, _ scope: [String: Value], _ step: Step
    ) throws -> [Tensor] {
        let scanned = Array(inputs[carriedCount...])
        let axes = try scanned.enumerated().map { try normalized(inputAxes?[$0] ?? 0, rank: $1.shape.count) }
        let sizes = zip(scanned, axes).map { $0.shape[$1] }
        guard let size = sizes.first, sizes.allSatisfy({ $0 == size }), (0...size).contains(length ?? size) else {
            throw OperatorError("the scanned inputs have \(sizes) slices")
        }
        let count = length ?? size
        var carried = inputs[..<carriedCount].map { Value.tensor($0) }
        var stacks = [[Tensor]](repeating: [], count: stackedCount)
        for position in 0..<count {
            try step.checkpoint()
            let slices = try scanned.indices.map { index -> Value in
                let place = inputDirections?[index] == 1 ? count - 1 - position : position
                return .tensor(try step.slice(of: scanned[index], axis: axes[index], at: place))
            }
            let results = try body.run(carried + slices, captured: scope, context: step.context)
            carried = Array(results[..<carriedCount])
            for index in stacks.indices {
                guard let tensor = results[carriedCount + index].tensor else {
                    throw OperatorError("the body's output \(carriedCount + index) is no tensor")
                }
                stacks[index].append(tensor)
            }
        }
        let stacked = try stacks.enumerated().map { index, tensors in
            let axis = try normalized(outputAxes?[index] ?? 0, rank: (tensors.first?.shape.count ?? 0) + 1)
            return try step.stack(
                outputDirections?[index] == 1 ? tensors.reversed() : tensors, axis: axis,
                emptyOf: body.outputTypes[carriedCount + index])
        }
        return try carried.map { value in
            guard let tensor = value.tensor else {
                throw OperatorError("the body hands on \(value.kind), not a tensor")
            }
            return tensor
        } + stacked
    }
}

extension Step {
    /// One slice of a tensor across an axis, without that axis.
    func slice(of tensor: Tensor, axis: Int, at position: Int) throws -> Tensor {
        try part(of: tensor, axis: axis, position..<position + 1).reshaped(
            to: Array(tensor.shape[..<axis]) + Array(tensor.shape[(axis + 1)...]))
    }

    /// A range of a tensor along an axis.
    func part(of tensor: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
        let layout = AxisLayout(tensor.shape, axis: axis)
        guard range.lowerBound >= 0, range.upperBound <= layout.size else {
            throw OperatorError("\(range) is outside axis \(axis) of \(ValueType(tensor))")
        }
        var shape = tensor.shape
        shape[axis] = range.count
        let result = try context.budget.allocate(ValueType(tensor.elementType, shape))
        let step = Step(
            name: name, operatorName: operatorName, inputs: [], outputs: [.tensor(result)], arity: 1, context: context)
        let width = range.count * layout.inner
        for row in 0..<layout.outer where width > 0 {
            let start = (row * layout.size + range.lowerBound) * layout.inner
            try step.copy(tensor, start..<start + width, to: 0, at: row * width)
        }
        return result
    }
}
