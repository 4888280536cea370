import ONNXLoader

/// CausalConvWithState (opset 27): a convolution of every channel by itself over this position and those before it, which
/// an earlier run's last positions precede, or zeros; perhaps followed by SiLU.
///
/// The input is `[batch, channels, positions]`, the weight `[channels, 1, width]`, the state `[batch, channels, width − 1]`.
struct CausalConvolution: FloatingOperator {
    private enum Function: String, CaseIterable { case none, silu, swish }

    private let activation: ActivationKernel

    init(_ node: inout NodeReader) throws {
        activation = try node.choice("activation", or: Function.none) == .none ? .none : .swish(alpha: 1)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let (input, weight) = (try inputs.required(0), try inputs.required(1))
        guard input.shape.count == 3, weight.shape.count == 3, weight.shape[0] == input.shape[1], weight.shape[1] == 1,
            weight.shape[2] > 0
        else { throw OperatorError("a weight \(weight.type) does not fit \(input.type)") }
        let state = [input.shape[0], input.shape[1], weight.shape[2] - 1]
        if let bias = inputs.optional(2), bias.shape != [input.shape[1]] {
            throw OperatorError("a bias \(bias.type) does not fit \(input.type)")
        }
        if let past = inputs.optional(3), past.shape != state {
            throw OperatorError("a state of shape \(past.shape) is not \(state)")
        }
        for info in inputs where info.map({ $0.elementType != input.elementType }) ?? false {
            throw OperatorError("the inputs have different element types, \(info!.type) and \(input.type)")
        }
        return Array([input.type, ValueType(input.elementType, state)].prefix(arity))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let shape = try step.input(0).shape
        let (channels, positions) = (shape[1], shape[2])
        let width = try step.input(1).shape[2]
        let (input, weight) = (try step.elements(0, of: type), try step.elements(1, of: type))
        let bias = try step.optional(2)?.elements(of: type)
        let past = try step.optional(3)?.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let present = step.wants(1) ? try step.mutableElements(1, of: type) : nil
        guard output.count > 0 || present.map({ $0.count > 0 }) ?? false else { return }
        let activation = activation
        let grain = max(1, Step.elementGrain / max(1, saturatingProduct([positions, width])))
        try step.parallel(saturatingProduct(shape[..<2]), grain: grain) { lines in
            for line in lines {
                let range = line * positions..<(line + 1) * positions
                output.fill(range, with: bias?[line % channels] ?? 0)
                for tap in 0..<width {
                    let factor = weight[line % channels * width + tap]
                    // Positions that the tap reads before the first one are the state's.
                    let missing = min(width - 1 - tap, positions)
                    if let past {
                        let start = line * (width - 1) + tap
                        output.accumulate(range.prefix(missing), from: past, at: start, times: factor)
                    }
                    output.accumulate(
                        range.dropFirst(missing), from: input, at: range.lowerBound, times: factor)
                }
                output.apply(activation, range)
                guard let present else { continue }
                let start = line * (width - 1)
                let kept = max(0, width - 1 - positions)
                if let past {
                    present.copy(past, start + width - 1 - kept..<start + width - 1, to: start)
                } else {
                    present.fill(start..<start + kept, with: 0)
                }
                present.copy(input, range.upperBound - (width - 1 - kept)..<range.upperBound, to: start + kept)
            }
        }
    }
}

extension MutableElements where Element: FloatingElement {
    /// Adds a multiple of as many elements of `source`, from `index` on, to those of `range`.
    func accumulate(_ range: Range<Int>, from source: Elements<Element>, at index: Int, times factor: Element) {
        assign(range, from: readable, at: range.lowerBound, step: 1, and: source, at: index, step: 1) {
            $0 + factor * $1
        }
    }
}
