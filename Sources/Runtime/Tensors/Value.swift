/// A value of a graph: what inputs are given as, and what a run gives back.
public indirect enum Value: Sendable {
    case tensor(Tensor)
    /// An ordered list of values of one kind.
    case sequence([Value])
    /// An optional without a value.
    case absent

    /// The tensor, when it is one.
    public var tensor: Tensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// What it is, in words.
    var kind: String {
        switch self {
        case .tensor(let tensor): ValueType(tensor).description
        case .sequence(let elements): "a sequence of \(elements.count)"
        case .absent: "an empty optional"
        }
    }
}
