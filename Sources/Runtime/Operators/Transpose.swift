import ONNXLoader

/// Transpose (opsets 1–25): the dimensions in another order, reversed by default.
struct Transpose: MovementOperator {
    let permutation: [Int]?

    init(_ node: inout NodeReader) throws {
        permutation = try node.optionalInts("perm")
    }

    init(permutation: [Int]) { self.permutation = permutation }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let permutation = try permutation(rank: input.shape.count)
        return [ValueType(input.elementType, permutation.map { input.shape[$0] })]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        try step.copy(
            StridedCopy(transposing: input.shape, permutation(rank: input.shape.count)), from: input, to: 0)
    }

    private func permutation(rank: Int) throws -> [Int] {
        guard let permutation else { return (0..<rank).reversed() }
        guard permutation.sorted() == Array(0..<rank) else {
            throw OperatorError("\(permutation) is no order of \(rank) dimensions")
        }
        return permutation
    }
}

/// DepthToSpace (opsets 1–13): channels spread over `blockSize`² pixels.
struct DepthToSpace: MovementOperator {
    /// Which part of the channel's index is the position in a block: the first (depth, column, row) or the last.
    enum Mode: String, CaseIterable { case depthLast = "DCR", depthFirst = "CRD" }

    let blockSize: Int
    let mode: Mode

    init(_ node: inout NodeReader) throws {
        blockSize = try node.int("blocksize")
        mode = node.opset < 11 ? .depthLast : try node.choice("mode", or: .depthLast)
        try check(blockSize: blockSize)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        let area = try blockSize.multiplied(by: blockSize)
        guard input.shape.count == 4, input.shape[1] % area == 0 else {
            throw OperatorError("\(input.type) has no channels for blocks of \(blockSize)×\(blockSize)")
        }
        return [
            ValueType(
                input.elementType,
                [
                    input.shape[0], input.shape[1] / area, try input.shape[2].multiplied(by: blockSize),
                    try input.shape[3].multiplied(by: blockSize),
                ])
        ]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        guard input.count > 0 else { return }
        let (batch, depth, height, width) = (
            input.shape[0], try step.output(0).shape[1], input.shape[2], input.shape[3]
        )
        let copy =
            switch mode {
            case .depthLast:
                StridedCopy(transposing: [batch, blockSize, blockSize, depth, height, width], [0, 3, 4, 1, 5, 2])
            case .depthFirst:
                StridedCopy(transposing: [batch, depth, blockSize, blockSize, height, width], [0, 1, 4, 2, 5, 3])
            }
        try step.copy(copy, from: input, to: 0)
    }
}

/// SpaceToDepth (opsets 1–13): blocks of `blockSize`² pixels moved into channels.
struct SpaceToDepth: MovementOperator {
    let blockSize: Int
    let mode: DepthToSpace.Mode

    init(_ node: inout NodeReader) throws {
        blockSize = try node.int("blocksize")
        mode = try node.choice("mode", or: .depthLast)
        try check(blockSize: blockSize)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count == 4, input.shape[2] % blockSize == 0, input.shape[3] % blockSize == 0 else {
            throw OperatorError("\(input.type) does not divide into blocks of \(blockSize)×\(blockSize)")
        }
        let depth = try input.shape[1].multiplied(by: blockSize).multiplied(by: blockSize)
        return [
            ValueType(
                input.elementType, [input.shape[0], depth, input.shape[2] / blockSize, input.shape[3] / blockSize])
        ]
    }

    func move(_ step: inout Step) throws {
        let input = try step.input(0)
        let output = try step.output(0).shape
        guard input.count > 0 else { return }
        let blocks = [input.shape[0], input.shape[1], output[2], blockSize, output[3], blockSize]
        let permutation = mode == .depthLast ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
        try step.copy(StridedCopy(transposing: blocks, permutation), from: input, to: 0)
    }
}

private func check(blockSize: Int) throws {
    guard blockSize > 0 else { throw OperatorError("attribute blocksize is \(blockSize), but must be positive") }
}

extension Transpose: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let gradient = try node.gradient()
            guard let permutation else { return try gradient.apply("Transpose") }
            let inverse = permutation.indices.map { axis in permutation.firstIndex(of: axis) ?? axis }
            return try gradient.transposed(inverse)
        }
    }
}

extension DepthToSpace: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) { try node.gradient().apply("SpaceToDepth", attributes) }
    }

    private var attributes: [String: Attribute] {
        ["blocksize": .int(Int64(blockSize)), "mode": .string(Array(mode.rawValue.utf8))]
    }
}

extension SpaceToDepth: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            try node.gradient().apply(
                "DepthToSpace",
                ["blocksize": .int(Int64(blockSize)), "mode": .string(Array(mode.rawValue.utf8))])
        }
    }
}
