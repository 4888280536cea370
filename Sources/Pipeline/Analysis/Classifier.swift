import Foundation
import Runtime

/// One classifier file at work: from an image to one logit and one activation map for each of its views.
public struct Classifier: Sendable {
    /// What one view says of an image.
    public struct View: Sendable {
        public var name: String
        /// The highest logit of the manipulated class over all places that were looked at.
        public var logit: Double
        public var activation: ActivationView
    }

    /// What a file's views say of an image.
    public struct Result: Sendable {
        public var views: [View]
        /// For each place that was looked at the mean logit over the views.
        public var placeLogits: [Double]
        public var warnings: [String]
    }

    public let contract: ModelContract
    private let inference: any Inference
    private let heads: [(name: String, head: LinearHead)]
    private let input: InputContract

    /// - Parameters:
    ///   - file: a model of role `classifier`.
    ///   - inference: runs that model.
    /// - Throws: `LinearHeadError` when a view's activation map has no closed form, `ContractError` for another role.
    public init(_ file: ModelFile, _ inference: any Inference) throws {
        contract = file.contract
        guard contract.role == .classifier, let input = contract.input else {
            throw ContractError.wrongSignature(
                .classifier, found: "a \(contract.role.rawValue)", expected: "a model of role classifier")
        }
        self.input = input
        self.inference = inference
        let graph = file.model.graph
        let manipulated = contract.manipulatedClass
        if contract.views.isEmpty {
            let head = try LinearHead(in: graph, manipulatedClass: manipulated)
            heads = [(file.url.deletingPathExtension().lastPathComponent, head)]
        } else {
            heads = try contract.views.map { view in
                let head = try LinearHead(
                    in: graph, logit: view.logit, features: view.features, manipulatedClass: manipulated)
                return (view.logit, head)
            }
        }
    }

    /// Looks at a whole image.
    ///
    /// - Parameters:
    ///   - scale: instead of the scale that the model's metadata names.
    ///   - progress: called with the share of the work that is done, 0 to 1.
    public func classify(
        _ image: RGBImage, scale: ModelMetadata.Scale? = nil, progress: (Double) -> Void = { _ in }
    ) throws -> Result {
        var warnings: [String] = []
        let scale = scale ?? contract.errorLevels?.scale
        if contract.errorLevels != nil, scale == nil {
            warnings.append(
                "the classifier's metadata has no errorLevels.scale: the image was resized to the network's size")
        }
        let fits = contract.errorLevels != nil && scale != .native
        return fits || (contract.errorLevels == nil && input.resize != .tile)
            ? try classifyWhole(image, fits: fits, warnings)
            : try classifyTiles(image, warnings, progress)
    }

    /// The image resized to the network's size, then error levels.
    private func classifyWhole(_ image: RGBImage, fits: Bool, _ warnings: [String]) throws -> Result {
        var contract = input
        if fits {
            contract.resize = .stretch
            if case .dynamic(let multiple) = contract.size {
                let side = (InputPreparation.tileSide + multiple - 1) / multiple * multiple
                contract.size = .fixed(height: side, width: side)
            }
        }
        let preparation = InputPreparation(contract, input: imageInput)
        let placement = try preparation.placements(width: image.width, height: image.height)[0]
        let tensor: Tensor
        if let errorLevels {
            let resized = try image.resized(width: placement.inputWidth, height: placement.inputHeight)
            tensor = try preparation.tensor(
                errorLevels: errorLevels.get().planes(of: resized), width: resized.width, height: resized.height)
        } else {
            tensor = try preparation.tensor(image, placement)
        }
        let place = try look(at: tensor)
        let views = zip(heads, place).map { entry, seen in
            View(
                name: entry.name, logit: seen.logit,
                activation: ActivationView(name: entry.name, map: seen.map, placement: placement))
        }
        return Result(views: views, placeLogits: [mean(place.map(\.logit))], warnings: warnings)
    }

    /// Overlapping tiles at the image's own resolution; their raw maps are blended before anything is normalised.
    private func classifyTiles(
        _ image: RGBImage, _ warnings: [String], _ progress: (Double) -> Void
    ) throws -> Result {
        let side: (height: Int, width: Int)
        let multiple: Int?
        switch input.size {
        case .fixed(let height, let width): (side, multiple) = ((height, width), nil)
        case .dynamic(let step):
            let tile = (InputPreparation.tileSide + step - 1) / step * step
            (side, multiple) = ((tile, tile), step)
        }
        let tiles = try Tiles(
            width: image.width, height: image.height, tileWidth: side.width, tileHeight: side.height,
            smallMultiple: multiple)
        let padded =
            tiles.paddedWidth > image.width || tiles.paddedHeight > image.height
            ? try image.reflected(width: tiles.paddedWidth, height: tiles.paddedHeight) : image
        let recompressed = try errorLevels?.get().compare(padded)
        let preparation = InputPreparation(input, input: imageInput)
        var blends: [TileBlend] = []
        var logits = [[Double]](repeating: [], count: heads.count)
        for tile in 0..<tiles.count {
            let (x, y) = tiles.origin(of: tile)
            let tensor: Tensor
            if let recompressed {
                tensor = try preparation.tensor(
                    errorLevels: recompressed.planes(x: x, y: y, width: tiles.tileWidth, height: tiles.tileHeight),
                    width: tiles.tileWidth, height: tiles.tileHeight)
            } else {
                tensor = try preparation.tensor(
                    padded.cropped(x: x, y: y, width: tiles.tileWidth, height: tiles.tileHeight),
                    .stretched(
                        imageWidth: tiles.tileWidth, imageHeight: tiles.tileHeight, inputWidth: tiles.tileWidth,
                        inputHeight: tiles.tileHeight))
            }
            let seen = try look(at: tensor)
            if blends.isEmpty {
                // A map of the whole image needs no more samples than the network gives for its tiles.
                blends = try seen.map { view in
                    try TileBlend(
                        tiles, width: Self.samples(image.width, view.map.width, of: tiles.tileWidth),
                        height: Self.samples(image.height, view.map.height, of: tiles.tileHeight))
                }
            }
            for (index, view) in seen.enumerated() {
                blends[index].add(view.map, tile: tile)
                logits[index].append(view.logit)
            }
            progress(Double(tile + 1) / Double(tiles.count))
        }
        let whole = InputPlacement.stretched(
            imageWidth: image.width, imageHeight: image.height, inputWidth: image.width, inputHeight: image.height)
        let views = heads.indices.map { index in
            View(
                name: heads[index].name, logit: logits[index].max() ?? 0,
                activation: ActivationView(name: heads[index].name, map: blends[index].map, placement: whole))
        }
        let means = (0..<tiles.count).map { tile in mean(logits.map { $0[tile] }) }
        return Result(views: views, placeLogits: means, warnings: warnings)
    }

    private static func samples(_ side: Int, _ mapSide: Int, of tileSide: Int) -> Int {
        max(1, (side * mapSide + tileSide - 1) / tileSide)
    }

    /// Runs the network once: logit and raw activation map of each view.
    private func look(at tensor: Tensor) throws -> [(logit: Double, map: FloatMap)] {
        let names = Array(Set(heads.flatMap { [$0.head.logits, $0.head.features] })).sorted()
        let values = try inference.values(names, of: [imageInput.name: tensor])
        let results = Dictionary(uniqueKeysWithValues: zip(names, values))
        return try heads.map { name, head in
            guard let logits = results[head.logits], let features = results[head.features] else {
                throw InferenceError.missingOutput(head.logits)
            }
            let numbers = try logits.floats(named: head.logits)
            guard numbers.count == head.classCount, numbers.allSatisfy(\.isFinite) else {
                throw InferenceError.unexpectedShape(
                    value: head.logits, shape: logits.shape, expected: "[1, \(head.classCount)] of finite numbers")
            }
            let manipulated = contract.manipulatedClass
            let logit = numbers.count == 1 ? numbers[0] : numbers[manipulated] - numbers[1 - manipulated]
            return (Double(logit), try head.activation(of: features))
        }
    }

    private var errorLevels: Swift.Result<ErrorLevels, ErrorLevelsError>? {
        contract.errorLevels.map { settings in
            Swift.Result { () throws(ErrorLevelsError) in
                try ErrorLevels(
                    quality: settings.quality, subsampling: .init(rawValue: settings.subsampling.rawValue) ?? .s420,
                    gain: settings.gain)
            }
        }
    }

    private var imageInput: ModelSignature.Value { contract.signature.inputs[0] }
}

private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
