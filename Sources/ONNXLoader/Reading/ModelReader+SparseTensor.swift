extension ModelReader {
    /// A sparse tensor as a dense one; nil when something is wrong with it, which is noted.
    func sparseTensor(_ message: Message, at location: String) -> ConstantTensor? {
        typealias Field = Fields.SparseTensor
        guard let valuesMessage = message.child(Field.values), let indicesMessage = message.child(Field.indices) else {
            problems.add(.tensor, at: location, "is sparse and lacks its values or its indices")
            return nil
        }
        guard let values = tensor(valuesMessage, at: joined(location, "values")),
            let indices = tensor(indicesMessage, at: joined(location, "indices"))
        else { return nil }
        do {
            let shape = message.int64s(Field.dimensions).map { Int($0) }
            let count = try ConstantTensor.count(of: shape)
            let positions = try Self.positions(indices, shape: shape, count: count, valueCount: values.count)
            return try dense(values, at: positions, shape: shape, count: count)
        } catch let failure as TensorFailure {
            problems.add(failure.kind, at: location, failure.message)
        } catch {
            problems.add(.tensor, at: location, "\(error)")
        }
        return nil
    }

    /// Row-major positions of the values, ascending: from linear indices `[n]` or from coordinates `[n, rank]`.
    private static func positions(
        _ indices: ConstantTensor, shape: [Int], count: Int, valueCount: Int
    ) throws -> [Int] {
        let isLinear = indices.shape == [valueCount]
        guard indices.elementType == .int64, case .bytes(let region) = indices.payload,
            isLinear || indices.shape == [valueCount, shape.count]
        else {
            throw TensorFailure(
                "is sparse with \(valueCount) values of shape \(described(shape)) and "
                    + "\(indices.elementType.name) indices of shape \(described(indices.shape))")
        }
        let sizes = isLinear ? [count] : shape
        return try region.withUnsafeBytes { bytes in
            var previous = -1
            return try (0..<valueCount).map { value in
                var position = 0
                for (axis, size) in sizes.enumerated() {
                    let offset = (value * sizes.count + axis) * 8
                    let index = Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)))
                    guard index >= 0, index < size else {
                        throw TensorFailure("is sparse with the index \(index) for a dimension of \(size)")
                    }
                    // Below the number of elements, which is not zero here: every size is above its index.
                    position = position * size + index
                }
                guard position > previous else { throw TensorFailure("is sparse with indices that do not ascend") }
                previous = position
                return position
            }
        }
    }

    private func dense(
        _ values: ConstantTensor, at positions: [Int], shape: [Int], count: Int
    ) throws -> ConstantTensor {
        guard values.shape == [values.count] else {
            throw TensorFailure("is sparse with values of shape \(described(values.shape)) instead of one dimension")
        }
        // A string takes eight bytes before it has any contents.
        let byteCount = (values.elementType == .string ? .int64 : values.elementType).byteCount(of: count)
        guard let byteCount, byteCount <= limits.denseBytes - denseBytes else {
            throw TensorFailure(
                "is sparse of shape \(described(shape)); all sparse tensors together exceed the limit of "
                    + "\(limits.denseBytes) bytes when dense")
        }
        denseBytes += byteCount
        switch values.payload {
        case .strings(let strings):
            var elements = [[UInt8]](repeating: [], count: count)
            for (position, string) in zip(positions, strings) { elements[position] = string }
            return try ConstantTensor(elementType: .string, shape: shape, payload: .strings(elements))
        case .bytes(let source):
            let bitWidth = values.elementType.bitWidth ?? 8
            let region = ByteRegion(count: byteCount) { target in
                source.withUnsafeBytes { source in
                    for (value, position) in positions.enumerated() {
                        Self.copyElement(value, of: source, to: position, of: target, bitWidth: bitWidth)
                    }
                }
            }
            return try ConstantTensor(
                elementType: values.elementType, shape: shape, payload: .bytes(region),
                documentation: values.documentation)
        }
    }

    private static func copyElement(
        _ value: Int, of source: UnsafeRawBufferPointer, to position: Int, of target: UnsafeMutableRawBufferPointer,
        bitWidth: Int
    ) {
        if bitWidth >= 8 {
            let width = bitWidth / 8
            for byte in 0..<width { target[position * width + byte] = source[value * width + byte] }
        } else {
            let perByte = 8 / bitWidth
            let mask = UInt8(1) << UInt8(bitWidth) - 1
            let bits = source[value / perByte] >> UInt8(value % perByte * bitWidth) & mask
            target[position / perByte] |= bits << UInt8(position % perByte * bitWidth)
        }
    }
}
