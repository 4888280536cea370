import ONNXLoader

/// RotaryEmbedding (opset 23): rotates pairs of each position's numbers by angles that grow with the position (Su et al.,
/// 2021), whose cosines and sines are given.
///
/// The input is `[batch, heads, positions, size]`, or `[batch, positions, heads · size]`. A pair are the numbers at `i` and
/// `i + rotated/2`, or neighbours when interleaved; numbers from `rotated` on stay.
struct RotaryEmbedding: FloatingOperator {
    private let heads, rotated: Int
    private let isInterleaved: Bool

    init(_ node: inout NodeReader) throws {
        heads = try node.int("num_heads", or: 0)
        rotated = try node.int("rotary_embedding_dim", or: 0)
        isInterleaved = try node.flag("interleaved")
        guard heads >= 0, rotated >= 0, rotated % 2 == 0 else {
            throw OperatorError("\(rotated) numbers in each of \(heads) heads cannot be rotated")
        }
    }

    private struct Sizes {
        let batch, heads, positions, size, rotated: Int
        let layout: HeadLayout
    }

    private func sizes(_ shape: [Int]) throws -> Sizes {
        let sizes: Sizes
        switch shape.count {
        case 4:
            sizes = Sizes(
                batch: shape[0], heads: shape[1], positions: shape[2], size: shape[3],
                rotated: rotated == 0 ? shape[3] : rotated,
                layout: .separate(heads: shape[1], rows: shape[2], size: shape[3]))
        case 3:
            guard heads > 0, shape[2] % heads == 0 else {
                throw OperatorError("\(shape) cannot be split into \(heads) heads")
            }
            let size = shape[2] / heads
            sizes = Sizes(
                batch: shape[0], heads: heads, positions: shape[1], size: size, rotated: rotated == 0 ? size : rotated,
                layout: .packed(heads: heads, rows: shape[1], size: size))
        default: throw OperatorError("3 or 4 dimensions are wanted, not \(shape)")
        }
        guard sizes.rotated <= sizes.size, sizes.rotated % 2 == 0 else {
            throw OperatorError("\(sizes.rotated) of \(sizes.size) numbers cannot be rotated in pairs")
        }
        return sizes
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0).type
        let sizes = try sizes(input.shape)
        let (cosines, sines) = (try inputs.required(1), try inputs.required(2))
        let rows = inputs.optional(3) == nil ? [sizes.batch, sizes.positions] : Array(cosines.shape.prefix(1))
        guard cosines.type == sines.type, cosines.elementType == input.elementType,
            cosines.shape == rows + [sizes.rotated / 2], cosines.shape.count == (inputs.optional(3) == nil ? 3 : 2)
        else { throw OperatorError("cosines \(cosines.type) and sines \(sines.type) do not fit \(input)") }
        if let positions = inputs.optional(3), positions.shape != [sizes.batch, sizes.positions] {
            throw OperatorError("positions \(positions.type) do not fit \(input)")
        }
        return [input]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let sizes = try sizes(step.input(0).shape)
        let input = try step.elements(0, of: type)
        let output = try step.mutableElements(0, of: type)
        let (cosines, sines) = (try step.elements(1, of: type), try step.elements(2, of: type))
        let rows = try step.optional(3).map { try $0.indices(below: step.input(1).shape[0]) }
        let half = sizes.rotated / 2
        let (distance, stride) = isInterleaved ? (1, 2) : (half, 1)
        guard output.count > 0 else { return }
        let grain = max(1, Step.elementGrain / max(1, sizes.heads * sizes.size))
        try step.parallel(sizes.batch * sizes.positions, grain: grain) { range in
            for index in range {
                let (batch, position) = (index / sizes.positions, index % sizes.positions)
                let angle = (rows?[index] ?? index) * half
                for head in 0..<sizes.heads {
                    let start = sizes.layout.start(batch: batch, head: head, row: position)
                    for pair in 0..<half {
                        let (first, second) = (start + pair * stride, start + pair * stride + distance)
                        let (x, y) = (input[first], input[second])
                        let (cosine, sine) = (cosines[angle + pair], sines[angle + pair])
                        output[first] = cosine * x - sine * y
                        output[second] = sine * x + cosine * y
                    }
                    output.copy(input, start + sizes.rotated..<start + sizes.size, to: start + sizes.rotated)
                }
            }
        }
    }
}
