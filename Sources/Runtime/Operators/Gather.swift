/// Gather (opsets 1–13): the slices along one axis that a tensor of indices names.
struct Gather: WordOperator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 0)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let data = try inputs.required(0)
        let axis = try normalized(axis, rank: data.shape.count)
        return [
            ValueType(
                data.elementType,
                Array(data.shape[..<axis]) + (try inputs.required(1).shape) + data.shape[(axis + 1)...])
        ]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let data = try step.input(0)
        let slices = try AxisSlices(data.shape, axis: axis)
        try slices.gather(
            step, data.words(type), step.input(1).indices(below: slices.size),
            into: step.output(0).uncheckedMutableWords(type))
    }
}

/// GatherElements (opsets 11–13): single elements, from the place of each index but along one axis, where it says itself.
struct GatherElements: WordOperator {
    let axis: Int

    init(_ node: inout NodeReader) throws {
        axis = try node.int("axis", or: 0)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let data = try inputs.required(0)
        let indices = try inputs.required(1)
        _ = try ElementPlaces(indices: indices.shape, data: data.shape, axis: axis)
        return [ValueType(data.elementType, indices.shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let data = try step.input(0)
        let indexTensor = try step.input(1)
        let places = try ElementPlaces(indices: indexTensor.shape, data: data.shape, axis: axis)
        let indices = try indexTensor.indices(below: places.size)
        let source = try data.words(type)
        let target = try step.output(0).uncheckedMutableWords(type)
        try step.parallel(places.lineCount, grain: max(1, (1 << 14) / max(1, places.lineLength))) { range in
            for line in range {
                places.forEach(inLine: line, indices: indices) { position, place in target[position] = source[place] }
            }
        }
    }
}

/// Where the elements lie that GatherElements reads and ScatterElements writes.
struct ElementPlaces: Sendable {
    /// The size of the data's axis.
    let size: Int
    /// Indices along the last dimension, and how many such lines there are.
    let lineLength: Int
    let lineCount: Int
    private let axisStride: Int
    private let lineSizes: [Int]
    private let lineStrides: [Int]
    private let lastStride: Int

    /// - Throws: `OperatorError` unless the indices fit into the data in all dimensions but the axis.
    init(indices: [Int], data: [Int], axis: Int) throws {
        let axis = try normalized(axis, rank: data.count)
        guard indices.count == data.count, indices.indices.allSatisfy({ $0 == axis || indices[$0] <= data[$0] }) else {
            throw OperatorError("indices of shape \(indices) do not fit data of shape \(data) along axis \(axis)")
        }
        size = data[axis]
        lineLength = indices[indices.count - 1]
        lineCount = lineLength == 0 ? 0 : try elementCount(of: indices.dropLast())
        var own = strides(of: data)
        axisStride = own[axis]
        own[axis] = 0
        lineSizes = indices.dropLast()
        lineStrides = own.dropLast()
        lastStride = own[own.count - 1]
    }

    /// Calls `body` with the position of each index of a line and the place in the data that it names.
    @inline(__always)
    func forEach(inLine line: Int, indices: [Int], _ body: (_ position: Int, _ place: Int) -> Void) {
        var start = 0
        var rest = line
        for axis in lineSizes.indices.reversed() {
            start += rest % lineSizes[axis] * lineStrides[axis]
            rest /= lineSizes[axis]
        }
        for offset in 0..<lineLength {
            let position = line * lineLength + offset
            body(position, start + offset * lastStride + indices[position] * axisStride)
        }
    }
}

/// GatherND (opsets 11–13): the slices that tuples of indices name.
struct GatherND: WordOperator {
    let batchDimensions: Int

    init(_ node: inout NodeReader) throws {
        batchDimensions = node.opset < 12 ? 0 : try node.int("batch_dims", or: 0)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let data = try inputs.required(0)
        let indices = try inputs.required(1)
        let tuples = try IndexTuples(indices: indices.shape, data: data.shape, batchDimensions: batchDimensions)
        return [
            ValueType(data.elementType, indices.shape.dropLast() + data.shape[(batchDimensions + tuples.length)...])
        ]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let data = try step.input(0)
        let indices = try step.input(1)
        let tuples = try IndexTuples(indices: indices.shape, data: data.shape, batchDimensions: batchDimensions)
        let starts = try tuples.starts(indices)
        let source = try data.words(type)
        let target = try step.output(0).uncheckedMutableWords(type)
        let length = tuples.sliceLength
        guard target.count > 0 else { return }
        try step.parallel(starts.count, grain: max(1, (1 << 15) / length)) { range in
            for slice in range {
                target.copy(source, starts[slice]..<starts[slice] + length, to: slice * length)
            }
        }
    }
}

/// Tuples of indices, each of which names a slice of the data: what GatherND reads and ScatterND writes.
struct IndexTuples: Sendable {
    /// Indices in one tuple.
    let length: Int
    /// Elements of one slice.
    let sliceLength: Int
    /// The number of tuples.
    let count: Int
    private let sizes: [Int]
    private let ownStrides: [Int]
    private let perBatch: Int
    private let batchStride: Int

    /// - Throws: `OperatorError` unless the shapes fit.
    init(indices: [Int], data: [Int], batchDimensions: Int = 0) throws {
        guard let length = indices.last, batchDimensions >= 0, batchDimensions < indices.count,
            length <= data.count - batchDimensions, length >= 0,
            indices[..<batchDimensions] == data[..<batchDimensions]
        else {
            throw OperatorError(
                "indices of shape \(indices) do not fit data of shape \(data) with \(batchDimensions) batch dimensions")
        }
        self.length = length
        count = try elementCount(of: indices.dropLast())
        sizes = Array(data[batchDimensions..<batchDimensions + length])
        let all = strides(of: data)
        ownStrides = Array(all[batchDimensions..<batchDimensions + length])
        sliceLength = try elementCount(of: data[(batchDimensions + length)...])
        perBatch = try elementCount(of: indices[batchDimensions...].dropLast())
        batchStride = try elementCount(of: data[batchDimensions...])
    }

    /// The index of each slice's first element.
    /// - Throws: `OperatorError` that names an index outside the data.
    func starts(_ indices: Tensor) throws -> [Int] {
        guard indices.elementType == .int64 else {
            throw OperatorError("indices are \(indices.elementType.name), not int64")
        }
        let elements = try indices.elements(of: Int64.self)
        return try (0..<count).map { tuple in
            var start = tuple / perBatch * batchStride
            for (position, size) in sizes.enumerated() {
                let index = Int(elements[tuple * length + position])
                guard index >= -size, index < size else {
                    throw OperatorError("index \(index) is outside a dimension of \(size)")
                }
                start += (index < 0 ? index + size : index) * ownStrides[position]
            }
            return start
        }
    }
}

extension Gather: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let data = try node.input(0).shape()
            return try node.tape.append(
                GatherGradient(dataShape: data, axis: normalized(axis, rank: data.count)), "GatherGradient",
                [node.gradient(), node.input(1)])
        }
    }
}

extension GatherElements: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.tape.apply(
                "ScatterElements", [node.input(0).zeros(), node.input(1), node.gradient()],
                ["axis": .int(Int64(axis)), "reduction": .string(Array("add".utf8))])
        }
    }
}

extension GatherND: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        guard batchDimensions == 0 else { throw OperatorError("the gradient with batch dimensions is not known") }
        try node.contribute(to: 0) {
            try node.tape.apply(
                "ScatterND", [node.input(0).zeros(), node.input(1), node.gradient()],
                ["reduction": .string(Array("add".utf8))])
        }
    }
}
