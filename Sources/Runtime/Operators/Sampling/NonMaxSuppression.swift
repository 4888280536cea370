import ONNXLoader

/// NonMaxSuppression (opsets 10–11): per class the boxes of highest score, without those that overlap a chosen one.
struct NonMaxSuppression: Operator {
    let boxesAreCentered: Bool

    init(_ node: inout NodeReader) throws {
        boxesAreCentered = try node.flag("center_point_box")
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let boxes = try inputs.required(0)
        let scores = try inputs.required(1)
        guard boxes.shape.count == 3, boxes.shape[2] == 4, scores.shape.count == 3, scores.shape[0] == boxes.shape[0],
            scores.shape[2] == boxes.shape[1]
        else { throw OperatorError("scores \(scores.type) do not fit boxes \(boxes.type)") }
        throw DataDependentTypes()
    }

    func run(_ step: inout Step) throws {
        let scoreTensor = try step.input(1)
        let boxes = try step.elements(0, of: Float.self)
        let scores = try scoreTensor.elements(of: Float.self)
        let (batches, classes, count) = (scoreTensor.shape[0], scoreTensor.shape[1], scoreTensor.shape[2])
        let limit = try step.optional(2)?.integers().first ?? 0
        let overlap = try step.optional(3)?.elements(of: Float.self).first ?? 0
        let lowest = try step.optional(4)?.elements(of: Float.self).first
        var selected: [Int64] = []
        for batch in 0..<batches {
            let areas = (0..<count).map { box(boxes, batch * count + $0) }
            for label in 0..<classes {
                let start = (batch * classes + label) * count
                let candidates = (0..<count).filter { lowest == nil || scores[start + $0] > lowest! }.sorted {
                    let (left, right) = (scores[start + $0], scores[start + $1])
                    return left == right ? $0 < $1 : left > right
                }
                var kept: [Int] = []
                for candidate in candidates where kept.count < limit {
                    try step.checkpoint()
                    guard !kept.contains(where: { areas[candidate].overlaps(areas[$0], by: overlap) }) else { continue }
                    kept.append(candidate)
                    selected += [Int64(batch), Int64(label), Int64(candidate)]
                }
            }
        }
        step.set(0, .tensor(try Tensor(selected, shape: [selected.count / 3, 3])))
    }

    private struct Box {
        let left, right, top, bottom: Float

        var area: Float { (right - left) * (bottom - top) }

        /// Whether the intersection's part of the union is larger than `threshold`.
        func overlaps(_ other: Box, by threshold: Float) -> Bool {
            let width = min(right, other.right) - max(left, other.left)
            let height = min(bottom, other.bottom) - max(top, other.top)
            guard width > 0, height > 0, area > 0, other.area > 0 else { return false }
            let intersection = width * height
            let union = area + other.area - intersection
            return intersection > 0 && union > 0 && intersection / union > threshold
        }
    }

    private func box(_ boxes: Elements<Float>, _ index: Int) -> Box {
        let values = (0..<4).map { boxes[index * 4 + $0] }
        guard boxesAreCentered else {
            // Any two opposite corners, y before x.
            return Box(
                left: min(values[1], values[3]), right: max(values[1], values[3]), top: min(values[0], values[2]),
                bottom: max(values[0], values[2]))
        }
        return Box(
            left: values[0] - values[2] / 2, right: values[0] + values[2] / 2, top: values[1] - values[3] / 2,
            bottom: values[1] + values[3] / 2)
    }
}
