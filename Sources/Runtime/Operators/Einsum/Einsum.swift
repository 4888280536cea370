import ONNXLoader

/// Einsum (opset 12): products of elements, summed over the labels that the result does not name.
///
/// Several operands are contracted from the left, two at a time; two floating-point ones as matrix products.
struct Einsum: NumericOperator {
    let equation: EinsumEquation

    init(_ node: inout NodeReader) throws {
        equation = try EinsumEquation(node.string("equation"))
    }

    var kernelName: String { equation.operandCount == 2 ? "gemm" : "direct" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let infos = try inputs.indices.map { try inputs.required($0) }
        guard let first = infos.first, infos.allSatisfy({ $0.elementType == first.elementType }) else {
            throw OperatorError("operands of one type are wanted, not \(infos.map(\.type))")
        }
        let labels = try equation.labels(for: infos.map(\.shape))
        _ = try elementCount(of: labels.sizes.values)
        return [ValueType(first.elementType, labels.resultShape)]
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int {
        guard let labels = try? equation.labels(for: inputs.map { $0?.shape ?? [] }) else { return 0 }
        return saturatingProduct(labels.sizes.values)
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let tensors = try (0..<step.inputCount).map { try step.input($0) }
        let labels = try equation.labels(for: tensors.map(\.shape))
        let output = try step.output(0)
        guard !labels.sizes.values.contains(0) else {
            return try output.uncheckedMutableElements(of: type).clear(0..<output.count)
        }
        var operands = zip(tensors, labels.operands).map { LabelledTensor($0, labels: $1, sizes: labels.sizes) }
        while operands.count > 2 {
            let rest = Set(operands[2...].flatMap(\.labels) + labels.result)
            let pair = Array(operands[..<2])
            let kept = (pair[0].labels + pair[1].labels.filter { !pair[0].labels.contains($0) }).filter(rest.contains)
            let product = try LabelledTensor(
                step.context.budget.allocate(ValueType(Element.elementType, kept.map { labels.sizes[$0] ?? 1 })),
                labels: kept, sizes: labels.sizes)
            try contract(step, pair, into: product, labels.sizes, type)
            operands[..<2] = [product]
        }
        try contract(
            step, operands, into: LabelledTensor(output, labels: labels.result, sizes: labels.sizes), labels.sizes, type
        )
    }

    /// Writes the contraction of one or two operands.
    private func contract<Element: NumericElement>(
        _ step: Step, _ operands: [LabelledTensor], into result: LabelledTensor, _ sizes: [Int: Int],
        _ type: Element.Type
    ) throws {
        if operands.count == 1, Set(operands[0].labels) == Set(result.labels) {
            return try step.copy(
                StridedCopy(
                    shape: result.tensor.shape, sourceStrides: result.labels.map { operands[0].stride($0) }),
                from: operands[0].tensor, to: result.tensor)
        }
        if operands.count == 2, let type = type as? any FloatingElement.Type {
            return try MatrixContraction(sizes: sizes).run(step, operands[0], operands[1], into: result, type)
        }
        try sumOfProducts(step, operands, into: result, sizes, type)
    }
}

/// A tensor with a label for each dimension. A label that occurs twice walks along the diagonal, one whose size is larger
/// than the tensor's repeats it.
struct LabelledTensor: Sendable {
    let tensor: Tensor
    /// Each once, in the order of the dimensions.
    private(set) var labels: [Int] = []
    private var strideOfLabel: [Int: Int] = [:]

    init(_ tensor: Tensor, labels: [Int], sizes: [Int: Int]) {
        self.tensor = tensor
        for (axis, (label, stride)) in zip(labels, strides(of: tensor.shape)).enumerated() {
            let stride = tensor.shape[axis] == sizes[label] ? stride : 0
            if strideOfLabel[label] == nil { self.labels.append(label) }
            strideOfLabel[label, default: 0] += stride
        }
    }

    /// Elements from one index of a label to the next; 0 for a label that the tensor does not have.
    func stride(_ label: Int) -> Int { strideOfLabel[label] ?? 0 }

    func has(_ label: Int) -> Bool { strideOfLabel[label] != nil }
}

/// Every element of the result by itself: the sum over the labels that it does not have.
func sumOfProducts<Element: NumericElement>(
    _ step: Step, _ operands: [LabelledTensor], into result: LabelledTensor, _ sizes: [Int: Int], _ type: Element.Type
) throws {
    var summed: [Int] = []
    for label in operands.flatMap(\.labels) where !result.has(label) && !summed.contains(label) { summed.append(label) }
    let elements = try operands.map { try $0.tensor.elements(of: type) }
    let output = try result.tensor.uncheckedMutableElements(of: type)
    let inner = Odometer(summed, sizes, operands)
    let outer = Odometer(result.labels, sizes, operands)
    try step.parallel(outer.count, grain: max(1, (1 << 14) / inner.count)) { range in
        var starts = [Int](repeating: 0, count: operands.count)
        for position in range {
            outer.places(of: position, &starts)
            output[position] = inner.sum(elements, from: starts)
        }
    }
}

/// The places in several tensors that the indices of some labels stand for, in row-major order.
private struct Odometer: Sendable {
    let count: Int
    private let sizes: [Int]
    /// By operand, then by label.
    private let strides: [[Int]]

    init(_ labels: [Int], _ sizes: [Int: Int], _ operands: [LabelledTensor]) {
        self.sizes = labels.map { sizes[$0] ?? 1 }
        count = self.sizes.reduce(1, *)
        strides = operands.map { operand in labels.map { operand.stride($0) } }
    }

    func places(of position: Int, _ places: inout [Int]) {
        for operand in places.indices { places[operand] = 0 }
        var rest = position
        for axis in sizes.indices.reversed() {
            let index = rest % sizes[axis]
            rest /= sizes[axis]
            for operand in places.indices { places[operand] += index * strides[operand][axis] }
        }
    }

    /// The sum of products over all indices.
    func sum<Element: NumericElement>(_ elements: [Elements<Element>], from starts: [Int]) -> Element {
        var sum = Element.zero
        var places = starts
        let line = sizes.last ?? 1
        for position in stride(from: 0, to: count, by: line) {
            self.places(of: position, &places)
            if elements.count == 2 {
                let (first, second) = (starts[0] + places[0], starts[1] + places[1])
                let (firstStep, secondStep) = (strides[0].last ?? 0, strides[1].last ?? 0)
                for index in 0..<line {
                    sum = wrappingMultiplyAdd(
                        sum, elements[0][first + index * firstStep], elements[1][second + index * secondStep])
                }
            } else {
                let first = starts[0] + places[0]
                let step = strides[0].last ?? 0
                for index in 0..<line { sum = Element.wrappingSum(sum, elements[0][first + index * step]) }
            }
        }
        return sum
    }
}

extension Einsum: DifferentiableOperator {
    /// Each operand's gradient is a contraction too: of the result's gradient with the other operands.
    func gradient(_ node: GradientNode) throws {
        let operands = try (0..<node.inputCount).map { try node.input($0) }
        let labels = try equation.labels(for: operands.map { try $0.shape() })
        for index in operands.indices {
            let own = labels.operands[index]
            guard Set(own).count == own.count || !node.wants(index) else {
                throw OperatorError("the gradient of a term that names a label twice is not known")
            }
            try node.contribute(to: index) {
                let others = operands.indices.filter { $0 != index }
                let terms = [labels.result] + others.map { labels.operands[$0] }
                let known = Set(terms.joined())
                let kept = own.filter(known.contains)
                var gradient = try node.tape.apply(
                    "Einsum", [node.gradient()] + others.map { operands[$0] },
                    ["equation": .string(Array(EinsumEquation.text(terms, result: kept).utf8))])
                // What only this operand names was summed: its gradient repeats along it.
                for (axis, label) in own.enumerated() where !known.contains(label) {
                    gradient = try gradient.unsqueezed(axis)
                }
                return try gradient.expanded(to: own.map { labels.sizes[$0] ?? 1 })
            }
        }
    }
}
