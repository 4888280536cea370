import ONNXLoader

/// ConstantOfShape (opsets 9–25): a tensor of the shape that the input gives, filled with one value.
struct ConstantOfShape: Operator {
    let value: Tensor

    init(_ node: inout NodeReader) throws {
        value = try node.tensor("value") ?? Tensor([Float(0)], shape: [1])
        guard value.count == 1 else { throw OperatorError("attribute value has \(value.count) elements, not 1") }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(value.elementType, try inputs.integers(0))]
    }

    func run(_ step: inout Step) throws {
        let shape = try step.output(0).shape
        try step.copy(StridedCopy(shape: shape, sourceStrides: shape.map { _ in 0 }), from: value, to: 0)
    }
}

/// Range (opsets 11–25): `start + i · delta` for every i for which that lies before `limit`.
///
/// Floating-point values are computed in binary64 and rounded once.
struct RangeOperator: NumericOperator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let infos = try (0..<3).map { try inputs.required($0) }
        let elementType = infos[0].elementType
        guard infos.allSatisfy({ $0.elementType == elementType && $0.shape.allSatisfy { $0 == 1 } }) else {
            throw OperatorError("three numbers of one type are wanted, not \(infos.map(\.type))")
        }
        let values = try infos.map { info in
            guard let value = info.value else { throw DataDependentTypes() }
            return value
        }
        let count: Int
        if elementType.isFloatingPoint {
            let numbers = try values.map { try $0.converted(to: .float64).elements(of: Double.self)[0] }
            count = try Self.count(from: numbers[0], to: numbers[1], by: numbers[2])
        } else {
            let numbers = try values.map { try $0.integers()[0] }
            count = try Self.count(from: numbers[0], to: numbers[1], by: numbers[2])
        }
        return [ValueType(elementType, [count])]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let output = try step.mutableElements(0, of: type)
        let start = try step.elements(0, of: type)[0]
        let delta = try step.elements(2, of: type)[0]
        if Element.elementType.isFloatingPoint {
            for index in 0..<output.count {
                output[index] = Element(saturating: start.double + Double(index) * delta.double)
            }
        } else {
            var value = start
            for index in 0..<output.count {
                output[index] = value
                value = Element.wrappingSum(value, delta)
            }
        }
    }

    private static func count(from start: Double, to limit: Double, by delta: Double) throws -> Int {
        guard start.isFinite, limit.isFinite, delta.isFinite, delta != 0,
            let count = Int(exactly: max(0, ((limit - start) / delta).rounded(.up)))
        else { throw OperatorError("a range from \(start) to \(limit) by \(delta) has no length") }
        return count
    }

    private static func count(from start: Int, to limit: Int, by delta: Int) throws -> Int {
        guard delta != 0 else { throw OperatorError("a range from \(start) to \(limit) by 0 has no length") }
        guard delta > 0 ? limit > start : limit < start else { return 0 }
        let distance = UInt(bitPattern: delta > 0 ? limit &- start : start &- limit)
        guard let count = Int(exactly: (distance - 1) / delta.magnitude + 1) else {
            throw OperatorError("a range from \(start) to \(limit) by \(delta) has too many elements")
        }
        return count
    }
}

/// EyeLike (opsets 9–22): a matrix of the input's shape with ones on a diagonal, `k` above the main one.
struct EyeLike: Operator {
    let elementType: ElementType?
    let diagonal: Int

    init(_ node: inout NodeReader) throws {
        elementType = try node.elementType("dtype")
        diagonal = try node.int("k", or: 0)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count == 2 else { throw OperatorError("a matrix is wanted, not \(input.type)") }
        return [ValueType(elementType ?? input.elementType, input.shape)]
    }

    func run(_ step: inout Step) throws {
        let output = try step.output(0)
        let (rows, columns) = (output.shape[0], output.shape[1])
        let values = try Tensor([Float(0), 1], shape: [2]).converted(to: output.elementType)
        try step.copy(StridedCopy(shape: output.shape, sourceStrides: [0, 0]), from: values, to: 0)
        guard diagonal > -rows, diagonal < columns else { return }
        let (row, column) = (max(0, -diagonal), max(0, diagonal))
        try step.copy(
            StridedCopy(
                shape: [min(rows - row, columns - column)], sourceStart: 1, sourceStrides: [0],
                targetStart: row * columns + column, targetStrides: [columns + 1]), from: values, to: 0)
    }
}

extension ElementType {
    /// Whether it is a floating-point type that numbers are computed in.
    var isFloatingPoint: Bool { [.float32, .float64, .float16, .bfloat16].contains(self) }
}
