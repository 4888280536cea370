/// How externally trained weights replace a graph's own.
public struct WeightSwapOptions: Sendable {
    public var map: WeightMap?
    /// Whether names without a counterpart on either side are only reported.
    public var allowsMissing: Bool
    /// For BatchNorms that the graph's exporter merged into other layers without recording their epsilon; the first that
    /// fits a BatchNorm counts.
    public var epsilons: [BatchNormEpsilon]

    public init(map: WeightMap? = nil, allowsMissing: Bool = false, epsilons: [BatchNormEpsilon] = []) {
        self.map = map
        self.allowsMissing = allowsMissing
        self.epsilons = epsilons
    }
}

/// What a weight swap did.
public struct WeightSwapReport: Sendable, Hashable {
    /// Names of the graph's weights that were replaced.
    public var replaced: [String] = []
    /// Names of those whose elements were converted to the graph's type.
    public var converted: [String] = []
    /// Paths of the BatchNorms of the file that were merged into the layers before them.
    public var mergedBatchNorms: [String] = []
    /// Names of the graph's weights that the file lacks.
    public var missing: [String] = []
    /// Names of the file's tensors that the graph lacks.
    public var unused: [String] = []
    /// Names of the file's tensors that the graph lacks and that are no weights, because their numbers are integers, such
    /// as a BatchNorm's count of batches.
    public var ignored: [String] = []
    public var warnings: [String] = []
}

extension Model {
    /// Replaces the graph's weights by those of a file, by name.
    ///
    /// Shapes must agree. float, double, float16 and bfloat16 are converted to the graph's type, each number rounded
    /// once to nearest; other types must agree. BatchNorms that the graph's exporter merged into the layers before them
    /// are merged in the same way. A layer is replaced whole or not at all. Which initializers count as weights is told
    /// at `ExpectedWeights`.
    /// - Parameter source: the file's name, for messages.
    /// - Throws: `WeightSwapError` with everything that stands against it; the model is then as it was.
    public mutating func replaceWeights(
        with archive: TensorArchive, from source: String, options: WeightSwapOptions = WeightSwapOptions()
    ) throws -> WeightSwapReport {
        var swap = WeightSwap(graph: graph, archive: archive, options: options)
        swap.run()
        guard swap.problems.isEmpty else {
            throw WeightSwapError(source: source, problems: swap.problems, hint: swap.hint)
        }
        graph = swap.graph
        return swap.report
    }
}

struct WeightSwap {
    private(set) var graph: Graph
    private(set) var report = WeightSwapReport()
    private(set) var problems: [WeightSwapError.Problem] = []
    private(set) var hint: String?

    private let archive: TensorArchive
    private let options: WeightSwapOptions
    /// The file's tensors by their names in the graph.
    private var source: [String: ConstantTensor] = [:]

    init(graph: Graph, archive: TensorArchive, options: WeightSwapOptions) {
        self.graph = graph
        self.archive = archive
        self.options = options
    }

    mutating func run() {
        rename()
        guard problems.isEmpty else { return }
        let original = graph
        graph.separateSharedParameters(named: source)
        graph.restoreRemovedBiases(named: source)

        var fold = BatchNormalizationFold(graph: graph, source: source, epsilons: options.epsilons)
        fold.run()
        graph = fold.graph
        problems += fold.problems
        report.mergedBatchNorms = fold.merged.sorted()
        report.warnings += fold.warnings
        let replaced = replaceByName(except: fold.used).union(fold.replaced)
        report.replaced = replaced.sorted()
        graph.removeInitializers(unusedSince: original, except: replaced)
        checkCompleteness(replaced, folded: fold.used)
        checkLayers(replaced)
    }

    // MARK: Names

    private mutating func rename() {
        var origins: [String: [String]] = [:]
        var usedRules: Set<Int> = []
        let hasQuantisedWeights = graph.nodes.contains { $0.operatorName == "DequantizeLinear" }
        for (name, tensor) in archive.tensors {
            let (renamed, rule) = options.map?.rename(name) ?? (name, nil)
            if let rule { usedRules.insert(rule) }
            if graph.initializers[renamed] == nil, !ExpectedWeights.isFloatingPoint(tensor.elementType),
                !hasQuantisedWeights
            {
                report.ignored.append(name)
                continue
            }
            origins[renamed, default: []].append(name)
            source[renamed] = tensor
        }
        report.ignored.sort()
        for (name, sources) in origins.sorted(by: { $0.key < $1.key }) where sources.count > 1 {
            problems.append(.renamedTwice(name, from: sources.sorted()))
        }
        if !options.allowsMissing {
            for (index, rule) in (options.map?.rules ?? []).enumerated() where !usedRules.contains(index) {
                problems.append(.unusedRule(line: rule.line, pattern: rule.pattern))
            }
        }
    }

    // MARK: Values

    private mutating func replaceByName(except folded: Set<String>) -> Set<String> {
        var replaced: Set<String> = []
        let isSamePlace = numberedNameCheck()
        for (name, tensor) in source.sorted(by: { $0.key < $1.key }) where !folded.contains(name) {
            guard let old = graph.initializers[name] else { continue }
            guard isSamePlace(name) else {
                problems.append(.numberedName(name))
                continue
            }
            guard old.shape == tensor.shape else {
                problems.append(.shapeMismatch(name, graph: old.shape, source: tensor.shape))
                continue
            }
            if old.elementType == tensor.elementType {
                graph.initializers[name] = tensor
            } else if let elements = FloatingPointElements(tensor), FloatingPointElements.handles(old.elementType) {
                guard let bytes = FloatingPointElements.encode(elements.array(), as: old.elementType),
                    let converted = try? ConstantTensor(
                        elementType: old.elementType, shape: old.shape, payload: .bytes(bytes))
                else {
                    problems.append(.outOfRange(name, graph: old.elementType))
                    continue
                }
                graph.initializers[name] = converted
                report.converted.append(name)
            } else {
                problems.append(.typeMismatch(name, graph: old.elementType, source: tensor.elementType))
                continue
            }
            replaced.insert(name)
        }
        if archive.graph == nil, let name = replaced.filter(ModulePath.isNumbered).min() {
            report.warnings.append(
                "\(quoted(name)) and others are numbers that an exporter gave; they mean the same layer only if the "
                    + "arrays were taken from this very export")
        }
        return replaced
    }

    /// Tells whether a name that an exporter numbered stands at the same nodes in the graph that the file brings.
    private func numberedNameCheck() -> (String) -> Bool {
        guard let other = archive.graph else { return { _ in true } }
        let places = { (graph: Graph) in
            let uses = GraphUses(graph)
            return { (name: String) in
                (uses.uses[name] ?? []).map { use in
                    [graph.nodes[use.node].name, graph.nodes[use.node].operatorName, String(use.input)]
                }
            }
        }
        let (here, there) = (places(graph), places(other))
        return { name in !ModulePath.isNumbered(name) || here(name) == there(name) }
    }

    // MARK: Completeness

    private mutating func checkCompleteness(_ replaced: Set<String>, folded: Set<String>) {
        let uses = GraphUses(graph)
        report.missing = ExpectedWeights.names(in: graph, uses: uses).filter { !replaced.contains($0) }
        report.unused = source.keys.filter { !replaced.contains($0) && !folded.contains($0) }
            .filter { graph.initializers[$0] == nil }.sorted()
        guard !options.allowsMissing else { return }
        if !report.missing.isEmpty {
            problems.append(
                .missing(
                    report.missing.map { name in
                        guard ModulePath.isNumbered(name), let use = uses.uses[name]?.first else { return quoted(name) }
                        return "\(quoted(name)) (input \(use.input) of \(quoted(graph.nodes[use.node].name)))"
                    }))
        }
        if !report.unused.isEmpty { problems.append(.unused(report.unused.map(quoted))) }
        if !report.missing.isEmpty, !report.unused.isEmpty { hint = prefixHint() }
    }

    /// A layer is replaced whole or not at all, and so is a BatchNormalization after a Conv.
    private mutating func checkLayers(_ replaced: Set<String>) {
        var producers: [String: Node] = [:]
        for node in graph.nodes { for name in node.outputs { producers[name] = node } }
        for node in graph.nodes {
            var names = parameters(of: node)
            if node.operatorName == "BatchNormalization", let input = node.inputs.first, let before = producers[input],
                ["Conv", "ConvTranspose", "Gemm"].contains(before.operatorName)
            {
                names += parameters(of: before)
            }
            let missing = names.filter { !replaced.contains($0) }
            if !missing.isEmpty, missing.count < names.count {
                problems.append(.tornLayer("the layer \(quoted(node.name)) (\(node.operatorName))", missing: missing))
            }
        }
    }

    private func parameters(of node: Node) -> [String] {
        node.inputs.enumerated().compactMap { input, name in
            guard ModulePath.parameter(of: node, at: input) != nil, graph.initializers[name] != nil else { return nil }
            return name
        }
    }

    /// A rule of a weight map that would bring names together that differ by a prefix.
    private func prefixHint() -> String? {
        var wanted = Set(report.missing)
        for node in graph.nodes {
            guard let path = ModulePath.of(node), !path.isEmpty else { continue }
            wanted.insert(path + ".weight")
        }
        let unused = Set(report.unused)
        var rules: [String: Int] = [:]
        func count(_ longer: Set<String>, _ shorter: Set<String>, _ rule: (String) -> String) {
            for name in longer {
                var rest = name[...]
                while let dot = rest.firstIndex(of: ".") {
                    rest = rest[rest.index(after: dot)...]
                    if shorter.contains(String(rest)) {
                        rules[rule(String(name.dropLast(rest.count))), default: 0] += 1
                    }
                }
            }
        }
        count(wanted, unused) { "*  \($0)*" }
        count(unused, wanted) { "\($0)*  *" }
        guard let best = rules.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), best.value * 8 >= unused.count
        else { return nil }
        return "\(best.value) names differ by a prefix only; try a weight map (--map) with the line: \(best.key)"
    }
}
