/// Which initializers of a graph a file of weights is expected to bring.
///
/// An initializer is a weight when its elements are floating-point numbers, or quantised ones that DequantizeLinear
/// takes, and some node computes with it. These are not: other integers, Booleans and strings; tensors that nodes take
/// only as settings (scales, sizes, limits, padding values); and single numbers that no module has as a parameter, such as the 0.5 of a GELU. A larger
/// constant counts even when an exporter computed it, because it may have been computed from weights.
enum ExpectedWeights {
    static func names(in graph: Graph, uses: GraphUses) -> [String] {
        graph.initializers.filter { name, tensor in
            let taken = (uses.uses[name] ?? []).filter { !isSetting(graph.nodes[$0.node], $0.input) }
            let isQuantised = taken.contains {
                graph.nodes[$0.node].operatorName == "DequantizeLinear" && $0.input == 0
            }
            guard isFloatingPoint(tensor.elementType) || isQuantised, tensor.count > 0 else { return false }
            guard !taken.isEmpty || uses.otherUses.contains(name) else { return false }
            return tensor.count > 1 || isParameterName(name)
                || taken.contains { ModulePath.parameter(of: graph.nodes[$0.node], at: $0.input) != nil }
        }.map(\.key).sorted()
    }

    static func isFloatingPoint(_ type: ElementType) -> Bool {
        switch type {
        case .float32, .float64, .float16, .bfloat16, .complex64, .complex128, .float8E4M3FN, .float8E4M3FNUZ,
            .float8E5M2, .float8E5M2FNUZ, .float8E8M0, .float4E2M1:
            true
        default: false
        }
    }

    private static func isParameterName(_ name: String) -> Bool {
        name.contains(".") && !ModulePath.isNumbered(name)
    }

    /// Whether the input only says how the node works.
    private static func isSetting(_ node: Node, _ input: Int) -> Bool {
        guard node.domain.isEmpty else { return false }
        switch node.operatorName {
        case "Resize", "Upsample", "Clip", "Pad", "Dropout", "OneHot":
            return input > 0
        case "Range", "ConstantOfShape", "NonMaxSuppression", "Shape", "Size": return true
        default: return false
        }
    }
}
