/// A size was given for a dimension that the graph does not have.
public struct UnknownDimension: Error, Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let known: [String]

    public var description: String {
        "the graph's inputs have no symbolic dimension \(quoted(name)); "
            + (known.isEmpty ? "they have none" : "they have \(known.map(quoted).joined(separator: ", "))")
    }
}

extension Graph {
    /// Names of the inputs' symbolic dimensions, in the order in which they occur.
    public var symbolicDimensions: [String] {
        var names: [String] = []
        for input in inputs {
            guard case .tensor(_, let shape?) = input.kind else { continue }
            for case .symbolic(let name) in shape where !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Gives symbolic dimensions a size wherever the graph's inputs, outputs and inner values name them.
    /// - Throws: `UnknownDimension` when no input has a dimension of that name.
    public mutating func fixDimensions(_ sizes: [String: Int]) throws {
        let known = symbolicDimensions
        for name in sizes.keys.sorted() where !known.contains(name) { throw UnknownDimension(name: name, known: known) }
        for index in inputs.indices { inputs[index].kind = inputs[index].kind.fixing(sizes) }
        for index in outputs.indices { outputs[index].kind = outputs[index].kind.fixing(sizes) }
        valueTypes = valueTypes.mapValues { $0.fixing(sizes) }
    }
}

extension ValueDeclaration.Kind {
    fileprivate func fixing(_ sizes: [String: Int]) -> ValueDeclaration.Kind {
        func fixed(_ shape: [ValueDeclaration.Dimension]?) -> [ValueDeclaration.Dimension]? {
            shape?.map { dimension in
                if case .symbolic(let name) = dimension, let size = sizes[name] { .fixed(size) } else { dimension }
            }
        }
        switch self {
        case .tensor(let type, let shape): return .tensor(type, shape: fixed(shape))
        case .sparseTensor(let type, let shape): return .sparseTensor(type, shape: fixed(shape))
        case .sequence(let kind): return .sequence(kind.fixing(sizes))
        case .optional(let kind): return .optional(kind.fixing(sizes))
        case .map(let key, let value): return .map(key: key, value: value.fixing(sizes))
        case .undeclared: return self
        }
    }
}
