import ONNXLoader

/// LSTM (opsets 7–22): long short-term memory (Hochreiter and Schmidhuber, 1997), with optional peepholes from the cell to
/// the gates, or with the forget gate coupled to the input gate.
///
/// `i, o, f = f(W·x + R·h + P⊙c + b)`, `c' = f⊙c + i⊙g(W·x + R·h + b)`, `h' = o⊙h(c')`; the output gate sees `c'`.
struct LSTM: FloatingOperator {
    private let layer: RecurrentLayer
    private let couplesForgetGate: Bool

    init(_ node: inout NodeReader) throws {
        layer = try RecurrentLayer(&node, gates: 4, states: 2, activations: ["Sigmoid", "Tanh", "Tanh"])
        couplesForgetGate = try node.flag("input_forget")
    }

    var kernelName: String { "gemm" }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try layer.sizes(inputs)
        if let peepholes = inputs.optional(7) {
            let shape = [sizes.directions, try sizes.hidden.multiplied(by: 3)]
            guard peepholes.shape == shape, try peepholes.elementType == inputs.required(0).elementType else {
                throw OperatorError("peepholes \(peepholes.type) have not shape \(shape)")
            }
        }
        return try layer.types(of: inputs, arity: arity)
    }

    func multiplyAdds(inputs: [ValueInfo?], outputs: [ValueType]) -> Int { layer.multiplyAdds(inputs) }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let cell = Cell(
            weights: try layer.weights(step, type), activations: layer.activations,
            peepholes: try step.optional(7)?.elements(of: type), couplesForgetGate: couplesForgetGate)
        try layer.run(cell, step)
    }

    private struct Cell<Element: FloatingElement>: RecurrentCell {
        let weights: RecurrentWeights<Element>
        let activations: [[GateActivation]]
        /// Of the input, the output and the forget gate.
        let peepholes: Elements<Element>?
        let couplesForgetGate: Bool

        func addsRecurrentBias(ofGate gate: Int) -> Bool { true }

        func advance(_ step: CellStep<Element>) {
            weights.multiply(
                step.states[0].readable, rows: step.count, direction: step.direction, gates: 0..<4, into: step.gates,
                at: step.start, stride: step.stride)
            for row in step.active { advance(step, row) }
        }

        private func advance(_ step: CellStep<Element>, _ row: Int) {
            let size = weights.hidden
            let (gates, cell, hidden) = (step.gates, step.states[1], step.states[0])
            let functions = activations[step.direction]
            let state = row * size..<(row + 1) * size
            func gate(_ number: Int) -> Range<Int> {
                let start = step.gateStart(row) + number * size
                return start..<start + size
            }
            func look(_ number: Int) {
                guard let peepholes else { return }
                let start = (step.direction * 3 + number) * size
                for index in 0..<size {
                    gates[gate(number).lowerBound + index] += peepholes[start + index] * cell[state.lowerBound + index]
                }
            }
            look(0)
            weights.activate(gates, gate(0), functions[0])
            if couplesForgetGate {
                gates.assign(gate(2), from: gates.readable, at: gate(0).lowerBound) { 1 - $0 }
            } else {
                look(2)
                weights.activate(gates, gate(2), functions[0])
            }
            weights.activate(gates, gate(3), functions[1])
            cell.multiply(state, by: gates.readable, at: gate(2).lowerBound)
            gates.multiply(gate(3), by: gates.readable, at: gate(0).lowerBound)
            cell.accumulate(state, from: gates.readable, at: gate(3).lowerBound, times: 1)
            look(1)
            weights.activate(gates, gate(1), functions[0])
            hidden.copy(cell.readable, state, to: state.lowerBound)
            functions[2].apply(to: hidden, state)
            hidden.multiply(state, by: gates.readable, at: gate(1).lowerBound)
        }
    }
}

extension MutableElements where Element: FloatingElement {
    /// Multiplies the elements of `range` by as many of `source`, from `index` on.
    func multiply(_ range: Range<Int>, by source: Elements<Element>, at index: Int) {
        assign(range, from: readable, at: range.lowerBound, step: 1, and: source, at: index, step: 1, *)
    }
}
