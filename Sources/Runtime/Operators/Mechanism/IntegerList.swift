/// Integers that older opsets give as an attribute and newer ones as an input.
enum IntegerList: Sendable {
    case attribute([Int]?)
    case input(Int)

    /// The integers, nil when absent.
    /// - Throws: `DataDependentTypes` while the input's value is not known.
    func value(_ inputs: [ValueInfo?]) throws -> [Int]? {
        switch self {
        case .attribute(let values): values
        case .input(let index): try inputs.optionalIntegers(index)
        }
    }
}

extension Step {
    /// The inputs with their values, as `types(of:arity:)` takes them.
    var infos: [ValueInfo?] { (0..<inputCount).map { optional($0).map { ValueInfo($0) } } }
}
