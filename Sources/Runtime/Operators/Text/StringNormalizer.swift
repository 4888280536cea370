import ONNXLoader

/// StringNormalizer (opset 10): strings that are not stop words, in lower or upper case by Unicode's rules, whatever the
/// locale.
struct StringNormalizer: Operator {
    enum CaseChange: String, CaseIterable {
        case none = "NONE", lower = "LOWER", upper = "UPPER"

        func apply(_ string: String) -> String {
            switch self {
            case .none: string
            case .lower: string.lowercased()
            case .upper: string.uppercased()
            }
        }
    }
    private let change: CaseChange
    private let isCaseSensitive: Bool
    /// As UTF-8: strings compare equal in Swift when they merely look the same.
    private let stopWords: Set<[UInt8]>

    init(_ node: inout NodeReader) throws {
        change = try node.choice("case_change_action", or: .none)
        let isCaseSensitive = try node.flag("is_case_sensitive")
        self.isCaseSensitive = isCaseSensitive
        stopWords = Set(
            try (node.strings("stopwords") ?? []).map { Array((isCaseSensitive ? $0 : $0.lowercased()).utf8) })
        node.ignore("locale")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.elementType == .string, input.shape.count == 1 || input.shape.count == 2 && input.shape[0] == 1
        else { throw OperatorError("strings of shape [C] or [1, C] are wanted, not \(input.type)") }
        throw DataDependentTypes()
    }

    func run(_ step: inout Step) throws {
        let input = try step.input(0)
        var kept = input.strings.filter {
            !stopWords.contains(Array((isCaseSensitive ? $0 : $0.lowercased()).utf8))
        }.map { change.apply($0) }
        if kept.isEmpty { kept = [""] }
        let shape = input.shape.count == 1 ? [kept.count] : [1, kept.count]
        try step.allocate(0, ValueType(.string, shape)).storage.strings = kept
    }
}
