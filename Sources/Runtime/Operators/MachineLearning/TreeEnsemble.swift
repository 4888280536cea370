import ONNXLoader

/// TreeEnsemble (opset 5 of `ai.onnx.ml`): the leaves that a sample reaches in decision trees, added up for every target.
struct TreeEnsemble: FloatingOperator {
    private enum Aggregation: Int { case average, sum, least, greatest }
    private enum Comparison: UInt8 { case notAbove, below, notBelow, above, equal, different, member }

    /// An inner node; a child is a leaf's place or a node's.
    private struct Node: Sendable {
        enum Child: Sendable { case node(Int), leaf(Int) }

        let feature: Int
        let comparison: Comparison
        let split: Double
        let members: Set<Double>
        let missingIsTrue: Bool
        let whenTrue, whenFalse: Child

        func holds(_ value: Double) -> Bool {
            if value.isNaN { return missingIsTrue }
            return switch comparison {
            case .notAbove: value <= split
            case .below: value < split
            case .notBelow: value >= split
            case .above: value > split
            case .equal: value == split
            case .different: value != split
            case .member: members.contains(value)
            }
        }
    }

    /// More targets than this are taken for a mistake.
    private static let mostTargets = 1 << 20

    private let nodes: [Node]
    private let roots: [Int]
    private let leaves: [(weight: Double, target: Int)]
    private let aggregation: Aggregation
    private let postTransform: PostTransform
    private let targets, features: Int

    init(_ node: inout NodeReader) throws {
        guard let aggregation = Aggregation(rawValue: try node.int("aggregate_function", or: 1)),
            let postTransform = PostTransform(number: try node.int("post_transform", or: 0))
        else { throw OperatorError("aggregate_function or post_transform is unknown") }
        self.aggregation = aggregation
        self.postTransform = postTransform
        node.ignore("nodes_hitrates")
        let leafTargets = try node.ints("leaf_targetids")
        let weights = try Self.numbers(&node, "leaf_weights") ?? []
        let targets = try node.int("n_targets", or: 1)
        guard (1...Self.mostTargets).contains(targets), weights.count == leafTargets.count,
            leafTargets.allSatisfy({ (0..<targets).contains($0) })
        else { throw OperatorError("\(weights.count) leaves for \(leafTargets.count) of \(targets) targets") }
        self.targets = targets
        leaves = Array(zip(weights, leafTargets))
        nodes = try Self.nodes(&node, leafCount: weights.count)
        roots = try node.ints("tree_roots")
        features = (nodes.map(\.feature).max() ?? -1) + 1
        guard roots.allSatisfy(nodes.indices.contains) else { throw OperatorError("a tree has no root") }
    }

    private static func numbers(_ node: inout NodeReader, _ name: String) throws -> [Double]? {
        try node.tensor(name)?.converted(to: .float64).array(of: Double.self)
    }

    private static func nodes(_ node: inout NodeReader, leafCount: Int) throws -> [Node] {
        let features = try node.ints("nodes_featureids")
        let modes = try node.tensor("nodes_modes")?.integers() ?? []
        let splits = try numbers(&node, "nodes_splits") ?? []
        let (trueChildren, falseChildren) = (try node.ints("nodes_truenodeids"), try node.ints("nodes_falsenodeids"))
        let (trueLeaves, falseLeaves) = (try node.ints("nodes_trueleafs"), try node.ints("nodes_falseleafs"))
        let missing = try node.optionalInts("nodes_missing_value_tracks_true")
        let count = features.count
        let counts = [
            modes.count, splits.count, trueChildren.count, falseChildren.count, trueLeaves.count, falseLeaves.count,
            missing?.count ?? count,
        ]
        guard count > 0, counts.allSatisfy({ $0 == count }), features.allSatisfy({ $0 >= 0 && $0 < .max }) else {
            throw OperatorError("the attributes nodes_… have different lengths: \(counts)")
        }
        var members = (try numbers(&node, "membership_values") ?? []).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNaN
        ).makeIterator()
        return try (0..<count).map { index in
            func child(_ place: Int, _ isLeaf: Int) throws -> Node.Child {
                guard place >= 0, place < (isLeaf != 0 ? leafCount : count) else {
                    throw OperatorError("node \(index) has no child \(place)")
                }
                return isLeaf != 0 ? .leaf(place) : .node(place)
            }
            guard let mode = UInt8(exactly: modes[index]), let comparison = Comparison(rawValue: mode) else {
                throw OperatorError("node \(index) has the unknown mode \(modes[index])")
            }
            return Node(
                feature: features[index], comparison: comparison, split: splits[index],
                members: comparison == .member ? Set(members.next() ?? []) : [],
                missingIsTrue: missing.map { $0[index] != 0 } ?? false,
                whenTrue: try child(trueChildren[index], trueLeaves[index]),
                whenFalse: try child(falseChildren[index], falseLeaves[index]))
        }
    }

    func types(of inputs: [ValueInfo?], arity: Int) throws -> [ValueType] {
        let input = try inputs.required(0)
        guard input.shape.count == 2, input.shape[1] >= features else {
            throw OperatorError("\(input.type) does not hold samples of \(features) features")
        }
        return [ValueType(input.elementType, [input.shape[0], targets])]
    }

    func compute<Element: FloatingElement>(_ step: inout Step, _ type: Element.Type) throws {
        let input = try step.input(0)
        let source = try input.elements(of: type)
        let output = try step.mutableElements(0, of: type)
        let context = step.context
        try step.parallel(input.shape[0], grain: 64) { samples in
            try context.checkpoint()
            for sample in samples {
                var sums = [Double?](repeating: nil, count: targets)
                for root in roots {
                    let leaf = leaves[
                        try leaf(from: root) { source[sample * input.shape[1] + $0].double }]
                    sums[leaf.target] = sums[leaf.target].map { combine($0, leaf.weight) } ?? leaf.weight
                }
                let scale = aggregation == .average ? 1 / Double(max(1, roots.count)) : 1
                for (target, score) in postTransform.apply(sums.map { ($0 ?? 0) * scale }).enumerated() {
                    output[sample * targets + target] = Element(score)
                }
            }
        }
    }

    private func combine(_ sum: Double, _ weight: Double) -> Double {
        switch aggregation {
        case .average, .sum: sum + weight
        case .least: min(sum, weight)
        case .greatest: max(sum, weight)
        }
    }

    private func leaf(from root: Int, feature: (Int) -> Double) throws -> Int {
        var place = root
        // A path longer than there are nodes goes in a circle.
        for _ in 0..<nodes.count {
            let node = nodes[place]
            switch node.holds(feature(node.feature)) ? node.whenTrue : node.whenFalse {
            case .leaf(let leaf): return leaf
            case .node(let next): place = next
            }
        }
        throw OperatorError("the tree at node \(root) goes in a circle")
    }
}
