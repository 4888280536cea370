import ONNXLoader

/// Coefficients and intercepts: `W · x + b` for every sample.
struct LinearModel: Sendable {
    private let coefficients, intercepts: [Float]
    let postTransform: PostTransform

    init(_ node: inout NodeReader) throws {
        coefficients = try node.optionalFloats("coefficients") ?? []
        intercepts = try node.optionalFloats("intercepts") ?? []
        postTransform = try node.choice("post_transform", or: .none)
    }

    /// Samples, features of each, and scores of each.
    func sizes(_ input: ValueInfo) throws -> (samples: Int, features: Int, scores: Int) {
        guard (1...2).contains(input.shape.count), let features = input.shape.last, features > 0,
            coefficients.count > 0, coefficients.count % features == 0,
            intercepts.isEmpty || intercepts.count == coefficients.count / features
        else {
            throw OperatorError(
                "\(coefficients.count) coefficients and \(intercepts.count) intercepts do not fit \(input.type)")
        }
        return (input.shape.count == 1 ? 1 : input.shape[0], features, coefficients.count / features)
    }

    /// The scores of every sample, before the transform.
    func scores(_ input: Tensor, budget: MemoryBudget) throws -> [[Double]] {
        let sizes = try sizes(ValueInfo(input))
        let source = try input.converted(to: .float64, budget: budget).elements(of: Double.self)
        return (0..<sizes.samples).map { sample in
            (0..<sizes.scores).map { score in
                (0..<sizes.features).reduce(intercepts.isEmpty ? 0 : Double(intercepts[score])) { sum, feature in
                    sum + source[sample * sizes.features + feature]
                        * Double(coefficients[score * sizes.features + feature])
                }
            }
        }
    }
}

/// LinearRegressor (opset 1 of `ai.onnx.ml`).
struct LinearRegressor: Operator {
    private let model: LinearModel
    private let targets: Int

    init(_ node: inout NodeReader) throws {
        model = try LinearModel(&node)
        targets = try node.int("targets", or: 1)
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try model.sizes(inputs.required(0))
        guard sizes.scores == targets else { throw OperatorError("\(sizes.scores) scores for \(targets) targets") }
        return [ValueType(.float32, [sizes.samples, targets])]
    }

    func run(_ step: inout Step) throws {
        let output = try step.mutableElements(0, of: Float.self)
        let scores = try model.scores(step.input(0), budget: step.context.budget)
        for (index, score) in scores.flatMap({ model.postTransform.apply($0) }).enumerated() {
            output[index] = Float(score)
        }
    }
}

/// LinearClassifier (opset 1 of `ai.onnx.ml`): the label of the highest score of every sample, and the scores.
struct LinearClassifier: Operator {
    private let model: LinearModel
    private let labels: Tensor

    init(_ node: inout NodeReader) throws {
        model = try LinearModel(&node)
        node.ignore("multi_class")
        if let strings = try node.strings("classlabels_strings"), !strings.isEmpty {
            node.ignore("classlabels_ints")
            labels = try Tensor(strings: strings, shape: [strings.count])
        } else {
            let integers = try node.ints("classlabels_ints").map { Int64($0) }
            labels = try Tensor(integers, shape: [integers.count])
        }
    }

    /// A single score of two classes is that of the second one; the first has its negative.
    private func isBinary(_ scores: Int) -> Bool { scores == 1 && labels.count == 2 }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let sizes = try model.sizes(inputs.required(0))
        let count = isBinary(sizes.scores) ? 2 : sizes.scores
        guard count == labels.count else { throw OperatorError("\(count) scores for \(labels.count) labels") }
        return Array(
            [ValueType(labels.elementType, [sizes.samples]), ValueType(.float32, [sizes.samples, count])].prefix(arity))
    }

    func run(_ step: inout Step) throws {
        for (sample, scores) in try model.scores(step.input(0), budget: step.context.budget).enumerated() {
            let scores = model.postTransform.apply(isBinary(scores.count) ? [-scores[0], scores[0]] : scores)
            let best = scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
            if step.wants(0) { try step.copy(labels, best..<best + 1, to: 0, at: sample) }
            guard step.wants(1) else { continue }
            let output = try step.mutableElements(1, of: Float.self)
            for (index, score) in scores.enumerated() { output[sample * scores.count + index] = Float(score) }
        }
    }
}
