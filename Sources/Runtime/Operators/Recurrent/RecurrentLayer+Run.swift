import ONNXLoader

/// What a cell works on at one position: some of the batch, in one direction.
struct CellStep<Element: FloatingElement>: Sendable {
    let direction: Int
    /// How many of the batch.
    let count: Int
    /// Those whose sequence has not ended; the states of others stay.
    let active: [Int]
    /// The gates as the input and the biases make them; those of one start `stride` after those of the one before.
    let gates: MutableElements<Element>
    let start, stride: Int
    /// What is remembered: `[count, size]` each.
    let states: [MutableElements<Element>]
    /// Room for as much again.
    let scratch: MutableElements<Element>

    func gateStart(_ row: Int) -> Int { start + row * stride }
}

/// A cell's weights and how it advances.
protocol RecurrentCell: Sendable {
    associatedtype Element: FloatingElement
    /// Whether the recurrent bias of a gate is added as the input's is; else the cell does it.
    func addsRecurrentBias(ofGate gate: Int) -> Bool
    func advance(_ step: CellStep<Element>)
}

extension RecurrentLayer {
    /// Walks a cell along the sequences.
    func run<Cell: RecurrentCell>(_ cell: Cell, _ step: Step) throws {
        let type = Cell.Element.self
        let sizes = try sizes(step.infos)
        guard sizes.batch > 0, sizes.hidden > 0 else { return }
        let budget = step.context.budget
        let elementType = Cell.Element.elementType
        let projections = try budget.allocate(
            ValueType(elementType, [sizes.directions, sizes.length, sizes.batch, sizes.gateCount]))
        let gates = try projections.uncheckedMutableElements(of: type)
        // The states, and room of a cell's own.
        let memory = try budget.allocate(
            ValueType(elementType, [states + 1, sizes.directions, sizes.batch, sizes.hidden]))
        let lengths = try step.optional(4)?.integers() ?? Array(repeating: sizes.length, count: sizes.batch)
        guard lengths.allSatisfy({ (0...sizes.length).contains($0) }) else {
            throw OperatorError("sequences of lengths \(lengths.prefix(8)) do not fit \(sizes.length) positions")
        }
        try project(step, cell, sizes, into: gates)
        let remembered = try memory.uncheckedMutableElements(of: type)
        let planeCount = sizes.directions * sizes.batch * sizes.hidden
        try exchangeStates(step, sizes, remembered, planeCount, isStart: true)
        let output = step.wants(0) ? try step.mutableElements(0, of: type) : nil
        let grain = max(8, (sizes.batch + 7) / 8)
        let chunks = (sizes.batch + grain - 1) / grain
        let context = step.context
        let states = states
        try step.parallel(sizes.directions * chunks, grain: 1) { range in
            for index in range {
                let (direction, first) = (index / chunks, index % chunks * grain)
                let count = min(sizes.batch - first, grain)
                let planes = (0...states).map { plane in
                    remembered.slice(
                        plane * planeCount + (direction * sizes.batch + first) * sizes.hidden, count * sizes.hidden)
                }
                let isReversed = isReversed(direction)
                for number in 0..<sizes.length {
                    try context.checkpoint()
                    let position = isReversed ? sizes.length - 1 - number : number
                    let active = (0..<count).filter { position < lengths[first + $0] }
                    let row = direction * sizes.length * sizes.batch + sizes.inputRow(position, first)
                    if !active.isEmpty {
                        cell.advance(
                            CellStep(
                                direction: direction, count: count, active: active, gates: gates,
                                start: row * sizes.gateCount,
                                stride: (sizes.batchComesFirst ? sizes.length : 1) * sizes.gateCount,
                                states: Array(planes.dropLast()), scratch: planes[states]))
                    }
                    guard let output else { continue }
                    for row in 0..<count {
                        let start = sizes.outputStart(position, direction, first + row)
                        if position < lengths[first + row] {
                            output.copy(
                                planes[0].readable, row * sizes.hidden..<(row + 1) * sizes.hidden, to: start)
                        } else {
                            output.fill(start..<start + sizes.hidden, with: 0)
                        }
                    }
                }
            }
        }
        try exchangeStates(step, sizes, remembered, planeCount, isStart: false)
    }

    /// The gates of all positions as far as the input and the biases make them: one product for each direction.
    private func project<Cell: RecurrentCell>(
        _ step: Step, _ cell: Cell, _ sizes: Sizes, into gates: MutableElements<Cell.Element>
    ) throws {
        let type = Cell.Element.self
        let input = try step.elements(0, of: type)
        let weights = try step.elements(1, of: type)
        let count = sizes.gateCount
        var biases: [Cell.Element]?
        if let given = try step.optional(3)?.elements(of: type) {
            biases = (0..<sizes.directions * count).map { index in
                let start = index / count * 2 * count + index % count
                let isAdded = cell.addsRecurrentBias(ofGate: index % count / sizes.hidden)
                return isAdded ? given[start] + given[start + count] : given[start]
            }
        }
        let rows = sizes.length * sizes.batch
        let tiles = GEMMTiles(rows: rows, columns: count, inner: sizes.input)
        let added = biases
        try step.parallel(blocks: sizes.directions, tiles) { direction, rowRange, columns in
            let start = (direction * rows + rowRange.lowerBound) * count + columns.lowerBound
            if let added {
                for row in 0..<rowRange.count {
                    for column in 0..<columns.count {
                        gates[start + row * count + column] = added[direction * count + columns.lowerBound + column]
                    }
                }
            }
            BLAS.multiply(
                BLAS.Matrix(elements: input, start: rowRange.lowerBound * sizes.input, rowStride: sizes.input),
                BLAS.Matrix(
                    elements: weights, start: (direction * count + columns.lowerBound) * sizes.input,
                    rowStride: sizes.input, isTransposed: true),
                rows: rowRange.count, columns: columns.count, inner: sizes.input, beta: added == nil ? 0 : 1,
                into: gates, at: start, resultStride: count)
        }
    }

    /// Takes the states from the inputs, or gives them to the outputs.
    private func exchangeStates<Element: FloatingElement>(
        _ step: Step, _ sizes: Sizes, _ memory: MutableElements<Element>, _ planeCount: Int, isStart: Bool
    ) throws {
        for state in 0..<states {
            let initial = isStart ? try step.optional(5 + state)?.elements(of: Element.self) : nil
            let output = !isStart && step.wants(1 + state) ? try step.mutableElements(1 + state, of: Element.self) : nil
            for index in 0..<sizes.directions * sizes.batch {
                let own = state * planeCount + index * sizes.hidden
                let other = sizes.stateStart(index / sizes.batch, index % sizes.batch)
                if let initial {
                    memory.copy(initial, other..<other + sizes.hidden, to: own)
                } else if isStart {
                    memory.fill(own..<own + sizes.hidden, with: 0)
                }
                output?.copy(memory.readable, own..<own + sizes.hidden, to: other)
            }
        }
    }
}

/// The recurrent weights of a layer, and what its cells do with gates.
struct RecurrentWeights<Element: FloatingElement>: Sendable {
    let elements: Elements<Element>
    let hidden, gates: Int
    let clip: Element?

    /// Adds the product of what is remembered and the weights of some gates to other numbers.
    func multiply(
        _ remembered: Elements<Element>, rows: Int, direction: Int, gates range: Range<Int>, beta: Element = 1,
        into target: MutableElements<Element>, at start: Int, stride: Int
    ) {
        BLAS.multiply(
            BLAS.Matrix(elements: remembered, rowStride: hidden),
            BLAS.Matrix(
                elements: elements, start: (direction * gates + range.lowerBound) * hidden * hidden, rowStride: hidden,
                isTransposed: true),
            rows: rows, columns: range.count * hidden, inner: hidden, beta: beta, into: target, at: start,
            resultStride: stride)
    }

    /// Clips a range of gates and applies their function.
    func activate(_ gates: MutableElements<Element>, _ range: Range<Int>, _ function: GateActivation) {
        if let clip {
            gates.assign(range, from: gates.readable, at: range.lowerBound) { Swift.max(-clip, Swift.min(clip, $0)) }
        }
        function.apply(to: gates, range)
    }
}

extension RecurrentLayer {
    func weights<Element: FloatingElement>(_ step: Step, _ type: Element.Type) throws -> RecurrentWeights<Element> {
        RecurrentWeights(
            elements: try step.elements(2, of: type), hidden: try step.input(2).shape[2], gates: gates,
            clip: clip.map { Element($0) })
    }
}
