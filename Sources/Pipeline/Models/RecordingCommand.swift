import ONNXLoader

/// The command line that would record what a model's metadata lacks, with the values that its graph leaves no doubt about.
struct RecordingCommand {
    let file: String
    let role: ModelRole
    let missing: Set<MetadataKey>
    let image: ModelSignature.Value

    /// Such as `convert MODEL.onnx --role deeplab --set input.layout=NCHW --set input.color='RGB or BGR'`.
    var text: String {
        let settings = MetadataKey.allCases.filter(missing.contains).map { key in
            let value = value(of: key)
            return " --set \(key.rawValue)=\(value ?? "'<\(key.allowed)>'")"
        }
        return "convert \(file) --role \(role.rawValue)" + settings.joined()
    }

    private func value(of key: MetadataKey) -> String? {
        guard let shape = image.shape else { return nil }
        let isFirst = shape.count == 4 && shape[1] == 3
        let isLast = shape.last == 3
        switch key {
        case .layout:
            guard isFirst != isLast else { return nil }
            return (isFirst ? InputContract.Layout.channelsFirst : .channelsLast).rawValue
        case .size:
            guard isFirst != isLast else { return nil }
            let sides = isFirst ? shape.suffix(2) : shape.suffix(3).prefix(2)
            let numbers = sides.compactMap { $0 }
            return numbers.count == 2 ? "\(numbers[0]),\(numbers[1])" : nil
        case .range:
            return image.elementType == .uint8 ? InputContract.Range.bytes.rawValue : nil
        default:
            return nil
        }
    }
}
