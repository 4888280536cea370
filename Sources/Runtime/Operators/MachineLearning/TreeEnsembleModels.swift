import ONNXLoader

/// TreeEnsembleRegressor (opsets 1–3 of `ai.onnx.ml`).
struct TreeEnsembleRegressor: Operator {
    private let forest: DecisionForest
    private let aggregation: DecisionForest.Aggregation
    private let postTransform: PostTransform
    private let base: [Double]

    init(_ node: inout NodeReader) throws {
        let name = try node.string("aggregate_function", or: "SUM")
        guard let aggregation = DecisionForest.Aggregation(rawValue: name) else {
            throw OperatorError("aggregate_function is “\(name)”")
        }
        self.aggregation = aggregation
        postTransform = try node.choice("post_transform", or: .none)
        base = try node.floatsOrTensor("base_values") ?? []
        forest = try node.namedForest(votes: "target", targets: node.int("n_targets", or: 1))
        guard base.isEmpty || base.count == forest.targets else {
            throw OperatorError("\(base.count) base values for \(forest.targets) targets")
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        [ValueType(.float32, [try forest.samples(inputs.required(0)), forest.targets])]
    }

    func run(_ step: inout Step) throws {
        let output = try step.mutableElements(0, of: Float.self)
        try step.forEachSample { sample, feature in
            let votes = try forest.scores(aggregation, feature: feature)
            let scores = votes.enumerated().map { ($1 ?? 0) + (base.isEmpty ? 0 : base[$0]) }
            for (target, score) in postTransform.apply(scores).enumerated() {
                output[sample * forest.targets + target] = Float(score)
            }
        }
    }
}

/// TreeEnsembleClassifier (opsets 1–3 of `ai.onnx.ml`): the label with the highest score of every sample, and the scores.
struct TreeEnsembleClassifier: Operator {
    private let forest: DecisionForest
    private let postTransform: PostTransform
    private let base: [Double]
    private let labels: Tensor
    /// The one class that leaves vote for, where there are two: the other one's score follows from its own.
    private let onlyClass: Int?
    private let weightsArePositive: Bool

    init(_ node: inout NodeReader) throws {
        postTransform = try node.choice("post_transform", or: .none)
        base = try node.floatsOrTensor("base_values") ?? []
        if let strings = try node.strings("classlabels_strings"), !strings.isEmpty {
            node.ignore("classlabels_int64s")
            labels = try Tensor(strings: strings, shape: [strings.count])
        } else {
            let integers = try node.ints("classlabels_int64s").map { Int64($0) }
            labels = try Tensor(integers, shape: [integers.count])
        }
        forest = try node.namedForest(votes: "class", targets: labels.count)
        let votes = forest.leaves.joined()
        onlyClass = labels.count == 2 && Set(votes.map(\.target)).count == 1 ? votes.first?.target : nil
        weightsArePositive = votes.allSatisfy { $0.weight >= 0 }
        guard base.isEmpty || base.count == labels.count || onlyClass != nil && base.count == 1 else {
            throw OperatorError("\(base.count) base values for \(labels.count) classes")
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let samples = try forest.samples(inputs.required(0))
        return Array(
            [ValueType(labels.elementType, [samples]), ValueType(.float32, [samples, labels.count])].prefix(arity))
    }

    func run(_ step: inout Step) throws {
        let (labelled, scored) = (step.wants(0), step.wants(1))
        let output = scored ? try step.mutableElements(1, of: Float.self) : nil
        var best: [Int] = []
        try step.forEachSample { sample, feature in
            let (scores, label) = result(try forest.scores(.sum, feature: feature))
            for (index, score) in scores.enumerated() { output?[sample * labels.count + index] = Float(score) }
            best.append(label)
        }
        guard labelled else { return }
        for (sample, label) in best.enumerated() { try step.copy(labels, label..<label + 1, to: 0, at: sample) }
    }

    /// The scores after the transform, and the place of the label.
    private func result(_ votes: [Double?]) -> (scores: [Double], label: Int) {
        guard let onlyClass else {
            let scores = votes.enumerated().map { ($1 ?? 0) + (base.isEmpty ? 0 : base[$0]) }
            return (postTransform.apply(scores), scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 })
        }
        let own = base.isEmpty ? 0 : base[base.count == 1 ? 0 : onlyClass]
        let score = (votes[onlyClass] ?? 0) + own
        // Sums of weights that are all positive are probabilities; others are margins.
        let isProbability = weightsArePositive && postTransform != .logistic
        return (
            isProbability ? [1 - score, score] : postTransform.apply([-score, score]),
            score > (weightsArePositive ? 0.5 : 0) ? 1 : 0
        )
    }
}

extension Step {
    /// Calls `body` with each row of input 0, a matrix of real numbers, in turn.
    fileprivate func forEachSample(_ body: (_ sample: Int, _ feature: (Int) -> Double) throws -> Void) throws {
        let input = try input(0)
        let source = try input.converted(to: .float64, budget: context.budget).elements(of: Double.self)
        for sample in 0..<input.shape[0] {
            if sample % 64 == 0 { try checkpoint() }
            try body(sample) { source[sample * input.shape[1] + $0] }
        }
    }
}
