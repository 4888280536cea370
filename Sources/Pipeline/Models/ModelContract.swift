import ONNXLoader

/// How one model is used: its role and everything that feeding it and reading it needs. Nothing of it is guessed.
public struct ModelContract: Sendable, Hashable {
    /// Where the role was learned from.
    public enum Origin: String, Sendable, Hashable {
        case metadata
        case argument
        case signature
    }

    /// How error levels are taken for a classifier that sees them.
    public struct ErrorLevels: Sendable, Hashable {
        /// JPEG quality, 1 to 100.
        public var quality: Int
        public var subsampling: Pipeline.ErrorLevels.Subsampling
        /// A factor on the error levels; 1 unless the metadata says otherwise.
        public var gain: Float
        /// nil when the metadata says nothing: `fit` is then to be used, with a warning.
        public var scale: ModelMetadata.Scale?
    }

    /// How a segmentation output is read.
    public struct Output: Sendable, Hashable {
        public var kind: ModelMetadata.OutputKind
        /// Names of the classes in their order; empty when they are not known.
        public var classes: [String]
        /// Panoptic outputs: what separates class and instance.
        public var labelDivisor: Int?
    }

    public var role: ModelRole
    public var origin: Origin
    public var signature: ModelSignature
    /// nil for SAM's two halves, whose input is published and fixed.
    public var input: InputContract?
    /// Only for classifiers that see error levels instead of the image.
    public var errorLevels: ErrorLevels?
    /// Pairs of logit and features; empty when the metadata names none (the graph's own logit and last pooling serve).
    public var views: [ModelMetadata.View]
    public var output: Output?
    /// For SAM's decoder.
    public var generation: SAMGeneration
    public var trainingData: String?
    public var licence: String?

    /// - Parameters:
    ///   - model: the file; its metadata and its declared inputs and outputs count.
    ///   - role: what the user says that the model is; the file's own metadata goes first.
    ///   - file: the name to print in a command that would record what is missing.
    /// - Throws: `ContractError`.
    public init(_ model: Model, role argument: ModelRole? = nil, file: String = "MODEL.onnx") throws(ContractError) {
        let metadata = try ModelMetadata(model.metadata)
        let signature = ModelSignature(model.graph)
        guard let (role, origin) = Self.role(metadata, argument, signature) else {
            throw .noRole(command: "convert \(file) --role NAME --set key=value … (NAME: \(ModelRole.names))")
        }
        self.role = role
        self.origin = origin
        self.signature = signature
        views = metadata.views ?? []
        generation = SAMGeneration(metadata)
        trainingData = metadata.trainingData
        licence = metadata.licence

        switch role {
        case .samEncoder:
            _ = try SAMEncoderContract(signature)
            return
        case .samDecoder:
            _ = try SAMDecoderContract(signature)
            return
        case .classifier, .deeplab, .pspnet, .student: break
        }
        let image = try Self.imageInput(signature, role)
        let missing = Self.required(role, metadata, image).filter { !metadata.keys.contains($0) }
        guard missing.isEmpty, let input = InputContract(metadata) else {
            throw .missing(
                missing.sorted { $0.rawValue < $1.rawValue }, role: role,
                command: RecordingCommand(file: file, role: role, missing: missing, image: image).text)
        }
        try Self.check(input, against: image)
        self.input = input
        if let quality = metadata.quality, let subsampling = metadata.subsampling {
            errorLevels = ErrorLevels(
                quality: quality, subsampling: subsampling, gain: metadata.gain ?? 1, scale: metadata.scale)
        }
        if let kind = metadata.outputKind {
            output = Output(kind: kind, classes: metadata.classes ?? [], labelDivisor: metadata.labelDivisor)
        }
        try Self.check(output, role)
    }

    /// The graph's input that takes the image; nil for SAM's decoder, which takes embeddings.
    public var imageInput: ModelSignature.Value? { role == .samDecoder ? nil : signature.inputs.first }

    /// The classifier's class that stands for manipulation among two: the one whose name says so (`manipulated`,
    /// `tampered`, `forged`, `fake`), else the second.
    public var manipulatedClass: Int {
        let names: Set<String> = ["manipulated", "tampered", "forged", "fake"]
        return output?.classes.firstIndex { names.contains($0.lowercased()) } ?? 1
    }

    /// The file's own metadata goes first, then the user's word, then names, ranks and shapes that are unmistakable.
    private static func role(
        _ metadata: ModelMetadata, _ argument: ModelRole?, _ signature: ModelSignature
    ) -> (ModelRole, Origin)? {
        if let role = metadata.role { return (role, .metadata) }
        if let argument { return (argument, .argument) }
        if (try? SAMEncoderContract(signature)) != nil { return (.samEncoder, .signature) }
        if (try? SAMDecoderContract(signature)) != nil { return (.samDecoder, .signature) }
        return nil
    }

    private static func required(
        _ role: ModelRole, _ metadata: ModelMetadata, _ image: ModelSignature.Value
    ) -> Set<MetadataKey> {
        var keys: Set<MetadataKey> = [.layout, .color, .range, .size, .resize]
        let levels: Set<MetadataKey> = [.quality, .subsampling, .scale, .gain]
        let usesErrorLevels = role == .classifier && !metadata.keys.isDisjoint(with: levels)
        if usesErrorLevels { keys.formUnion([.quality, .subsampling]) }
        // Bytes go in as they are; error levels have no colour statistics. Either of the two asks for the other.
        let normalised: Set<MetadataKey> = [.mean, .std]
        if !(usesErrorLevels || image.elementType == .uint8) || !metadata.keys.isDisjoint(with: normalised) {
            keys.formUnion(normalised)
        }
        if role != .classifier { keys.insert(.outputKind) }
        if metadata.outputKind == .panoptic { keys.insert(.labelDivisor) }
        return keys
    }

    /// The one input of a network that sees an image: `[N, 3, H, W]`, `[N, H, W, 3]` or `[H, W, 3]`.
    private static func imageInput(_ signature: ModelSignature, _ role: ModelRole) throws(ContractError)
        -> ModelSignature.Value
    {
        let expected = "one input [N, 3, H, W], [N, H, W, 3] or [H, W, 3] of float, float16 or uint8, and an output"
        guard signature.inputs.count == 1, let image = signature.inputs.first, !signature.outputs.isEmpty,
            image.allows([nil, 3, nil, nil]) || image.allows([nil, nil, nil, 3]) || image.allows([nil, nil, 3]),
            [.float32, .float16, .uint8, nil].contains(image.elementType)
        else {
            throw .wrongSignature(role, found: signature.summary, expected: expected)
        }
        return image
    }

    private static func check(_ input: InputContract, against image: ModelSignature.Value) throws(ContractError) {
        let layout = input.layout
        let rank = image.shape?.count ?? 4
        var wanted: [Int?] = layout == .channelsFirst ? [nil, 3, nil, nil] : [nil, nil, nil, 3]
        if rank == 3 { wanted.removeFirst() }
        guard image.allows(wanted) else {
            throw .contradiction("input.layout is \(layout.rawValue), but the graph's input is \(image)")
        }
        if case .fixed(let height, let width) = input.size, input.resize != .shortest {
            let rows = wanted.count - (layout == .channelsFirst ? 2 : 3)
            wanted[rows] = height
            wanted[rows + 1] = width
            guard image.allows(wanted) else {
                throw .contradiction("input.size is \(height),\(width), but the graph's input is \(image)")
            }
        }
        let sides = image.shape.map { layout == .channelsFirst ? $0.suffix(2) : $0.suffix(3).prefix(2) }
        if input.resize == .shortest {
            if case .dynamic = input.size {
                throw .contradiction(
                    "input.resize shortest needs an input.size of H,W: the shorter side becomes the smaller of them")
            }
            if let sides, sides.contains(where: { $0 != nil }) {
                throw .contradiction(
                    "input.resize shortest needs a graph that accepts any height and width, but its input is \(image);"
                        + " use stretch or longest-pad")
            }
        }
        if case .dynamic(let multiple) = input.size, let side = sides?.compactMap({ $0 }).first {
            throw .contradiction(
                "input.size is dynamic/\(multiple), but the graph's input \(image) is fixed at \(side)")
        }
        if image.elementType == .uint8,
            input.range != .bytes || input.mean != [0, 0, 0] || input.std != [1, 1, 1]
        {
            throw .contradiction(
                "the graph's input \(image) takes bytes: input.range must be 0-255, input.mean 0,0,0 and input.std 1,1,1"
            )
        }
    }

    private static func check(_ output: Output?, _ role: ModelRole) throws(ContractError) {
        guard let output else { return }
        switch role {
        case .classifier, .student:
            guard output.kind == .logits || output.kind == .probabilities else {
                throw .contradiction(
                    "the output.kind of a \(role.rawValue) is logits or probabilities, not \(output.kind.rawValue)")
            }
        case .deeplab, .pspnet, .samEncoder, .samDecoder: break
        }
    }
}

extension InputContract {
    /// nil unless everything that is required is there; `mean` and `std` default to 0 and 1.
    fileprivate init?(_ metadata: ModelMetadata) {
        guard let layout = metadata.layout, let color = metadata.color, let range = metadata.range,
            let size = metadata.size, let resize = metadata.resize
        else { return nil }
        self.init(
            layout: layout, color: color, range: range, mean: metadata.mean ?? [0, 0, 0],
            std: metadata.std ?? [1, 1, 1], size: size, resize: resize)
    }
}
