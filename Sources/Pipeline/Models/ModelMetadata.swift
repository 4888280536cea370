/// The metadata of a model file, read strictly: every entry that is present is of its type; none is required here.
public struct ModelMetadata: Sendable, Hashable {
    /// Whether an image is resized before error levels are taken, or tiled at its own size.
    public enum Scale: String, Sendable, Hashable, CaseIterable {
        case fit
        case native
    }

    /// What the numbers of a segmentation output are.
    public enum OutputKind: String, Sendable, Hashable, CaseIterable {
        case logits
        case probabilities
        case labels
        /// `class * labelDivisor + instance`.
        case panoptic
    }

    /// One view of a classifier: the names of its logit and of the features that its activation map is made of.
    public struct View: Sendable, Hashable {
        public var logit: String
        public var features: String
    }

    public var role: ModelRole?
    public var layout: InputContract.Layout?
    public var color: InputContract.Color?
    public var range: InputContract.Range?
    public var mean: [Float]?
    public var std: [Float]?
    public var size: InputContract.Size?
    public var resize: InputContract.Resize?
    public var quality: Int?
    public var subsampling: ErrorLevels.Subsampling?
    public var scale: Scale?
    public var gain: Float?
    public var views: [View]?
    public var outputKind: OutputKind?
    public var classes: [String]?
    public var labelDivisor: Int?
    public var pointsPerSide: Int?
    public var predictedIoUThreshold: Float?
    public var stabilityThreshold: Float?
    public var trainingData: String?
    public var licence: String?

    /// The keys that are present.
    public private(set) var keys: Set<MetadataKey> = []

    /// - Parameter entries: a file's `metadata_props`; entries of other tools are passed over.
    /// - Throws: `ContractError.unknownKey` or `badValue`; of several, for the first key in alphabetical order.
    public init(_ entries: [String: String]) throws(ContractError) {
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            guard let key = try MetadataKey.recognise(name) else { continue }
            guard read(key, MetadataValue(value)) else { throw .badValue(key, value: value) }
            keys.insert(key)
        }
    }

    /// Whether the value is one that the key takes.
    private mutating func read(_ key: MetadataKey, _ value: MetadataValue) -> Bool {
        switch key {
        case .role: read(\.role, value.choice())
        case .layout: read(\.layout, value.choice())
        case .color: read(\.color, value.choice())
        case .range: read(\.range, value.choice())
        case .mean: read(\.mean, value.numbers(count: 3))
        case .std: read(\.std, value.numbers(count: 3).flatMap { $0.allSatisfy { $0 > 0 } ? $0 : nil })
        case .size: read(\.size, value.size())
        case .resize: read(\.resize, value.choice())
        case .quality: read(\.quality, value.integer(in: 1...100))
        case .subsampling: read(\.subsampling, value.choice())
        case .scale: read(\.scale, value.choice())
        case .gain: read(\.gain, value.number().flatMap { $0 > 0 ? $0 : nil })
        case .views: read(\.views, value.views())
        case .outputKind: read(\.outputKind, value.choice())
        case .classes: read(\.classes, value.names())
        case .labelDivisor: read(\.labelDivisor, value.integer(in: 1...Int(Int32.max)))
        case .pointsPerSide: read(\.pointsPerSide, value.integer(in: 1...256))
        case .predictedIoUThreshold: read(\.predictedIoUThreshold, value.share())
        case .stabilityThreshold: read(\.stabilityThreshold, value.share())
        case .trainingData: read(\.trainingData, value.text)
        case .licence: read(\.licence, value.text)
        }
    }

    private mutating func read<Value>(_ path: WritableKeyPath<ModelMetadata, Value?>, _ value: Value?) -> Bool {
        self[keyPath: path] = value
        return value != nil
    }
}

/// The text of one metadata entry, read as one type or another; nil where it is none.
private struct MetadataValue {
    let text: String

    init(_ text: String) {
        self.text = text.trimmingSpaces
    }

    func choice<Choice: RawRepresentable>() -> Choice? where Choice.RawValue == String { Choice(rawValue: text) }

    func integer(in range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    func number() -> Float? {
        Float(text).flatMap { $0.isFinite ? $0 : nil }
    }

    func share() -> Float? {
        number().flatMap { (0...1).contains($0) ? $0 : nil }
    }

    func numbers(count: Int) -> [Float]? {
        let numbers = fields.compactMap { MetadataValue($0).number() }
        return numbers.count == count && fields.count == count ? numbers : nil
    }

    func size() -> InputContract.Size? {
        if text.hasPrefix("dynamic/") {
            let multiple = MetadataValue(String(text.dropFirst("dynamic/".count)))
            return multiple.integer(in: 1...1024).map { .dynamic(multiple: $0) }
        }
        let numbers = fields.compactMap { MetadataValue($0).integer(in: 1...4096) }
        return numbers.count == 2 && fields.count == 2 ? .fixed(height: numbers[0], width: numbers[1]) : nil
    }

    func names() -> [String]? { fields.contains("") ? nil : fields }

    func views() -> [ModelMetadata.View]? {
        let views = fields.compactMap { pair -> ModelMetadata.View? in
            let names = pair.split(separator: ":", omittingEmptySubsequences: false).map { String($0).trimmingSpaces }
            guard names.count == 2, !names.contains("") else { return nil }
            return ModelMetadata.View(logit: names[0], features: names[1])
        }
        return views.count == fields.count ? views : nil
    }

    /// What stands between commas, without surrounding spaces.
    private var fields: [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingSpaces }
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
