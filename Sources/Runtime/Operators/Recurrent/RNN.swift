import ONNXLoader

/// RNN (opsets 7–22): `h = f(W·x + R·h + b)`, with one hidden layer.
struct RNN: FloatingOperator {
    private let layer: RecurrentLayer

    init(_ node: inout NodeReader) throws {
        layer = try RecurrentLayer(&node, gates: 1, states: 1, activations: ["Tanh"])
    }

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] { try layer.types(of: inputs, arity: arity) }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { layer.multiplyAdds(inputs) }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        try layer.run(Cell(weights: layer.weights(step, type), activations: layer.activations), step)
    }

    private struct Cell<Element: FloatingElement>: RecurrentCell {
        let weights: RecurrentWeights<Element>
        let activations: [[GateActivation]]

        func addsRecurrentBias(ofGate gate: Int) -> Bool { true }

        func advance(_ step: CellStep<Element>) {
            let (hidden, size) = (step.states[0], weights.hidden)
            weights.multiply(
                hidden.readable, rows: step.count, direction: step.direction, gates: 0..<1, into: step.gates,
                at: step.start, stride: step.stride)
            for row in step.active {
                let gate = step.gateStart(row)..<step.gateStart(row) + size
                weights.activate(step.gates, gate, activations[step.direction][0])
                hidden.copy(step.gates.readable, gate, to: row * size)
            }
        }
    }
}
