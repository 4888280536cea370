import ONNXLoader
import Runtime

/// Candidates from a network that names what it sees (DeepLab, PSPNet): for every class all of its pixels, for a panoptic
/// output every instance, and every 8-connected component of each.
public struct SemanticSegmenter: Segmenter {
    public struct Options: Sendable, Hashable {
        /// Whether the background is a candidate too.
        public var includesBackground: Bool
        /// Candidates of a smaller share of the image are left out.
        public var minimumAreaFraction: Double

        public init(includesBackground: Bool = false, minimumAreaFraction: Double = 0.001) {
            self.includesBackground = includesBackground
            self.minimumAreaFraction = minimumAreaFraction
        }
    }

    public let contract: ModelContract
    public let options: Options
    private let inference: any Inference
    private let preparation: InputPreparation
    private let input: ModelSignature.Value
    private let outputName: String
    private let output: ModelContract.Output

    /// - Parameters:
    ///   - contract: of a `deeplab` or `pspnet`.
    ///   - inference: runs the model that the contract belongs to.
    /// - Throws: `ContractError.wrongSignature` for a model of another role.
    public init(_ contract: ModelContract, _ inference: any Inference, options: Options = Options())
        throws(ContractError)
    {
        guard contract.role == .deeplab || contract.role == .pspnet, let image = contract.input,
            let input = contract.imageInput, let output = contract.output,
            let result = Self.result(of: contract.signature, output.kind)
        else {
            throw .wrongSignature(
                .deeplab, found: "a \(contract.role.rawValue)", expected: "a model of role deeplab or pspnet")
        }
        self.contract = contract
        self.options = options
        self.inference = inference
        self.input = input
        self.output = output
        preparation = InputPreparation(image, input: input)
        outputName = result.name
    }

    /// The output to read among several: torchvision's graphs have `aux` beside `out`, DeepLab2's a dozen beside
    /// `panoptic_pred` and `semantic_pred`, and scores may stand beside labels. Among those of a fitting type the first.
    private static func result(
        of signature: ModelSignature, _ kind: ModelMetadata.OutputKind
    ) -> ModelSignature.Value? {
        let isInteger = kind == .labels || kind == .panoptic
        let floatingPoint: [ElementType] = [.float32, .float16, .bfloat16, .float64]
        let fitting = signature.outputs.filter { value in
            value.name != "aux" && value.elementType.map { floatingPoint.contains($0) != isInteger } ?? true
        }
        let published = kind == .panoptic ? "panoptic_pred" : kind == .labels ? "semantic_pred" : "out"
        return fitting.first { $0.name == published } ?? fitting.first ?? signature.outputs.first
    }

    public var name: String { contract.role.rawValue }

    public func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate] {
        try candidates(labels(of: image, progress: progress), width: image.width, height: image.height)
    }

    /// The label of every pixel: a class, or a class with an instance.
    func labels(of image: RGBImage, progress: (Double) -> Void = { _ in }) throws -> LabelRuns {
        var labels = LabelRuns()
        let placements = try preparation.placements(width: image.width, height: image.height)
        for (index, placement) in placements.enumerated() {
            let tensor = try preparation.tensor(image, placement)
            let result = try inference.values([outputName], of: [input.name: tensor])[0]
            try read(result, placement, into: &labels)
            progress(Double(index + 1) / Double(placements.count))
        }
        return labels
    }

    /// Adds the labels of one output.
    private func read(_ tensor: Tensor, _ placement: InputPlacement, into labels: inout LabelRuns) throws {
        switch output.kind {
        case .logits, .probabilities:
            let classes = output.classes.isEmpty ? nil : output.classes.count
            guard
                let layout = ScoreLayout(
                    shape: tensor.shape, classes: classes, order: preparation.contract.layout, placement: placement)
            else {
                let count = classes.map(String.init) ?? "C"
                let pixels = placement.inputHeight * placement.inputWidth
                throw InferenceError.unexpectedShape(
                    value: outputName, shape: tensor.shape,
                    expected:
                        "[1, \(count), H, W], [1, H, W, \(count)] or [1, \(pixels), \(count)], with two classes or more"
                )
            }
            try tensor.withFloats(named: outputName) { values in
                ArgmaxUpsampling(ClassScores(values: values, layout: layout), placement).collect(into: &labels)
            }
        case .labels, .panoptic:
            // [1, 1, H, W], [1, H, W, 1], [1, H, W] or [H, W]
            var sizes = tensor.shape
            while sizes.count > 2, sizes.first == 1 { sizes.removeFirst() }
            if sizes.count == 3, sizes.last == 1 { sizes.removeLast() }
            guard sizes.count == 2, sizes[0] > 0, sizes[1] > 0 else {
                throw InferenceError.unexpectedShape(
                    value: outputName, shape: tensor.shape,
                    expected: "[1, H, W], [H, W], [1, 1, H, W] or [1, H, W, 1]")
            }
            let map = LabelMap(width: sizes[1], height: sizes[0], labels: try tensor.integers(named: outputName))
            map.collect(placement, into: &labels)
        }
    }

    private func candidates(_ labels: LabelRuns, width: Int, height: Int) -> [Candidate] {
        let minimumArea = Int((options.minimumAreaFraction * Double(width * height)).rounded(.up))
        // A label is a class, or a class with an instance; a negative one is nothing.
        let divisor = output.kind == .panoptic ? output.labelDivisor ?? 1 : 1
        let classes = Dictionary(grouping: labels.labels.filter { $0 >= 0 }) { $0 / divisor }
        var candidates: [Candidate] = []
        for (index, members) in classes.sorted(by: { $0.key < $1.key }) {
            let label = label(ofClass: index)
            if !options.includesBackground, Self.isBackground(label) { continue }
            let instances = members.map { labels.mask($0, width: width, height: height) }
            var masks = [
                instances.count == 1
                    ? instances[0] : Mask(width: width, height: height, unordered: instances.flatMap(\.runs))
            ]
            guard masks[0].area >= minimumArea else { continue }
            if instances.count > 1 { masks += instances }
            for instance in instances where instance.area >= minimumArea {
                masks += instance.components(minimumArea: minimumArea)
            }
            var seen: Set<Mask> = []
            for mask in masks where mask.area >= max(minimumArea, 1) && seen.insert(mask).inserted {
                candidates.append(Candidate(mask: mask, label: label, segmenter: name))
            }
        }
        return candidates
    }

    private func label(ofClass index: Int) -> String {
        output.classes.indices.contains(index) ? output.classes[index] : "class \(index)"
    }

    /// `background`, also between underscores as torchvision writes it.
    private static func isBackground(_ name: String) -> Bool {
        name.lowercased().split(separator: "_").elementsEqual(["background"])
    }
}
