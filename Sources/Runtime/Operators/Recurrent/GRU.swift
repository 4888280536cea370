import ONNXLoader

/// GRU (opsets 7–22): gated recurrent unit (Cho et al., 2014).
///
/// `z, r = f(W·x + R·h + b)`, `n = g(W·x + R·(r⊙h) + b)`, `h' = (1 − z)⊙n + z⊙h`; with `linear_before_reset` the new
/// state's part is `r⊙(R·h + b)` instead of `R·(r⊙h) + b`.
struct GRU: FloatingOperator {
    private let layer: RecurrentLayer
    private let resetsLast: Bool

    init(_ node: inout NodeReader) throws {
        layer = try RecurrentLayer(&node, gates: 3, states: 1, activations: ["Sigmoid", "Tanh"])
        resetsLast = try node.flag("linear_before_reset")
    }

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { try layer.types(of: inputs, arity: arity) }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { layer.multiplyAdds(inputs) }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let cell = Cell(
            weights: try layer.weights(step, type), activations: layer.activations,
            biases: try step.optional(3)?.elements(of: type), resetsLast: resetsLast)
        try layer.run(cell, step)
    }

    private struct Cell<Element: FloatingElement>: RecurrentCell {
        let weights: RecurrentWeights<Element>
        let activations: [[GateActivation]]
        let biases: Elements<Element>?
        let resetsLast: Bool

        func addsRecurrentBias(ofGate gate: Int) -> Bool { gate < 2 || !resetsLast }

        func advance(_ step: CellStep<Element>) {
            let (size, hidden, gates, scratch) = (weights.hidden, step.states[0], step.gates, step.scratch)
            let functions = activations[step.direction]
            weights.multiply(
                hidden.readable, rows: step.count, direction: step.direction, gates: 0..<2, into: gates, at: step.start,
                stride: step.stride)
            for row in 0..<step.count {
                weights.activate(gates, step.gateStart(row)..<step.gateStart(row) + 2 * size, functions[0])
            }
            if resetsLast {
                let start = (step.direction * 6 + 5) * size
                for row in 0..<step.count {
                    if let biases {
                        scratch.copy(biases, start..<start + size, to: row * size)
                    } else {
                        scratch.fill(row * size..<(row + 1) * size, with: 0)
                    }
                }
                weights.multiply(
                    hidden.readable, rows: step.count, direction: step.direction, gates: 2..<3, into: scratch, at: 0,
                    stride: size)
            } else {
                scratch.copy(hidden.readable, 0..<step.count * size, to: 0)
            }
            for row in 0..<step.count {
                scratch.multiply(row * size..<(row + 1) * size, by: gates.readable, at: step.gateStart(row) + size)
            }
            if !resetsLast {
                weights.multiply(
                    scratch.readable, rows: step.count, direction: step.direction, gates: 2..<3, into: gates,
                    at: step.start + 2 * size, stride: step.stride)
            }
            for row in step.active {
                let start = step.gateStart(row)
                let new = start + 2 * size..<start + 3 * size
                if resetsLast { gates.accumulate(new, from: scratch.readable, at: row * size, times: 1) }
                weights.activate(gates, new, functions[1])
                for index in 0..<size {
                    let (update, old) = (gates[start + index], hidden[row * size + index])
                    hidden[row * size + index] = (1 - update) * gates[new.lowerBound + index] + update * old
                }
            }
        }
    }
}
