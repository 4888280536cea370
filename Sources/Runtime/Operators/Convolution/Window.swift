/// How a window slides over the spatial dimensions: what convolution and pooling share.
struct WindowAttributes: Sendable {
    enum AutoPad: String, CaseIterable {
        case explicit = "NOTSET", same = "SAME_UPPER", sameLower = "SAME_LOWER", valid = "VALID"
    }

    let autoPad: AutoPad
    /// Nil when the weights tell it.
    let kernel: [Int]?
    /// Nil for 1 everywhere.
    let strides: [Int]?
    let dilations: [Int]?
    /// Begins, then ends; nil for 0 everywhere.
    let padding: [Int]?

    init(_ node: inout NodeReader) throws {
        autoPad = try node.choice("auto_pad", or: .explicit)
        kernel = try node.optionalInts("kernel_shape")
        strides = try node.optionalInts("strides")
        dilations = try node.optionalInts("dilations")
        padding = try node.optionalInts("pads")
        for (name, values) in [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)] {
            guard values?.allSatisfy({ $0 >= 1 && $0 <= Int32.max }) ?? true else {
                throw OperatorError("attribute \(name) is \(values ?? []), but every size must be at least 1")
            }
        }
        guard padding?.allSatisfy({ $0.magnitude <= Int32.max.magnitude }) ?? true else {
            throw OperatorError("attribute pads is out of range: \(padding ?? [])")
        }
    }

    /// The window over given spatial sizes.
    /// - Parameter ceiling: whether a last, partial window counts (pooling's `ceil_mode`).
    func resolved(spatial: [Int], kernel weightKernel: [Int]? = nil, ceiling: Bool = false) throws -> Window {
        guard let kernel = kernel ?? weightKernel else { throw OperatorError("attribute kernel_shape is missing") }
        if let weightKernel, weightKernel != kernel {
            throw OperatorError("attribute kernel_shape is \(kernel), but the weights' is \(weightKernel)")
        }
        let rank = spatial.count
        let strides = strides ?? Array(repeating: 1, count: rank)
        let dilations = dilations ?? Array(repeating: 1, count: rank)
        guard (1...3).contains(rank), kernel.count == rank, strides.count == rank, dilations.count == rank,
            padding == nil || padding!.count == 2 * rank
        else {
            throw OperatorError(
                "\(rank) spatial dimensions, but kernel \(kernel), strides \(strides), dilations \(dilations), pads \(padding ?? [])"
            )
        }
        guard kernel.allSatisfy({ $0 >= 1 && $0 <= Int32.max }), spatial.allSatisfy({ $0 <= Int32.max }) else {
            throw OperatorError("sizes \(spatial) or kernel \(kernel) are out of range")
        }
        var begins: [Int] = []
        var ends: [Int] = []
        var output: [Int] = []
        for axis in 0..<rank {
            let extent = try (kernel[axis] - 1).multiplied(by: dilations[axis]) + 1
            var begin = 0
            var end = 0
            switch autoPad {
            case .explicit:
                begin = padding?[axis] ?? 0
                end = padding?[axis + rank] ?? 0
            case .valid: break
            case .same, .sameLower:
                let wanted = (spatial[axis] + strides[axis] - 1) / strides[axis]
                let total = max(0, (wanted - 1) * strides[axis] + extent - spatial[axis])
                begin = autoPad == .same ? total / 2 : total - total / 2
                end = total - begin
            }
            let room = spatial[axis] + begin + end - extent
            guard room >= 0 else {
                throw OperatorError(
                    "a window of \(extent) does not fit size \(spatial[axis]) padded by \(begin) and \(end)")
            }
            var count = room / strides[axis] + 1
            // A partial window counts unless it would start in the padding after the image.
            if ceiling, room % strides[axis] != 0, count * strides[axis] < spatial[axis] + begin { count += 1 }
            begins.append(begin)
            ends.append(end)
            output.append(count)
        }
        _ = try (elementCount(of: spatial), elementCount(of: output), elementCount(of: kernel))
        return Window(
            input: spatial, output: output, kernel: kernel, strides: strides, dilations: dilations, begins: begins,
            ends: ends)
    }
}

/// A window with every size known. One to three spatial dimensions.
struct Window: Sendable, Hashable {
    let input, output, kernel, strides, dilations, begins, ends: [Int]

    /// The same window over three dimensions: missing ones, in front, have size 1.
    var threeDimensional: Window {
        let missing = 3 - input.count
        func ones(_ values: [Int]) -> [Int] { Array(repeating: 1, count: missing) + values }
        func zeros(_ values: [Int]) -> [Int] { Array(repeating: 0, count: missing) + values }
        return Window(
            input: ones(input), output: ones(output), kernel: ones(kernel), strides: ones(strides),
            dilations: ones(dilations), begins: zeros(begins), ends: zeros(ends))
    }

    var inputCount: Int { input.reduce(1, *) }
    var outputCount: Int { output.reduce(1, *) }
    var kernelCount: Int { kernel.reduce(1, *) }

    /// Whether each output sees exactly the input at the same place.
    var isPointwise: Bool {
        kernel.allSatisfy { $0 == 1 } && strides.allSatisfy { $0 == 1 } && begins.allSatisfy { $0 == 0 }
            && ends.allSatisfy { $0 == 0 }
    }
}
