import ONNXLoader

/// Looks at how values of a graph were made.
struct PatternFinder {
    private let graph: OperatorGraph
    private let keep: Set<String>
    private let producers: [String: Int]
    private let readers: [String: Int]

    init(_ graph: OperatorGraph, keep: Set<String>) {
        self.graph = graph
        self.keep = keep
        var producers: [String: Int] = [:]
        for (position, element) in graph.elements.enumerated() {
            for output in element.outputs { producers[output] = position }
        }
        self.producers = producers
        readers = graph.consumers().mapValues(\.count)
    }

    /// The element that makes a value.
    /// - Parameter isInner: whether the value must be read once only, and not be kept.
    func producer(of value: String, isInner: Bool = false) -> OperatorGraph.Element? {
        if isInner, keep.contains(value) || readers[value] != 1 { return nil }
        return producers[value].map { graph.elements[$0] }
    }

    /// How often a value is read; nil when it must stay.
    func readerCount(of value: String) -> Int? { keep.contains(value) ? nil : readers[value] ?? 0 }

    /// The element that makes a value by one of the four arithmetic operations on two.
    func arithmetic(
        _ value: String, _ function: Arithmetic.Function, isInner: Bool = false
    ) -> OperatorGraph.Element? {
        guard let element = producer(of: value, isInner: isInner),
            let operation = element.operation as? Arithmetic, operation.function == function,
            element.node.inputs.count == 2
        else { return nil }
        return element
    }

    /// The value of a constant with one element.
    func scalar(_ value: String) -> Double? {
        guard let constant = graph.constants[value], constant.count == 1, constant.elementType.isFloatingPoint else {
            return nil
        }
        return (try? constant.doubles())?.first
    }

    /// A value that is another one multiplied by a number, or divided by one: the other, and the factor.
    func scaled(_ value: String) -> (source: String, factor: Double)? {
        if let product = arithmetic(value, .multiply) {
            let inputs = product.node.inputs
            if let factor = scalar(inputs[1]) { return (inputs[0], factor) }
            if let factor = scalar(inputs[0]) { return (inputs[1], factor) }
        }
        if let quotient = arithmetic(value, .divide), let divisor = scalar(quotient.node.inputs[1]) {
            return (quotient.node.inputs[0], 1 / divisor)
        }
        return nil
    }
}
