import ONNXLoader

/// A classifier's last layers when they are features → global average pooling → one dense layer → logit: then
/// `d logit / d features[k, y, x]` is the dense layer's weight of channel k over the number of places, the same everywhere, and
/// Grad-CAM is `ReLU(sum over k of w_k F_k)` up to a positive factor, without differentiating anything.
public struct LinearHead: Sendable, Hashable {
    /// The value that is pooled.
    public let features: String
    /// The dense layer's output: what goes into a closing Sigmoid or Softmax, when there is one.
    public let logits: String
    /// The number of classes: columns of `logits`.
    public let classCount: Int
    /// Whether the features are `[N, H, W, C]` instead of `[N, C, H, W]`.
    public let channelsLast: Bool
    /// For each channel the weight of the manipulated class's logit; for two classes, less the other's.
    public let weights: [Float]

    /// Finds the head in a graph.
    ///
    /// - Parameters:
    ///   - graph: the classifier as loaded.
    ///   - logit: the logit's name, or that of a probability made from it; nil for the graph's first output.
    ///   - features: the name of the features; nil for whatever is pooled.
    ///   - manipulatedClass: which of two classes stands for manipulation.
    /// - Throws: `LinearHeadError`.
    public init(
        in graph: Graph, logit: String? = nil, features wanted: String? = nil, manipulatedClass: Int = 1
    ) throws(LinearHeadError) {
        try self.init(in: graph, logit: logit, features: wanted, score: .manipulation(class: manipulatedClass))
    }

    /// Finds the head of one class's logit.
    init(
        in graph: Graph, logit: String?, features wanted: String?, score: ClassifierHead.Score
    ) throws(LinearHeadError) {
        guard let output = logit ?? graph.outputs.first?.name else { throw .noSuchValue("the graph has no output") }
        let trace = GraphTrace(graph)
        guard trace.exists(output) else { throw .noSuchValue("there is no value \(quoted(output)) in the graph") }
        if let wanted, !trace.exists(wanted) {
            throw .noSuchValue("there is no value \(quoted(wanted)) in the graph")
        }
        let dense = try DenseLayer(endingIn: output, trace)
        let pooled = try Self.pooling(before: dense.input, trace)
        features = pooled.features
        channelsLast = pooled.channelsLast
        if let wanted, trace.source(of: wanted) != trace.source(of: features) {
            throw .needsGradient("\(quoted(features)) is pooled for the logit, not \(quoted(wanted))")
        }
        logits = dense.output
        classCount = dense.columns.count
        let count = dense.columns.count
        switch score {
        case .manipulation where count == 1:
            weights = dense.columns[0]
        case .manipulation(let index) where count == 2 && (0...1).contains(index):
            weights = zip(dense.columns[index], dense.columns[1 - index]).map { $0 - $1 }
        case .manipulation:
            throw .notBinary(classes: count)
        case .oneClass(let index):
            guard dense.columns.indices.contains(index) else { throw .noSuchClass(index, count: count) }
            weights = dense.columns[index]
        case .best:
            throw .needsGradient("which class is explained depends on the image")
        }
    }

    private static func pooling(before value: String, _ trace: GraphTrace) throws(LinearHeadError) -> (
        features: String, channelsLast: Bool
    ) {
        var value = value
        var steps = 0
        while steps < 16, let node = trace.producer(of: value), GraphTrace.reshaping.contains(node.operatorName) {
            value = node.inputs.first ?? ""
            steps += 1
        }
        guard let node = trace.producer(of: value) else {
            throw .needsGradient("no global average pooling stands before the dense layer")
        }
        guard let pooled = trace.averagePooling(node) else {
            if node.operatorName == "ReduceMean" {
                throw .needsGradient("the ReduceMean before the dense layer is not over height and width")
            }
            throw .needsGradient(
                "\(node.operatorName) stands before the dense layer instead of a global average pooling")
        }
        return pooled
    }
}

/// Why there is no closed form.
public enum LinearHeadError: Error, Sendable, Hashable, CustomStringConvertible {
    case noSuchValue(String)
    /// The head is of another form: its activation map takes the gradient of the logit.
    case needsGradient(String)
    case notBinary(classes: Int)
    case noSuchClass(Int, count: Int)
    /// The features' tensor does not have the channels of the dense layer.
    case wrongFeatures(shape: [Int], channels: Int)

    public var description: String {
        switch self {
        case .noSuchValue(let text): text
        case .needsGradient(let reason):
            "the classifier does not end in global average pooling and one dense layer (\(reason)): there is no closed form of"
                + " its activation map; use gradcam, gradcam++ or layercam"
        case .notBinary(let classes):
            "the classifier has \(classes) classes; it takes one logit, or two of which one stands for manipulation"
        case .noSuchClass(let index, let count):
            "there is no class \(index): the classifier has \(count), counted from 0"
        case .wrongFeatures(let shape, let channels):
            "the features have the shape \(shape), but the dense layer takes \(channels) channels"
        }
    }
}
