import ONNXLoader

/// Where (opsets 9–16): the elements of one tensor where a condition holds, those of another elsewhere; all three broadcast.
struct Where: WordOperator {
    init(_ node: inout NodeReader) throws {}

    var movedInput: Int { 1 }
    var inPlaceInputs: [Int] { [1, 2] }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (condition, first, second) = (try inputs.required(0), try inputs.required(1), try inputs.required(2))
        guard condition.elementType == .bool, first.elementType == second.elementType else {
            throw OperatorError("\(condition.type) cannot choose between \(first.type) and \(second.type)")
        }
        let shape = try broadcast(broadcast(condition.shape, first.shape), second.shape)
        return [ValueType(first.elementType, shape)]
    }

    func move<Word: TensorElement>(_ step: inout Step, as type: Word.Type) throws {
        let condition = try step.elements(0, of: Bool.self)
        let (first, second) = (try step.input(1).words(type), try step.input(2).words(type))
        let output = try step.output(0).uncheckedMutableWords(type)
        let broadcasting = try step.broadcasting(3)
        let steps = broadcasting.steps
        try step.parallel(output.count, grain: Step.elementGrain) { range in
            broadcasting.forEachRun(in: range) { run, starts in
                guard steps[0] != 0 else {
                    let (chosen, operand) = condition[starts[0]] ? (first, 1) : (second, 2)
                    return output.assign(
                        run, from: chosen, at: starts[operand], step: steps[operand], and: chosen, at: 0, step: 0
                    ) { element, _ in element }
                }
                output.choose(
                    run, by: condition, at: starts[0], first, at: starts[1], step: steps[1], second, at: starts[2],
                    step: steps[2])
            }
        }
    }
}

extension MutableElements {
    /// Sets the elements of `range` from one source where a condition holds, and from another elsewhere, each either
    /// contiguous from its index on (`step` 1) or one element repeated (`step` 0).
    @inline(__always)
    fileprivate func choose(
        _ range: Range<Int>, by condition: Elements<Bool>, at conditionIndex: Int, _ first: Elements<Element>,
        at firstIndex: Int, step firstStep: Int, _ second: Elements<Element>, at secondIndex: Int, step secondStep: Int
    ) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count && min(conditionIndex, firstIndex, secondIndex) >= 0
                && range.count <= condition.count - conditionIndex
                && firstIndex + (range.count - 1) * firstStep < first.count
                && secondIndex + (range.count - 1) * secondStep < second.count, "element range out of bounds")
        let target = base + range.lowerBound &* MemoryLayout<Element>.stride
        @inline(__always) func loop(_ firstStep: Int, _ secondStep: Int) {
            for offset in 0..<range.count {
                let one = first.load(firstIndex &+ offset &* firstStep)
                let other = second.load(secondIndex &+ offset &* secondStep)
                target.storeBytes(
                    of: condition.load(conditionIndex &+ offset) ? one : other,
                    toByteOffset: offset &* MemoryLayout<Element>.stride, as: Element.self)
            }
        }
        switch (firstStep, secondStep) {
        case (1, 1): loop(1, 1)
        case (1, 0): loop(1, 0)
        case (0, 1): loop(0, 1)
        default: loop(firstStep, secondStep)
        }
    }
}

extension Where: DifferentiableOperator {
    func gradient(_ node: GradientNode) throws {
        let (condition, gradient) = (try node.input(0), try node.gradient())
        try node.contribute(to: 1) { try condition.keep(gradient) }
        try node.contribute(to: 2) { try condition.choose(gradient.number(0), else: gradient) }
    }
}
