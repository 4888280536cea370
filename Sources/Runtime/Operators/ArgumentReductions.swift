import ONNXLoader

/// ArgMax and ArgMin (opsets 1–13): where along an axis the first (or last) largest or smallest element is. NaN counts as
/// the most extreme.
struct ArgumentReduction: NumericOperator {
    enum Function: String {
        case max = "ArgMax"
        case min = "ArgMin"
    }
    let function: Function
    private let axis: Int
    private let keepsDimensions: Bool
    private let selectsLast: Bool

    init(_ node: inout NodeReader) throws {
        function = try node.family()
        axis = try node.int("axis", or: 0)
        keepsDimensions = try node.flag("keepdims", or: true)
        selectsLast = try node.flag("select_last_index")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        var shape = try inputs.required(0).shape
        let axis = try normalized(axis, rank: shape.count)
        guard shape[axis] > 0 else { throw OperatorError("no element of \(shape) along axis \(axis) is extreme") }
        if keepsDimensions { shape[axis] = 1 } else { shape.remove(at: axis) }
        return [ValueType(.int64, shape)]
    }

    func compute<Element: NumericElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let layout = AxisLayout(shape, axis: try normalized(axis, rank: shape.count))
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: Int64.self)
        func search(_ isBetter: @escaping @Sendable (Element, Element) -> Bool) throws {
            // Neighbouring lines together, so that memory is read in order.
            let chunks = (layout.inner + 255) / 256
            try step.parallel(layout.lineCount / max(1, layout.inner) * chunks, grain: 1) { units in
                for unit in units {
                    let line = unit / chunks * layout.inner + unit % chunks * 256
                    let start = layout.start(of: line)
                    let columns = min(256, layout.inner - unit % chunks * 256)
                    var best = (0..<columns).map { input[start + $0] }
                    output.fill(line..<line + columns, with: 0)
                    for position in 1..<max(1, layout.size) {
                        for column in 0..<columns {
                            let element = input[start + position * layout.inner + column]
                            if isBetter(element, best[column]) {
                                best[column] = element
                                output[line + column] = Int64(position)
                            }
                        }
                    }
                }
            }
        }
        // Only NaN differs from itself.
        switch (function, selectsLast) {
        case (.max, false): try search { $0 > $1 || ($0 != $0 && $1 == $1) }
        case (.max, true): try search { $0 >= $1 || $0 != $0 }
        case (.min, false): try search { $0 < $1 || ($0 != $0 && $1 == $1) }
        case (.min, true): try search { $0 <= $1 || $0 != $0 }
        }
    }
}
