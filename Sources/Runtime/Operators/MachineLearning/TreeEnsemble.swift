import ONNXLoader

/// TreeEnsemble (opset 5 of `ai.onnx.ml`): the leaves that a sample reaches in decision trees, aggregated for every target.
struct TreeEnsemble: FloatingOperator {
    private let forest: DecisionForest
    private let aggregation: DecisionForest.Aggregation
    private let postTransform: PostTransform

    init(_ node: inout NodeReader) throws {
        let aggregations: [DecisionForest.Aggregation] = [.average, .sum, .least, .greatest]
        let number = try node.int("aggregate_function", or: 1)
        guard aggregations.indices.contains(number),
            let postTransform = PostTransform(number: try node.int("post_transform", or: 0))
        else { throw OperatorError("aggregate_function or post_transform is unknown") }
        aggregation = aggregations[number]
        self.postTransform = postTransform
        node.ignore("nodes_hitrates")
        let targets = try node.ints("leaf_targetids")
        let weights = try Self.numbers(&node, "leaf_weights") ?? []
        guard weights.count == targets.count else {
            throw OperatorError("\(weights.count) leaves for \(targets.count) targets")
        }
        forest = try DecisionForest(
            nodes: Self.nodes(&node), roots: node.ints("tree_roots").map { .node($0) },
            leaves: zip(targets, weights).map { [.init(target: $0, weight: $1)] }, targets: node.int("n_targets", or: 1)
        )
    }

    private static func numbers(_ node: inout NodeReader, _ name: String) throws -> [Double]? {
        try node.tensor(name)?.converted(to: .float64).array(of: Double.self)
    }

    private static func nodes(_ node: inout NodeReader) throws -> [DecisionForest.Node] {
        let comparisons: [DecisionForest.Comparison] = [
            .notAbove, .below, .notBelow, .above, .equal, .different, .member,
        ]
        let features = try node.ints("nodes_featureids")
        let modes = try node.tensor("nodes_modes")?.integers() ?? []
        let splits = try numbers(&node, "nodes_splits") ?? []
        let (trueChildren, falseChildren) = (try node.ints("nodes_truenodeids"), try node.ints("nodes_falsenodeids"))
        let (trueLeaves, falseLeaves) = (try node.ints("nodes_trueleafs"), try node.ints("nodes_falseleafs"))
        let missing = try node.optionalInts("nodes_missing_value_tracks_true")
        let counts = [
            modes.count, splits.count, trueChildren.count, falseChildren.count, trueLeaves.count, falseLeaves.count,
            missing?.count ?? features.count,
        ]
        guard counts.allSatisfy({ $0 == features.count }) else {
            throw OperatorError("the attributes nodes_… have different lengths: \(counts)")
        }
        var members = (try numbers(&node, "membership_values") ?? []).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNaN
        ).makeIterator()
        return try features.indices.map { index in
            guard comparisons.indices.contains(modes[index]) else {
                throw OperatorError("node \(index) has the unknown mode \(modes[index])")
            }
            let comparison = comparisons[modes[index]]
            return DecisionForest.Node(
                feature: features[index], comparison: comparison, split: splits[index],
                members: comparison == .member ? Set(members.next() ?? []) : [],
                missingIsTrue: missing.map { $0[index] != 0 } ?? false,
                whenTrue: trueLeaves[index] != 0 ? .leaf(trueChildren[index]) : .node(trueChildren[index]),
                whenFalse: falseLeaves[index] != 0 ? .leaf(falseChildren[index]) : .node(falseChildren[index]))
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        return [ValueType(input.elementType, [try forest.samples(input), forest.targets])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let context = step.context
        try step.parallel(input.shape[0], grain: 64) { samples in
            try context.checkpoint()
            for sample in samples {
                let scores = try forest.scores(aggregation) { source[sample * input.shape[1] + $0].double }
                for (target, score) in postTransform.apply(scores.map { $0 ?? 0 }).enumerated() {
                    output[sample * forest.targets + target] = Element(score)
                }
            }
        }
    }
}
