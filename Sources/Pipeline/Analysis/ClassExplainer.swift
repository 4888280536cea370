import Foundation
import ONNXLoader
import Runtime

/// Draws where a classifier of anything sees a class: the class activation map of one layer.
public struct ClassExplainer: Sendable {
    /// What the map of one photo says.
    public struct Explanation: Sendable {
        public var file: ImageFile
        /// On the stored pixel grid, scaled to 0 ... 1; 0 everywhere when the layer points to no place.
        public var map: FloatMap
        public var explainedClass: Int
        /// Its name, when the file's metadata has it.
        public var className: String?
        public var logit: Double
        public var warnings: [String]
    }

    /// The class to explain.
    public enum Target: Sendable, Hashable {
        /// The one with the highest logit in each photo.
        case best
        /// Counted from 0.
        case index(Int)
        /// As the file's metadata names it.
        case name(String)
    }

    public let contract: ModelContract
    /// The value whose features the map is made of.
    public let layer: String
    public let method: ActivationMethod
    private let classifier: Classifier

    /// Opens a classifier.
    ///
    /// - Parameters:
    ///   - url: an ONNX file; its pre-processing comes from its metadata and `settings`, never from a guess.
    ///   - settings: of the form `key=value`, as `convert --set` takes them.
    ///   - layer: the name of a value of the graph: the output of a convolution, or a transformer's tokens; nil for what the
    ///     last global pooling pools.
    ///   - threads: nil for one per core.
    /// - Throws: `ContractError`, `LinearHeadError`, `ClassExplainerError`, `LoaderError` or `RuntimeError`.
    public init(
        _ url: URL, settings: [String] = [], layer: String? = nil, target: Target = .best,
        method: ActivationMethod = .gradCAM, threads: Int? = nil
    ) throws {
        var model = try Model(contentsOf: url)
        let isNamed = model.metadata[MetadataKey.role.rawValue] != nil
        model.metadata = try ModelContract.recording(
            role: isNamed ? nil : ModelRole.classifier.rawValue, settings: settings, in: model,
            file: url.lastPathComponent)
        let contract = try ModelContract(model, file: url.lastPathComponent)
        let score: ClassifierHead.Score
        switch target {
        case .best: score = .best
        case .index(let index): score = .oneClass(index)
        case .name(let name):
            let names = contract.output?.classes ?? []
            guard let index = names.firstIndex(of: name) else {
                throw ClassExplainerError.noSuchClass(name, known: names)
            }
            score = .oneClass(index)
        }
        let head = try ClassifierHead(
            name: url.deletingPathExtension().lastPathComponent, in: model.graph, logit: contract.views.first?.logit,
            features: layer ?? contract.views.first?.features, score: score, method: method)
        classifier = try Classifier(
            contract, Session(model, options: .init(threads: threads)), [head], numbers: [1])
        self.layer = head.features
        self.contract = contract
        self.method = method
    }

    /// - Throws: `ImageError` for the file, and what the model's run throws.
    public func explain(_ path: String, limits: ImageLimits = ImageLimits()) throws -> Explanation {
        let file = try ImageFile.load(path, limits: limits)
        let result = try classifier.classify(file.image)
        let view = result.views[0]
        let fused = ActivationFusion(floor: 0).fuse(
            [view.activation], width: file.image.width, height: file.image.height)
        let names = contract.output?.classes ?? []
        return Explanation(
            file: file, map: fused.map, explainedClass: view.explainedClass,
            className: names.indices.contains(view.explainedClass) ? names[view.explainedClass] : nil,
            logit: view.logit,
            warnings: file.warnings + result.warnings
                + (fused.excluded.isEmpty ? [] : ["the layer \(quoted(layer)) points to no place in the photo"]))
    }
}

/// Why a class cannot be explained.
public enum ClassExplainerError: Error, Sendable, Hashable, CustomStringConvertible {
    case noSuchClass(String, known: [String])

    public var description: String {
        switch self {
        case .noSuchClass(let name, let known) where known.isEmpty:
            "the file names no classes, so there is no \(quoted(name)): give its number, counted from 0"
        case .noSuchClass(let name, let known):
            "there is no class \(quoted(name)); classes are " + known.prefix(100).map(quoted).joined(separator: ", ")
        }
    }
}
