import Foundation
import ONNXLoader

/// LinearAttention (opset 27): attention without a softmax, as a recurrence over a matrix for each head of keys.
///
/// At each position the state `S`, `[key size, value size]`, is first multiplied by `exp(decay)` where the rule is gated;
/// then `k · vᵀ` is added, with `v` replaced by `β · (v − Sᵀ · k)` where the rule corrects (the delta rule); the output is
/// `scale · Sᵀ · q`. Queries are `[batch, positions, heads · size]`, keys and values likewise.
struct LinearAttention: FloatingOperator {
    private enum Rule: String, CaseIterable {
        case linear, gated, delta
        case gatedDelta = "gated_delta"
    }

    private let rule: Rule
    private let heads, keyHeads: Int
    private let scale: Float

    init(_ node: inout NodeReader) throws {
        rule = try node.choice("update_rule", or: .gatedDelta)
        heads = try node.int("q_num_heads")
        keyHeads = try node.int("kv_num_heads")
        scale = try node.float("scale", or: 0)
        // How many positions other implementations take together.
        node.ignore("chunk_size")
        guard heads > 0, keyHeads > 0, heads % keyHeads == 0 else {
            throw OperatorError("\(heads) heads of queries cannot share \(keyHeads) of keys")
        }
    }

    private var isGated: Bool { rule == .gated || rule == .gatedDelta }
    private var isCorrected: Bool { rule == .delta || rule == .gatedDelta }

    private struct Sizes {
        let batch, positions, keySize, valueSize: Int
        /// Numbers of a decay for one head of keys: 1, or the size of a key.
        let decaySize: Int
        /// Heads that have a β of their own: all of the keys', or 1.
        let betaHeads: Int
    }

    private func sizes(_ inputs: [ValueInfo?]) throws -> Sizes {
        let (query, key, value) = (try inputs.required(0), try inputs.required(1), try inputs.required(2))
        guard query.shape.count == 3, key.shape.count == 3, value.shape.count == 3, query.shape[2] % heads == 0,
            value.shape[2] % keyHeads == 0, try key.shape[2] == (query.shape[2] / heads).multiplied(by: keyHeads),
            query.shape[..<2] == key.shape[..<2], key.shape[..<2] == value.shape[..<2],
            query.elementType == key.elementType, key.elementType == value.elementType
        else {
            throw OperatorError("queries \(query.type), keys \(key.type) and values \(value.type) do not fit")
        }
        let (batch, positions) = (query.shape[0], query.shape[1])
        let (keySize, valueSize) = (query.shape[2] / heads, value.shape[2] / keyHeads)
        let (past, decay, beta) = (inputs.optional(3), inputs.optional(4), inputs.optional(5))
        guard (decay != nil) == isGated, (beta != nil) == isCorrected else {
            throw OperatorError("the rule \(rule.rawValue) wants other inputs than these")
        }
        if let past, past.shape != [batch, keyHeads, keySize, valueSize] {
            throw OperatorError("a state of shape \(past.shape) is not \([batch, keyHeads, keySize, valueSize])")
        }
        if let decay, decay.shape != [batch, positions, keyHeads], decay.shape != key.shape {
            throw OperatorError("a decay of shape \(decay.shape) does not fit keys \(key.shape)")
        }
        if let beta, beta.shape != [batch, positions, keyHeads], beta.shape != [batch, positions, 1] {
            throw OperatorError("β of shape \(beta.shape) does not fit keys \(key.shape)")
        }
        return Sizes(
            batch: batch, positions: positions, keySize: keySize, valueSize: valueSize,
            decaySize: decay?.shape == [batch, positions, keyHeads] ? 1 : keySize,
            betaHeads: beta?.shape[2] == keyHeads ? keyHeads : 1)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try sizes(inputs)
        let elementType = try inputs.required(0).elementType
        return Array(
            [
                ValueType(elementType, [sizes.batch, sizes.positions, try heads.multiplied(by: sizes.valueSize)]),
                ValueType(
                    inputs.optional(3)?.elementType ?? elementType,
                    [sizes.batch, keyHeads, sizes.keySize, sizes.valueSize]),
            ].prefix(arity))
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.infos)
        // Without numbers in a value there is nothing to compute, however many positions there are.
        guard sizes.valueSize > 0 else { return }
        let memory = try step.context.budget.allocate(
            ValueType(Element.elementType, [sizes.batch, keyHeads, sizes.keySize + 1, sizes.valueSize]))
        let recurrence = Recurrence(
            keySize: sizes.keySize, valueSize: sizes.valueSize, heads: heads, keyHeads: keyHeads,
            positions: sizes.positions, decaySize: sizes.decaySize, betaHeads: sizes.betaHeads,
            scale: scale == 0 ? 1 / Element(sizes.keySize).squareRoot() : Element(scale),
            query: try step.elements(0, of: type), key: try step.elements(1, of: type),
            value: try step.elements(2, of: type), decay: try step.optional(4).map { try step.widened($0, type) },
            beta: try step.optional(5).map { try step.widened($0, type) }, output: try step.mutableElements(0, of: type)
        )
        let past = try step.optional(3).map { try step.widened($0, type) }
        let present =
            step.wants(1)
            ? try step.context.budget.allocate(ValueType(Element.elementType, step.output(1).shape)) : nil
        let states = try present?.uncheckedMutableElements(of: type)
        let all = try memory.uncheckedMutableElements(of: type)
        let stateCount = sizes.keySize * sizes.valueSize
        let context = step.context
        try step.parallel(sizes.batch * keyHeads, grain: 1) { range in
            for index in range {
                try context.checkpoint()
                let state = all.slice(index * (stateCount + sizes.valueSize), stateCount)
                let scratch = all.slice(index * (stateCount + sizes.valueSize) + stateCount, sizes.valueSize)
                if let past {
                    state.copy(past, index * stateCount..<(index + 1) * stateCount, to: 0)
                } else {
                    state.fill(0..<stateCount, with: 0)
                }
                recurrence.run(batch: index / keyHeads, head: index % keyHeads, state, scratch)
                states?.copy(state.readable, 0..<stateCount, to: index * stateCount)
            }
        }
        if let present { try present.convert(into: step.output(1)) }
    }
}

/// The recurrence of one head.
private struct Recurrence<Element: FloatingElement>: Sendable {
    let keySize, valueSize, heads, keyHeads, positions, decaySize, betaHeads: Int
    let scale: Element
    let query, key, value: Elements<Element>
    let decay, beta: Elements<Element>?
    let output: MutableElements<Element>

    /// - Parameters:
    ///   - state: `[key size, value size]`; afterwards that of the last position.
    ///   - added: room for one value.
    func run(batch: Int, head: Int, _ state: MutableElements<Element>, _ added: MutableElements<Element>) {
        for position in batch * positions..<(batch + 1) * positions {
            let keyStart = (position * keyHeads + head) * keySize
            if let decay {
                let start = (position * keyHeads + head) * decaySize
                for row in 0..<keySize {
                    let factor = Element(exp(decay[start + (decaySize == 1 ? 0 : row)].double))
                    state.assign(rowRange(row), from: state.readable, at: row * valueSize) { $0 * factor }
                }
            }
            added.copy(value, valueRange(position * keyHeads + head), to: 0)
            if let beta {
                for row in 0..<keySize {
                    added.accumulate(
                        0..<valueSize, from: state.readable, at: row * valueSize, times: -key[keyStart + row])
                }
                let factor = beta[position * betaHeads + (betaHeads == 1 ? 0 : head)]
                added.assign(0..<valueSize, from: added.readable, at: 0) { $0 * factor }
            }
            for row in 0..<keySize {
                state.accumulate(rowRange(row), from: added.readable, at: 0, times: key[keyStart + row])
            }
            let group = heads / keyHeads
            for reader in head * group..<(head + 1) * group {
                let target = valueRange(position * heads + reader)
                output.fill(target, with: 0)
                let start = (position * heads + reader) * keySize
                for row in 0..<keySize {
                    output.accumulate(
                        target, from: state.readable, at: row * valueSize, times: scale * query[start + row])
                }
            }
        }
    }

    private func rowRange(_ row: Int) -> Range<Int> { row * valueSize..<(row + 1) * valueSize }
    private func valueRange(_ index: Int) -> Range<Int> { index * valueSize..<(index + 1) * valueSize }
}

extension MutableElements {
    /// A part of the memory.
    func slice(_ start: Int, _ length: Int) -> MutableElements {
        precondition(start >= 0 && length >= 0 && length <= count - start, "element range out of bounds")
        return MutableElements(base: base + start * MemoryLayout<Element>.stride, count: length)
    }
}
