import ONNXLoader

/// What RNN, LSTM and GRU have in common: a cell that walks along sequences, forward, backward or both, and what it
/// remembers.
///
/// Inputs are the sequences `[length, batch, input size]`, weights `[directions, gates · size, input size]`, recurrent
/// weights `[directions, gates · size, size]`, biases of both `[directions, 2 · gates · size]`, lengths of the sequences
/// `[batch]`, and states `[directions, batch, size]`; outputs are `[length, directions, batch, size]` and the last states.
/// With `layout` 1 the batch comes first everywhere.
struct RecurrentLayer: Sendable {
    private enum Direction: String, CaseIterable { case forward, reverse, bidirectional }

    let gates: Int
    /// Input 5, and how many there are from it on.
    let states: Int
    /// For each direction.
    let activations: [[GateActivation]]
    let clip: Float?
    private let direction: Direction
    private let hiddenSize: Int?
    private let batchComesFirst: Bool

    init(_ node: inout NodeReader, gates: Int, states: Int, activations defaults: [String]) throws {
        self.gates = gates
        self.states = states
        direction = try node.choice("direction", or: .forward)
        hiddenSize = try node.optionalInt("hidden_size")
        batchComesFirst = try node.flag("layout")
        clip = try node.optionalFloat("clip").flatMap { $0 > 0 ? $0 : nil }
        let directions = direction == .bidirectional ? 2 : 1
        let names = try node.strings("activations") ?? Array(repeating: defaults, count: directions).flatMap { $0 }
        var alphas = try node.optionalFloats("activation_alpha").map { $0[...] } ?? []
        var betas = try node.optionalFloats("activation_beta").map { $0[...] } ?? []
        guard names.count == defaults.count * directions else {
            throw OperatorError("\(names.count) activations are given, \(defaults.count * directions) are wanted")
        }
        let all = try names.map { try GateActivation($0, alphas: &alphas, betas: &betas) }
        activations = (0..<directions).map { Array(all[$0 * defaults.count..<($0 + 1) * defaults.count]) }
    }

    struct Sizes: Sendable {
        let length, batch, input, directions, hidden, gates: Int
        let batchComesFirst: Bool

        var gateCount: Int { gates * hidden }

        var outputShape: [Int] {
            batchComesFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden]
        }
        var stateShape: [Int] { batchComesFirst ? [batch, directions, hidden] : [directions, batch, hidden] }

        /// Where one of the batch lies in an output.
        func outputStart(_ position: Int, _ direction: Int, _ row: Int) -> Int {
            hidden
                * (batchComesFirst
                    ? (row * length + position) * directions + direction
                    : (position * directions + direction) * batch + row)
        }

        /// Where one of the batch lies in a state that is an input or an output.
        func stateStart(_ direction: Int, _ row: Int) -> Int {
            hidden * (batchComesFirst ? row * directions + direction : direction * batch + row)
        }

        /// Which row of the sequences a position of one of the batch is.
        func inputRow(_ position: Int, _ row: Int) -> Int {
            batchComesFirst ? row * length + position : position * batch + row
        }
    }

    func sizes(_ inputs: [ValueInfo?]) throws -> Sizes {
        let sequence = try inputs.required(0)
        let recurrent = try inputs.required(2).shape
        let directions = activations.count
        guard sequence.shape.count == 3, recurrent.count == 3 else {
            throw OperatorError(
                "sequences \(sequence.type) and recurrent weights \(recurrent) have not three dimensions")
        }
        let sizes = Sizes(
            length: sequence.shape[batchComesFirst ? 1 : 0], batch: sequence.shape[batchComesFirst ? 0 : 1],
            input: sequence.shape[2], directions: directions, hidden: recurrent[2], gates: gates,
            batchComesFirst: batchComesFirst)
        let gateCount = try sizes.hidden.multiplied(by: gates)
        guard hiddenSize.map({ $0 == sizes.hidden }) ?? true else {
            throw OperatorError("hidden_size is \(hiddenSize!), but the recurrent weights are \(recurrent)")
        }
        func check(_ index: Int, _ shape: [Int]) throws {
            guard let info = inputs.optional(index) else { return }
            guard info.shape == shape, info.elementType == sequence.elementType else {
                throw OperatorError("input \(index) is \(info.type), not \(ValueType(sequence.elementType, shape))")
            }
        }
        _ = try inputs.required(1)
        try check(1, [directions, gateCount, sizes.input])
        try check(2, [directions, gateCount, sizes.hidden])
        try check(3, [directions, try gateCount.multiplied(by: 2)])
        for state in 0..<states { try check(5 + state, sizes.stateShape) }
        if let lengths = inputs.optional(4), lengths.shape != [sizes.batch] {
            throw OperatorError("lengths \(lengths.type) are not one for each of the batch of \(sizes.batch)")
        }
        return sizes
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        let elementType = try inputs.required(0).elementType
        let state = ValueType(elementType, sizes.stateShape)
        return Array(
            ([ValueType(elementType, sizes.outputShape)] + Array(repeating: state, count: states)).prefix(arity))
    }

    func multiplyAdds(_ inputs: [ValueInfo?]) -> Int {
        guard let sizes = try? sizes(inputs) else { return 0 }
        return saturatingProduct([
            sizes.length, sizes.batch, sizes.directions, sizes.gateCount, sizes.input &+ sizes.hidden,
        ])
    }

    func isReversed(_ direction: Int) -> Bool { self.direction == .reverse || direction == 1 }
}
