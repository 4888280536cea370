/// Shape (opsets 1–25): the sizes of the dimensions from `start` to before `end`.
struct Shape: Operator {
    let start: Int
    let end: Int?

    init(_ node: inout NodeReader) throws {
        start = node.opset < 15 ? 0 : try node.int("start", or: 0)
        end = node.opset < 15 ? nil : try node.optionalInt("end")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.int64, [sizes(of: try inputs.required(0).shape).count])]
    }

    func valuesKnownFromTypes(_ inputs: [ValueInfo?]) throws -> [Tensor]? {
        let sizes = sizes(of: try inputs.required(0).shape)
        return [try Tensor(sizes.map { Int64($0) }, shape: [sizes.count])]
    }

    func run(_ step: inout Step) throws {
        let output = try step.mutableElements(0, of: Int64.self)
        for (index, size) in sizes(of: try step.input(0).shape).enumerated() { output[index] = Int64(size) }
    }

    private func sizes(of shape: [Int]) -> ArraySlice<Int> {
        func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? axis + shape.count : axis, 0), shape.count) }
        let first = clamped(start)
        return shape[first..<max(first, clamped(end ?? shape.count))]
    }
}

/// Size (opsets 1–25): the number of elements.
struct Size: Operator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        _ = try inputs.required(0)
        return [ValueType(.int64, [])]
    }

    func valuesKnownFromTypes(_ inputs: [ValueInfo?]) throws -> [Tensor]? {
        [Tensor(Int64(try elementCount(of: inputs.required(0).shape)))]
    }

    func run(_ step: inout Step) throws {
        try step.mutableElements(0, of: Int64.self)[0] = Int64(step.input(0).count)
    }
}
