import ONNXLoader

/// NonZero (opsets 9–13): the coordinates of elements that are not zero, one column for each, in row-major order.
struct NonZero: Operator {
    init(_ node: inout NodeReader) throws {}

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        guard let value = try inputs.required(0).value else { throw DataDependentTypes() }
        return [ValueType(.int64, [value.shape.count, try value.nonZeroPositions().count])]
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let positions = try input.nonZeroPositions()
        let output = try step.mutableElements(0, of: Int64.self)
        guard output.count == input.shape.count * positions.count else { throw OperatorError("the input changed") }
        for (column, position) in positions.enumerated() {
            var rest = position
            for axis in input.shape.indices.reversed() {
                output[axis * positions.count + column] = Int64(rest % input.shape[axis])
                rest /= input.shape[axis]
            }
        }
    }
}

extension Tensor {
    /// Positions of elements that differ from zero; -0.0 does not, the empty string does not.
    fileprivate func nonZeroPositions() throws -> [Int] {
        func positions<Word: IntegerElement>(_ type: Word.Type) throws -> [Int] {
            let words = try words(type)
            // A float is zero whatever its sign bit.
            let mask = elementType.isFloatingPoint ? ~(Word(1) << (Word.bitWidth - 1)) : ~0
            return (0..<count).filter { words[$0] & mask != 0 }
        }
        switch elementType {
        case .bool, .int8, .uint8: return try positions(UInt8.self)
        case .float16, .bfloat16, .int16, .uint16: return try positions(UInt16.self)
        case .float32, .int32, .uint32: return try positions(UInt32.self)
        case .float64, .int64, .uint64: return try positions(UInt64.self)
        case .string: return strings.indices.filter { !strings[$0].isEmpty }
        default: throw OperatorError("\(elementType.name) is not supported")
        }
    }
}

/// Compress (opsets 9–11): the slices along one axis, or the elements, for which a condition holds.
struct Compress: WordOperator {
    let axis: Int?

    init(_ node: inout NodeReader) throws {
        axis = try node.optionalInt("axis")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard let condition = try inputs.required(1).value else { throw DataDependentTypes() }
        let slices = try AxisSlices(input.shape, axis: axis)
        var shape = input.shape
        let count = try selected(condition, of: slices.size).count
        if let axis { shape[try normalized(axis, rank: shape.count)] = count } else { shape = [count] }
        return [ValueType(input.elementType, shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let input = try step.input(0)
        let slices = try AxisSlices(input.shape, axis: axis)
        try slices.gather(
            step, input.words(type), selected(step.input(1), of: slices.size),
            into: step.output(0).uncheckedMutableWords(type))
    }

    private func selected(_ condition: Tensor, of size: Int) throws -> [Int] {
        let flags = try condition.elements(of: Bool.self)
        let selected = flags.indices.filter { flags[$0] }
        if let last = selected.last, last >= size {
            throw OperatorError("the condition selects index \(last) of a dimension of \(size)")
        }
        return selected
    }
}

/// Unique (opset 11): the distinct elements, or slices along one axis, with where each occurs first, which of them every
/// element is, and how often each occurs. A NaN equals another and comes last.
struct Unique: Operator {
    let axis: Int?
    let isSorted: Bool

    init(_ node: inout NodeReader) throws {
        axis = try node.optionalInt("axis")
        isSorted = try node.flag("sorted", or: true)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        _ = try AxisSlices(inputs.required(0).shape, axis: axis)
        throw DataDependentTypes()
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        let slices = try AxisSlices(input.shape, axis: axis)
        let groups = try groups(input, slices)
        let firsts = groups.map { $0[0] }
        var shape = input.shape
        if let axis { shape[try normalized(axis, rank: shape.count)] = firsts.count } else { shape = [firsts.count] }
        _ = try step.allocate(0, ValueType(input.elementType, shape))
        for outer in 0..<slices.outer {
            for (position, first) in firsts.enumerated() {
                let start = (outer * slices.size + first) * slices.inner
                try step.copy(
                    input, start..<start + slices.inner, to: 0, at: (outer * firsts.count + position) * slices.inner)
            }
        }
        var inverse = [Int64](repeating: 0, count: slices.size)
        for (number, group) in groups.enumerated() {
            for member in group { inverse[member] = Int64(number) }
        }
        step.set(1, .tensor(try Tensor(firsts.map { Int64($0) }, shape: [firsts.count])))
        step.set(2, .tensor(try Tensor(inverse, shape: [inverse.count])))
        step.set(3, .tensor(try Tensor(groups.map { Int64($0.count) }, shape: [groups.count])))
    }

    /// Members of each class of equal slices in ascending order; the classes sorted or in order of occurrence.
    private func groups(_ input: Tensor, _ slices: AxisSlices) throws -> [[Int]] {
        switch input.elementType {
        case .float32: return try groups(input.elements(of: Float.self), slices) { $0 < $1 || $1.isNaN && !$0.isNaN }
        case .float64: return try groups(input.elements(of: Double.self), slices) { $0 < $1 || $1.isNaN && !$0.isNaN }
        case .float16, .bfloat16: return try groups(input.converted(to: .float32), slices)
        case .int64: return try groups(input.elements(of: Int64.self), slices, <)
        case .int32: return try groups(input.elements(of: Int32.self), slices, <)
        case .int16: return try groups(input.elements(of: Int16.self), slices, <)
        case .int8: return try groups(input.elements(of: Int8.self), slices, <)
        case .uint64: return try groups(input.elements(of: UInt64.self), slices, <)
        case .uint32: return try groups(input.elements(of: UInt32.self), slices, <)
        case .uint16: return try groups(input.elements(of: UInt16.self), slices, <)
        case .uint8: return try groups(input.elements(of: UInt8.self), slices, <)
        case .bool: return try groups(input.words(UInt8.self), slices, <)
        case .string:
            // By code points, as numpy compares; `<` on strings would take canonically equivalent ones for equal.
            return groups(input.strings.map { Array($0.utf8) }, slices) { $0.lexicographicallyPrecedes($1) }
        default: throw OperatorError("\(input.elementType.name) is not supported")
        }
    }

    private func groups<Source: RandomAccessCollection<Key>, Key>(
        _ keys: Source, _ slices: AxisSlices, _ precedes: (Key, Key) -> Bool
    ) -> [[Int]] where Source.Index == Int {
        let length = slices.outer * slices.inner
        /// Negative, zero or positive, as the first slice comes before, is, or comes after the second.
        func order(_ first: Int, _ second: Int) -> Int {
            for element in 0..<length {
                let place = element / slices.inner * slices.size * slices.inner + element % slices.inner
                let left = keys[place + first * slices.inner]
                let right = keys[place + second * slices.inner]
                if precedes(left, right) { return -1 }
                if precedes(right, left) { return 1 }
            }
            return 0
        }
        let sorted = (0..<slices.size).sorted { first, second in
            let order = order(first, second)
            return order == 0 ? first < second : order < 0
        }
        var groups: [[Int]] = []
        for slice in sorted {
            if let last = groups.last, order(last[0], slice) == 0 {
                groups[groups.count - 1].append(slice)
            } else {
                groups.append([slice])
            }
        }
        return isSorted ? groups : groups.sorted { $0[0] < $1[0] }
    }
}

/// A tensor as slices along one axis, or as single elements where there is no axis.
struct AxisSlices: Sendable {
    let outer, size, inner: Int

    init(_ shape: [Int], axis: Int?) throws {
        guard let axis else {
            (outer, size, inner) = (1, try elementCount(of: shape), 1)
            return
        }
        let index = try normalized(axis, rank: shape.count)
        outer = try elementCount(of: shape[..<index])
        size = shape[index]
        inner = try elementCount(of: shape[(index + 1)...])
    }

    /// Copies the slices of the given indices, one after another.
    func gather<Word: TensorElement>(
        _ step: Step, _ source: Elements<Word>, _ indices: [Int], into target: MutableElements<Word>
    ) throws {
        guard target.count > 0 else { return }
        try step.parallel(outer * indices.count, grain: max(1, (1 << 15) / inner)) { range in
            for slice in range {
                let start = (slice / indices.count * size + indices[slice % indices.count]) * inner
                if inner == 1 {
                    target[slice] = source[start]
                } else {
                    target.copy(source, start..<start + inner, to: slice * inner)
                }
            }
        }
    }
}
