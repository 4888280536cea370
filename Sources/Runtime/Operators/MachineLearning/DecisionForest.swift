import ONNXLoader

/// Decision trees: a sample goes down each from its root to a leaf, which votes for targets.
struct DecisionForest: Sendable {
    enum Aggregation: String { case sum = "SUM", average = "AVERAGE", least = "MIN", greatest = "MAX" }

    enum Comparison: String {
        case notAbove = "BRANCH_LEQ", below = "BRANCH_LT", notBelow = "BRANCH_GTE", above = "BRANCH_GT"
        case equal = "BRANCH_EQ", different = "BRANCH_NEQ", member = "BRANCH_MEMBER"
    }

    enum Place: Sendable { case node(Int), leaf(Int) }

    struct Node: Sendable {
        let feature: Int
        let comparison: Comparison
        let split: Double
        var members: Set<Double> = []
        /// Where NaN goes.
        let missingIsTrue: Bool
        let whenTrue, whenFalse: Place

        fileprivate func holds(_ value: Double) -> Bool {
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

    struct Vote: Sendable {
        let target: Int
        let weight: Double
    }

    let nodes: [Node]
    let roots: [Place]
    /// The votes of each leaf.
    let leaves: [[Vote]]
    let targets: Int
    /// Features that the nodes ask for: as many as the largest place, and one.
    let features: Int

    /// More targets than this are taken for a mistake.
    private static let mostTargets = 1 << 20

    /// - Throws: `OperatorError` when a place or a target lies outside.
    init(nodes: [Node], roots: [Place], leaves: [[Vote]], targets: Int) throws {
        func exists(_ place: Place) -> Bool {
            switch place {
            case .node(let index): nodes.indices.contains(index)
            case .leaf(let index): leaves.indices.contains(index)
            }
        }
        guard (1...Self.mostTargets).contains(targets),
            leaves.allSatisfy({ $0.allSatisfy { (0..<targets).contains($0.target) } })
        else { throw OperatorError("leaves vote for more than the \(targets) targets") }
        guard roots.allSatisfy(exists),
            nodes.allSatisfy({ exists($0.whenTrue) && exists($0.whenFalse) && $0.feature >= 0 && $0.feature < .max })
        else { throw OperatorError("a node or leaf of a tree does not exist") }
        self.nodes = nodes
        self.roots = roots
        self.leaves = leaves
        self.targets = targets
        features = (nodes.map(\.feature).max() ?? -1) + 1
    }

    /// The number of samples in a matrix of them.
    func samples(_ input: ValueInfo) throws -> Int {
        guard input.shape.count == 2, input.shape[1] >= features else {
            throw OperatorError("\(input.type) does not hold samples of \(features) features")
        }
        return input.shape[0]
    }

    /// The aggregated votes for every target; nil where no leaf votes.
    func scores(_ aggregation: Aggregation, feature: (Int) -> Double) throws -> [Double?] {
        var scores = [Double?](repeating: nil, count: targets)
        for root in roots {
            for vote in leaves[try leaf(from: root, feature)] {
                scores[vote.target] =
                    scores[vote.target].map { score in
                        switch aggregation {
                        case .average, .sum: score + vote.weight
                        case .least: min(score, vote.weight)
                        case .greatest: max(score, vote.weight)
                        }
                    } ?? vote.weight
            }
        }
        guard aggregation == .average else { return scores }
        return scores.map { $0.map { $0 / Double(roots.count) } }
    }

    private func leaf(from root: Place, _ feature: (Int) -> Double) throws -> Int {
        var place = root
        // A path longer than there are nodes goes in a circle.
        for _ in 0...nodes.count {
            switch place {
            case .leaf(let leaf): return leaf
            case .node(let index):
                let node = nodes[index]
                place = node.holds(feature(node.feature)) ? node.whenTrue : node.whenFalse
            }
        }
        throw OperatorError("a tree goes in a circle")
    }
}

extension NodeReader {
    /// Numbers that are an attribute of floats, or one of a tensor under the name with `_as_tensor`.
    mutating func floatsOrTensor(_ name: String) throws -> [Double]? {
        let floats = try optionalFloats(name)?.map(Double.init)
        return try tensor("\(name)_as_tensor")?.converted(to: .float64).array(of: Double.self) ?? floats
    }

    /// The trees of TreeEnsembleRegressor and TreeEnsembleClassifier, whose nodes are named by tree and number.
    ///
    /// - Parameter votes: what the attributes of the leaves' votes start with.
    mutating func namedForest(votes: String, targets: Int) throws -> DecisionForest {
        struct Name: Hashable {
            let tree, node: Int
        }
        ignore("nodes_hitrates", "nodes_hitrates_as_tensor")
        let names = try zip(ints("nodes_treeids"), ints("nodes_nodeids")).map { Name(tree: $0, node: $1) }
        let (features, modes) = (try ints("nodes_featureids"), try strings("nodes_modes") ?? [])
        let splits = try floatsOrTensor("nodes_values") ?? []
        let (trueNames, falseNames) = (try ints("nodes_truenodeids"), try ints("nodes_falsenodeids"))
        let missing = try optionalInts("nodes_missing_value_tracks_true")
        let counts = [features.count, modes.count, splits.count, trueNames.count, falseNames.count]
        guard !names.isEmpty, counts.allSatisfy({ $0 == names.count }), missing?.count ?? names.count == names.count
        else { throw OperatorError("the attributes nodes_… have different lengths: \(counts)") }

        // Inner nodes and leaves are counted apart.
        var places: [Name: DecisionForest.Place] = [:]
        var (nodeCount, leafCount) = (0, 0)
        for (name, mode) in zip(names, modes) {
            places[name] = mode == "LEAF" ? .leaf(leafCount) : .node(nodeCount)
            if mode == "LEAF" { leafCount += 1 } else { nodeCount += 1 }
        }
        func place(_ name: Name) throws -> DecisionForest.Place {
            guard let place = places[name] else { throw OperatorError("tree \(name.tree) has no node \(name.node)") }
            return place
        }
        var nodes: [DecisionForest.Node] = []
        var roots: [DecisionForest.Place] = []
        var trees: Set<Int> = []
        for (index, name) in names.enumerated() {
            if trees.insert(name.tree).inserted { roots.append(try place(name)) }
            guard modes[index] != "LEAF" else { continue }
            guard let comparison = DecisionForest.Comparison(rawValue: modes[index]), comparison != .member else {
                throw OperatorError("node \(name.node) of tree \(name.tree) has the unknown mode \(modes[index])")
            }
            nodes.append(
                DecisionForest.Node(
                    feature: features[index], comparison: comparison, split: splits[index],
                    missingIsTrue: missing.map { $0[index] != 0 } ?? false,
                    whenTrue: try place(Name(tree: name.tree, node: trueNames[index])),
                    whenFalse: try place(Name(tree: name.tree, node: falseNames[index]))))
        }

        let voters = try zip(ints("\(votes)_treeids"), ints("\(votes)_nodeids")).map { Name(tree: $0, node: $1) }
        let (ids, weights) = (try ints("\(votes)_ids"), try floatsOrTensor("\(votes)_weights") ?? [])
        guard ids.count == voters.count, weights.count == voters.count else {
            throw OperatorError("\(voters.count) votes for \(ids.count) targets with \(weights.count) weights")
        }
        var leaves = [[DecisionForest.Vote]](repeating: [], count: leafCount)
        for (index, voter) in voters.enumerated() {
            guard case .leaf(let leaf) = try place(voter) else { continue }
            leaves[leaf].append(.init(target: ids[index], weight: weights[index]))
        }
        return try DecisionForest(nodes: nodes, roots: roots, leaves: leaves, targets: targets)
    }
}
