import ONNXLoader

/// `Loop`: a graph, run until its condition or a number of trips ends it. Values that a trip gives go into the next one;
/// others are stacked.
struct LoopOperator: ControlFlowOperator {
    let body: Subgraph
    let captured: [String]

    init(_ node: inout NodeReader) throws {
        body = try node.subgraph("body")
        captured = node.captured
        guard body.inputs.count >= 2, body.outputs.count >= body.inputs.count - 1 else {
            throw OperatorError(
                "the body has \(body.inputs.count) inputs and \(body.outputs.count) outputs; it takes the trip, the condition"
                    + " and what it hands on, and gives the last two again")
        }
    }

    func run(_ step: inout Step) throws {
        let carriedCount = body.inputs.count - 2
        guard declaredInputs(step) == carriedCount + 2 else {
            throw OperatorError("the body hands on \(carriedCount) values, the node \(declaredInputs(step) - 2)")
        }
        let trips = try step.optional(0).map { try Self.trips($0) }
        var carried = try (0..<carriedCount).map { index -> Value in
            guard let value = step.value(index + 2) else { throw OperatorError("input \(index + 2) is required") }
            return value
        }
        var goesOn = try step.value(1).map(condition) ?? true
        let scope = scope(step)
        var stacks = [[Tensor]](repeating: [], count: body.outputs.count - 1 - carriedCount)
        var trip = 0
        while goesOn, trips.map({ trip < $0 }) ?? true {
            try step.checkpoint()
            let results = try body.run(
                [.tensor(Tensor(Int64(trip))), .tensor(Tensor(goesOn))] + carried, captured: scope,
                context: step.context)
            goesOn = try condition(results[0])
            carried = Array(results[1..<1 + carriedCount])
            for index in stacks.indices {
                guard let tensor = results[1 + carriedCount + index].tensor else {
                    throw OperatorError(
                        "the body's output \(1 + carriedCount + index) is no tensor and cannot be stacked")
                }
                stacks[index].append(tensor)
            }
            trip += 1
        }
        for (index, value) in carried.enumerated() { step.set(index, value) }
        for (index, tensors) in stacks.enumerated() where step.arity > carriedCount + index {
            let stacked = try step.stack(tensors, axis: 0, emptyOf: body.outputTypes[1 + carriedCount + index])
            step.set(carriedCount + index, .tensor(stacked))
        }
    }

    private static func trips(_ tensor: Tensor) throws -> Int {
        guard let value = try tensor.integers().first, tensor.count == 1 else {
            throw OperatorError("the number of trips is \(ValueType(tensor)), not one integer")
        }
        return value
    }
}

extension Step {
    /// Tensors of one type along a new axis.
    ///
    /// - Parameter kind: what the tensors are declared as, for the result without any.
    func stack(_ tensors: [Tensor], axis: Int, emptyOf kind: ValueDeclaration.Kind) throws -> Tensor {
        guard let first = tensors.first else {
            guard case .tensor(let elementType, let shape) = kind else {
                throw OperatorError("nothing was stacked, and its type is not declared")
            }
            var sizes = (shape ?? []).map { if case .fixed(let size) = $0 { max(0, size) } else { 0 } }
            sizes.insert(0, at: min(axis, sizes.count))
            return try context.budget.allocate(ValueType(elementType, sizes))
        }
        guard tensors.allSatisfy({ ValueType($0) == ValueType(first) }) else {
            throw OperatorError("tensors of different types cannot be stacked")
        }
        return try concatenate(tensors.map { try $0.reshaped(to: $0.shape.inserting(1, at: axis)) }, axis: axis)
    }

    /// Tensors of one element type and rank along an existing axis.
    func concatenate(_ tensors: [Tensor], axis: Int) throws -> Tensor {
        guard let first = tensors.first else { throw OperatorError("there is nothing to concatenate") }
        var shape = first.shape
        guard shape.indices.contains(axis) else {
            throw OperatorError("\(ValueType(first)) has no axis \(axis)")
        }
        shape[axis] = 0
        for tensor in tensors {
            var other = tensor.shape
            guard other.count == shape.count, tensor.elementType == first.elementType else {
                throw OperatorError("\(ValueType(tensor)) does not fit \(ValueType(first))")
            }
            let (sum, overflow) = shape[axis].addingReportingOverflow(other[axis])
            other[axis] = first.shape[axis]
            guard other == first.shape, !overflow else {
                throw OperatorError("\(ValueType(tensor)) does not fit \(ValueType(first)) along axis \(axis)")
            }
            shape[axis] = sum
        }
        let result = try context.budget.allocate(ValueType(first.elementType, shape))
        var step = Step(
            name: name, operatorName: operatorName, inputs: [], outputs: [.tensor(result)], arity: 1, context: context)
        let outer = first.shape[..<axis].reduce(1, *)
        var position = 0
        for row in 0..<outer {
            for tensor in tensors {
                let length = tensor.count / max(1, outer)
                try step.copy(tensor, row * length..<(row + 1) * length, to: 0, at: position)
                position += length
            }
        }
        step.set(0, .tensor(result))
        return result
    }
}

extension [Int] {
    /// With one more element before a position.
    func inserting(_ element: Int, at position: Int) -> [Int] {
        Array(self[..<position]) + [element] + Array(self[position...])
    }
}
