/// The parameters and statistics of a BatchNorm module.
struct BatchNormalizationParameters {
    /// nil for a module without learned scale and shift.
    let scale: [Double]?
    let shift: [Double]?
    let mean: [Double]
    let variance: [Double]

    /// Merges `y = (x − mean) / √(variance + epsilon) · scale + shift` into the layer that gives `x`: its weight is
    /// multiplied, channel by channel, by `scale / √(variance + epsilon)`, and its bias becomes
    /// `(bias − mean) · scale / √(variance + epsilon) + shift`. All in double precision.
    ///
    /// - Parameter channel: the output channel that the weight's n-th element belongs to.
    /// - Returns: nil when a variance is negative or a result is not finite.
    func merged(
        weight: [Double], bias: [Double]?, epsilon: Double, channel: (Int) -> Int
    ) -> (weight: [Double], bias: [Double])? {
        let factors = variance.indices.map { (scale?[$0] ?? 1) / (variance[$0] + epsilon).squareRoot() }
        let mergedWeight = weight.indices.map { weight[$0] * factors[channel($0)] }
        let mergedBias = mean.indices.map { ((bias?[$0] ?? 0) - mean[$0]) * factors[$0] + (shift?[$0] ?? 0) }
        let isSound =
            variance.allSatisfy { $0 >= 0 } && mergedWeight.allSatisfy(\.isFinite) && mergedBias.allSatisfy(\.isFinite)
        return isSound ? (mergedWeight, mergedBias) : nil
    }
}

/// Merging the BatchNorms that a file of weights brings into a graph whose exporter has merged its own.
///
/// Such a graph has a Conv where the network has a Conv and a BatchNorm. Which Conv took up which BatchNorm is known from
/// the nodes' metadata where the exporter wrote them, otherwise from names: the module of the Conv is known from its
/// weight's name or the node's path, and its BatchNorm is the `bn…` of the same number beside it (`conv1`, `bn1`) or the
/// next module of the same sequence (`downsample.0`, `downsample.1`). Everything that leaves a doubt is an error.
struct BatchNormalizationFold {
    /// PyTorch's default.
    static let usualEpsilon = 1e-5

    var graph: Graph
    let source: [String: ConstantTensor]
    /// For BatchNorms whose epsilon the graph does not record.
    let epsilons: [BatchNormEpsilon]

    private(set) var used: Set<String> = []
    private(set) var replaced: Set<String> = []
    private(set) var problems: [WeightSwapError.Problem] = []
    private(set) var warnings: [String] = []
    /// Paths of the merged BatchNorms.
    private(set) var merged: [String] = []

    private let uses: GraphUses
    private let producers: [String: Int]
    private var claims: [String: String] = [:]
    private var assumptions = 0

    init(graph: Graph, source: [String: ConstantTensor], epsilons: [BatchNormEpsilon]) {
        self.graph = graph
        self.source = source
        self.epsilons = epsilons
        uses = GraphUses(graph)
        var producers: [String: Int] = [:]
        for (index, node) in graph.nodes.enumerated() { for name in node.outputs { producers[name] = index } }
        self.producers = producers
    }

    mutating func run() {
        let homeless = Set(
            source.keys.filter { name in
                (name.hasSuffix("running_mean") || name.hasSuffix("running_var")) && graph.initializers[name] == nil
            }.map { ModulePath.parent(of: $0) })
        for index in graph.nodes.indices { mergeIfFolded(index, homeless) }
        for path in homeless.subtracting(merged).sorted() where !problems.contains(where: { $0.isFold(of: path) }) {
            noteUnmerged(path)
        }
        if assumptions > 0 {
            warnings.append(
                "the graph does not record the epsilon of the \(assumptions) BatchNorms merged into it; "
                    + "PyTorch's default of \(Self.usualEpsilon) was used")
        }
    }

    private mutating func mergeIfFolded(_ index: Int, _ homeless: Set<String>) {
        let node = graph.nodes[index]
        guard ["Conv", "ConvTranspose", "Gemm"].contains(node.operatorName), node.domain.isEmpty,
            node.inputs.count > 1, let weight = graph.initializers[node.inputs[1]]
        else { return }
        let record = FoldRecord(node)
        guard let module = module(of: node, at: index) else {
            if let record, homeless.contains(record.path) {
                fail(
                    record.path,
                    "the weight of the layer before it, \(quoted(node.name)), is not in the file under a known name, or "
                        + "other layers share it")
            }
            return
        }
        guard let path = record?.path ?? partner(of: module, node, homeless) else { return }
        guard homeless.contains(path) else {
            if source.keys.contains(where: { $0.hasPrefix(path + ".") }) {
                fail(
                    path, "the exporter merged it into \(quoted(node.name)), but the file lacks its running statistics")
            }
            return
        }
        do {
            try merge(path, into: index, module: module, weight: weight, record: record)
        } catch {
            fail(path, error.text)
        }
    }

    /// The module that a node was exported from, if the file has its weight. A name that several nodes take may come from
    /// an exporter that stores equal tensors once; it does not tell the module.
    private func module(of node: Node, at index: Int) -> String? {
        let name = node.inputs[1]
        if name.hasSuffix(".weight"), source[name] != nil {
            return uses.isOnly(GraphUses.Use(node: index, input: 1), of: name) ? ModulePath.parent(of: name) : nil
        }
        guard ModulePath.isNumbered(name), let path = ModulePath.of(node), !path.isEmpty,
            source[path + ".weight"] != nil
        else { return nil }
        return path
    }

    /// The BatchNorm that follows a module, by the modules' names.
    private func partner(of module: String, _ node: Node, _ homeless: Set<String>) -> String? {
        guard node.operatorName == "Conv", !FoldRecord.isKept(by: node) else { return nil }
        let parent = ModulePath.parent(of: module)
        let name = parent.isEmpty ? module : String(module.dropFirst(parent.count + 1))
        var candidates: [String] = []
        if name.contains("conv") {
            candidates.append(ModulePath.child(name.replacing("conv", with: "bn"), of: parent))
        }
        if let index = Int(name), index < Int.max {
            candidates.append(ModulePath.child(String(index + 1), of: parent))
        }
        return candidates.first { homeless.contains($0) }
    }

    private struct Refusal: Error { let text: String }

    private mutating func merge(
        _ path: String, into index: Int, module: String, weight: ConstantTensor, record: FoldRecord?
    ) throws(Refusal) {
        let node = graph.nodes[index]
        let label = quoted(node.name.isEmpty ? module : node.name)
        if let other = claims[path], record == nil {
            throw Refusal(text: "both \(other) and \(label) could have taken it up")
        }
        if record == nil {
            try checkNeighbours(of: node, label)
            if weight.hasCentredFilters {
                throw Refusal(
                    text:
                        "every filter of \(label) has the mean 0, so that its weight was standardised before it was merged"
                )
            }
        }
        guard let sourceWeight = source[module + ".weight"] else { return }
        guard sourceWeight.shape == weight.shape, FloatingPointElements.handles(weight.elementType) else {
            throw Refusal(
                text: "\(quoted(module + ".weight")) has the shape \(described(sourceWeight.shape)), the weight of "
                    + "\(label) has \(described(weight.shape))")
        }
        guard let layout = ChannelLayout(node, shape: weight.shape) else {
            throw Refusal(text: "\(label) lays its output channels out in a way that is not known")
        }
        let parameters = try parameters(of: path, channels: layout.channels)
        let sourceBias = try vector(module + ".bias", count: layout.channels)
        guard let elements = FloatingPointElements(sourceWeight) else {
            throw Refusal(text: "\(quoted(module + ".weight")) does not hold floating-point numbers")
        }
        let given = record?.epsilon ?? epsilons.first { $0.fits(path) }?.value
        let epsilon = if let given { given } else { try assumedEpsilon() }
        guard
            let result = parameters.merged(
                weight: elements.array(), bias: sourceBias, epsilon: epsilon, channel: layout.channel),
            let newWeight = FloatingPointElements.encode(result.weight, as: weight.elementType),
            let newBias = FloatingPointElements.encode(result.bias, as: weight.elementType)
        else { throw Refusal(text: "its variances are negative, or the merged weights are not finite") }
        try store(newWeight, weight.shape, weight.elementType, at: index, input: 1, name: module + ".weight")
        try store(newBias, [layout.channels], weight.elementType, at: index, input: 2, name: module + ".bias")
        claims[path] = label
        merged.append(path)
        if given == nil { assumptions += 1 }
        for name in ["weight", "bias"] { markUsed(module + "." + name) }
        for name in ["weight", "bias", "running_mean", "running_var"] { markUsed(path + "." + name) }
    }

    /// Without the exporter's record: the Conv must look as a merged one does.
    private func checkNeighbours(of node: Node, _ label: String) throws(Refusal) {
        guard node.inputs.count > 2, graph.initializers[node.inputs[2]] != nil else {
            throw Refusal(text: "\(label) has no bias, so that nothing shows that a BatchNorm was merged into it")
        }
        for use in node.outputs.flatMap({ uses.uses[$0] ?? [] }) {
            let next = graph.nodes[use.node]
            let isAffine = ["Mul", "Add", "Sub", "Div"].contains(next.operatorName)
            guard next.operatorName != "BatchNormalization",
                !isAffine || next.inputs.allSatisfy({ (graph.initializers[$0]?.count ?? 0) <= 1 })
            else {
                throw Refusal(text: "\(label) is followed by \(quoted(next.name)), which could be the BatchNorm itself")
            }
        }
    }

    /// PyTorch's default, unless the network looks like one that has another: those with other activations, and those
    /// that name their layers `conv` and `bn`, often do (MobileNetV3, EfficientNet, Inception: 1e-3).
    private func assumedEpsilon() throws(Refusal) -> Double {
        let others = Set(graph.nodes.map(\.operatorName)).intersection([
            "HardSwish", "HardSigmoid", "Sigmoid", "Swish", "Gelu", "Erf", "Elu", "Selu", "Mish", "Softplus", "Tanh",
        ])
        let hasPlainNames = source.keys.contains { $0 == "bn.running_mean" || $0.hasSuffix(".bn.running_mean") }
        guard others.isEmpty, !hasPlainNames else {
            let sign = others.isEmpty ? "BatchNorms named 'bn'" : others.sorted().joined(separator: ", ")
            throw Refusal(
                text: "the graph does not record its epsilon, and networks with \(sign) often have another than "
                    + "PyTorch's default of \(Self.usualEpsilon); give it, for different parts of the network if they "
                    + "differ, with --batchnorm-epsilon")
        }
        return Self.usualEpsilon
    }

    private func parameters(of path: String, channels: Int) throws(Refusal) -> BatchNormalizationParameters {
        let scale = try vector(path + ".weight", count: channels)
        let shift = try vector(path + ".bias", count: channels)
        guard let mean = try vector(path + ".running_mean", count: channels),
            let variance = try vector(path + ".running_var", count: channels), (scale == nil) == (shift == nil)
        else { throw Refusal(text: "the file has only some of its parameters and statistics") }
        return BatchNormalizationParameters(scale: scale, shift: shift, mean: mean, variance: variance)
    }

    /// A vector of one number a channel; nil when the file lacks it.
    private func vector(_ name: String, count: Int) throws(Refusal) -> [Double]? {
        guard let tensor = source[name] else { return nil }
        guard tensor.shape == [count], let elements = FloatingPointElements(tensor) else {
            throw Refusal(
                text: "\(quoted(name)) holds \(tensor.elementType.name) of shape \(described(tensor.shape)), "
                    + "not one number for each of \(count) channels")
        }
        return elements.array()
    }

    /// Replaces a node's initializer, or gives the node one of its own when other nodes take it too.
    private mutating func store(
        _ bytes: ByteRegion, _ shape: [Int], _ type: ElementType, at index: Int, input: Int, name: String
    ) throws(Refusal) {
        guard let tensor = try? ConstantTensor(elementType: type, shape: shape, payload: .bytes(bytes)) else { return }
        let use = GraphUses.Use(node: index, input: input)
        if input < graph.nodes[index].inputs.count, !graph.nodes[index].inputs[input].isEmpty {
            let present = graph.nodes[index].inputs[input]
            guard let old = graph.initializers[present], old.shape == shape, old.elementType == type else {
                throw Refusal(text: "the graph computes \(quoted(present)), or it has another shape or type")
            }
            if uses.isOnly(use, of: present) {
                graph.initializers[present] = tensor
                replaced.insert(present)
                return
            }
        }
        var unique = name
        while graph.initializers[unique] != nil || producers[unique] != nil || uses.uses[unique] != nil {
            unique += "_merged"
        }
        while graph.nodes[index].inputs.count <= input { graph.nodes[index].inputs.append("") }
        graph.nodes[index].inputs[input] = unique
        graph.initializers[unique] = tensor
        replaced.insert(unique)
    }

    private mutating func markUsed(_ name: String) {
        if source[name] != nil { used.insert(name) }
    }

    private mutating func fail(_ path: String, _ reason: String) {
        for (index, problem) in problems.enumerated() {
            if case .fold(let paths, reason) = problem {
                problems[index] = .fold(paths + [path], reason: reason)
                return
            }
        }
        problems.append(.fold([path], reason: reason))
    }

    /// A BatchNorm of the file without a place in the graph must not be left out while its neighbours are replaced.
    private mutating func noteUnmerged(_ path: String) {
        let parent = ModulePath.parent(of: path)
        let prefix = parent.isEmpty ? "" : parent + "."
        let neighbour = source.keys.sorted().first { name in
            name.hasPrefix(prefix) && !name.hasPrefix(path + ".")
                && (graph.initializers[name] != nil || used.contains(name))
        }
        if let neighbour {
            fail(path, "no layer of the graph is known to have taken it up, though the graph has \(quoted(neighbour))")
        }
    }
}

extension ConstantTensor {
    /// Whether the numbers of every output channel add up to 0, as weight standardisation makes them.
    fileprivate var hasCentredFilters: Bool {
        guard let channels = shape.first, channels > 0, count / channels > 1,
            let elements = FloatingPointElements(self)?.array()
        else { return false }
        let size = count / channels
        return (0..<channels).allSatisfy { channel in
            let filter = elements[channel * size..<(channel + 1) * size]
            let magnitude = filter.reduce(0) { $0 + abs($1) }
            return abs(filter.reduce(0, +)) <= 1e-5 * magnitude && magnitude > 0
        }
    }
}

extension WeightSwapError.Problem {
    fileprivate func isFold(of path: String) -> Bool {
        if case .fold(let paths, _) = self { paths.contains(path) } else { false }
    }
}
