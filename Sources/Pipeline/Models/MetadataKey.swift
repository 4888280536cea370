/// The entries of a model file's `metadata_props` that say how it wants to be used.
public enum MetadataKey: String, Sendable, Hashable, CaseIterable {
    case role = "tamperscope.role"
    case layout = "input.layout"
    case color = "input.color"
    case range = "input.range"
    case mean = "input.mean"
    case std = "input.std"
    case size = "input.size"
    case resize = "input.resize"
    case quality = "errorLevels.quality"
    case subsampling = "errorLevels.subsampling"
    case scale = "errorLevels.scale"
    case gain = "errorLevels.gain"
    case views
    case outputKind = "output.kind"
    case classes = "output.classes"
    case labelDivisor = "output.labelDivisor"
    case pointsPerSide = "sam.pointsPerSide"
    case predictedIoUThreshold = "sam.predictedIoUThreshold"
    case stabilityThreshold = "sam.stabilityThreshold"
    case trainingData = "training.data"
    case licence

    /// The values that the key takes, in words.
    public var allowed: String {
        switch self {
        case .role: ModelRole.names
        case .layout: "NCHW or NHWC"
        case .color: "RGB or BGR"
        case .range: "0-255, 0-1 or -1-1"
        case .mean: "three numbers in units of input.range and in the order of input.color, such as 0.485,0.456,0.406"
        case .std: "three positive numbers in units of input.range and in the order of input.color, such as 1,1,1"
        case .size:
            "H,W in pixels from 1 to 4096, such as 513,513, or dynamic/N for multiples of N up to 1024, such as dynamic/32"
        case .resize: "stretch, longest-pad, shortest or tile"
        case .quality: "a whole number from 1 to 100"
        case .subsampling: "4:4:4, 4:2:2 or 4:2:0"
        case .scale: "fit or native"
        case .gain: "a positive number"
        case .views: "pairs logit:features of value names, separated by commas"
        case .outputKind: "logits, probabilities, labels or panoptic"
        case .classes: "names separated by commas, none of them empty"
        case .labelDivisor: "a positive whole number, such as 256 or 1000"
        case .pointsPerSide: "a whole number from 1 to 256"
        case .predictedIoUThreshold, .stabilityThreshold: "a number from 0 to 1"
        case .trainingData, .licence: "any text"
        }
    }

    /// The first word of every key that is this contract's business, up to the point.
    private static let namespaces: Set<String> = ["tamperscope", "input", "errorLevels", "output", "sam", "training"]

    /// The key of that name; nil for one of another tool.
    /// - Throws: `ContractError.unknownKey` when the name begins as one of ours and is none.
    static func recognise(_ name: String) throws(ContractError) -> MetadataKey? {
        if let key = MetadataKey(rawValue: name) { return key }
        let namespace = name.prefix { $0 != "." }
        guard namespace.count < name.count, namespaces.contains(String(namespace)) else { return nil }
        throw .unknownKey(name)
    }
}
