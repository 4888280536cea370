import ONNXLoader

/// GlobalAveragePool, GlobalMaxPool and GlobalLpPool: one number for each channel of each image.
struct GlobalPool: FloatingOperator {
    enum Kind: Sendable { case average, max, norm(Int) }

    let kind: Kind

    init(_ node: inout NodeReader) throws {
        switch node.node.operatorName {
        case "GlobalMaxPool": kind = .max
        case "GlobalLpPool": kind = .norm(try node.int("p", or: 2))
        default: kind = .average
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count >= 2 else { throw OperatorError("\(input.type) has no channels") }
        return [
            ValueType(input.elementType, input.shape[..<2] + Array(repeating: 1, count: input.shape.count - 2))
        ]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let spatial = shape[2...].reduce(1, *)
        try step.parallel(shape[0] * shape[1], grain: max(1, (1 << 16) / max(1, spatial))) { planes in
            for plane in planes {
                let range = plane * spatial..<(plane + 1) * spatial
                output[plane] = result(input, range)
            }
        }
    }

    private func result<Element: FloatingElement>(_ input: Elements<Element>, _ range: Range<Int>) -> Element {
        switch kind {
        case .average:
            if let input = input as? Elements<Float> {
                return Element(PoolingKernels.sum(input, range) / Float(range.count))
            }
            return Element(range.reduce(0.0) { $0 + Double(input[$1]) } / Double(range.count))
        case .max:
            return range.reduce(-Element.infinity) { $1 < input.count && !(input[$1] <= $0) ? input[$1] : $0 }
        case .norm(let order):
            var norm = Norm(order: order)
            for index in range { norm.add(Double(input[index])) }
            return Element(norm.value)
        }
    }
}

extension GlobalPool: DifferentiableOperator {
    /// Of equal maxima, each gets an equal share.
    func gradient(_ node: GradientNode) throws {
        try node.contribute(to: 0) {
            let (x, y, gradient) = (try node.input(0), try node.output(0), try node.gradient())
            let shape = try x.shape()
            switch kind {
            case .average: return try (gradient / Double(shape[2...].reduce(1, *))).expanded(to: shape)
            case .max:
                let isLargest = try (x == y).asNumbers(like: x)
                return try gradient / isLargest.sum(over: Array(2..<shape.count)) * isLargest
            case .norm(let order):
                let share = try (y > 0).keep(gradient * node.tape.apply("Pow", [y, y.number(Double(1 - order))]))
                let magnitude = try node.tape.apply("Pow", [x.apply("Abs"), x.number(Double(order - 1))])
                return try share * x.apply("Sign") * magnitude
            }
        }
    }
}
