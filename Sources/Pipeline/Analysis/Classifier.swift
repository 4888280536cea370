import Foundation
import Runtime

/// One classifier file at work: from an image to one logit and one activation map for each of its views.
public struct Classifier: Sendable {
    /// What one view says of an image.
    public struct View: Sendable {
        public var name: String
        /// What the user calls it, see `ViewNumbers`.
        public var number: Int
        /// The highest logit of the manipulated class over all places that were looked at.
        public var logit: Double
        /// The class whose logit that is, counted from 0; of tiles, the most certain one's.
        public var explainedClass: Int
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
    private let heads: [ClassifierHead]
    /// What the views that take part are called, see `ViewNumbers`.
    let numbers: [Int]
    /// How activation maps are made.
    let method: ActivationMethod
    private let input: InputContract

    /// - Parameters:
    ///   - file: a model of role `classifier`.
    ///   - inference: runs that model.
    ///   - numbers: what the file's views are called, one for each; nil to number this file alone.
    ///   - places: which of the file's views take part, by their places in its metadata; nil for all.
    ///   - method: how activation maps are made.
    /// - Throws: `LinearHeadError` when the method does not fit the graph, `ContractError` for another role.
    public init(
        _ file: ModelFile, _ inference: any Inference, numbers: [Int]? = nil, places: [Int]? = nil,
        method: ActivationMethod = .gradCAM
    ) throws {
        let contract = file.contract
        let graph = file.model.graph
        let numbers = numbers ?? ViewNumbers([contract]).numbers[0]
        let places = places ?? Array(numbers.indices)
        let score = ClassifierHead.Score.manipulation(class: contract.manipulatedClass)
        let heads =
            contract.views.isEmpty
            ? [
                try ClassifierHead(
                    name: file.url.deletingPathExtension().lastPathComponent, in: graph, score: score, method: method)
            ]
            : try places.map { contract.views[$0] }.map { view in
                try ClassifierHead(
                    name: view.logit, in: graph, logit: view.logit, features: view.features, score: score,
                    method: method)
            }
        try self.init(contract, inference, heads, numbers: places.map { numbers[$0] })
    }

    /// - Parameter numbers: what the heads are called, one for each.
    /// - Throws: `ContractError` for a model that is no classifier.
    init(
        _ contract: ModelContract, _ inference: any Inference, _ heads: [ClassifierHead], numbers: [Int]
    ) throws {
        guard contract.role == .classifier, let input = contract.input else {
            throw ContractError.wrongSignature(
                .classifier, found: "a \(contract.role.rawValue)", expected: "a model of role classifier")
        }
        self.contract = contract
        self.input = input
        self.inference = inference
        self.heads = heads
        self.numbers = numbers
        method = heads.first?.method ?? .gradCAM
    }

    /// Looks at a whole image.
    ///
    /// - Parameters:
    ///   - scale: instead of the scale that the model's metadata names.
    ///   - threads: the most tiles that are looked at at once; nil for one per core.
    ///   - progress: called with the share of the work that is done, 0 to 1.
    public func classify(
        _ image: RGBImage, scale: ModelMetadata.Scale? = nil, threads: Int? = nil,
        progress: (Double) -> Void = { _ in }
    ) throws -> Result {
        try classify(RecompressedVariants(image), scale: scale, threads: threads, progress: progress)
    }

    /// Makes the error levels that `classify` will ask for.
    func prepare(_ image: RecompressedVariants, scale: ModelMetadata.Scale?) throws {
        guard let errorLevels else { return }
        _ = try image.variant(errorLevels.get(), frame(image.image, scale: scale).errorLevelSize)
    }

    /// Looks at a whole image whose error levels may be there already.
    func classify(
        _ image: RecompressedVariants, scale: ModelMetadata.Scale?, threads: Int?, progress: (Double) -> Void
    ) throws -> Result {
        var warnings: [String] = []
        if let settings = contract.errorLevels, scale ?? settings.scale == nil {
            warnings.append(
                "the classifier's metadata has no errorLevels.scale: the image was resized to the network's size")
        }
        switch try frame(image.image, scale: scale) {
        case .whole(let preparation, let placement):
            return try classifyWhole(image, preparation, placement, warnings)
        case .tiles(let tiles):
            return try classifyTiles(image, tiles, warnings, threads, progress)
        }
    }

    /// How an image meets the network.
    private enum Frame {
        /// Resized to the network's size, then error levels.
        case whole(InputPreparation, InputPlacement)
        /// At the image's own resolution.
        case tiles(Tiles)

        /// Where error levels are taken.
        var errorLevelSize: RecompressedVariants.Size {
            switch self {
            case .whole(_, let placement): .resized(width: placement.inputWidth, height: placement.inputHeight)
            case .tiles(let tiles): .reflected(width: tiles.paddedWidth, height: tiles.paddedHeight)
            }
        }
    }

    private func frame(_ image: RGBImage, scale: ModelMetadata.Scale?) throws -> Frame {
        let scale = scale ?? contract.errorLevels?.scale
        let fits = contract.errorLevels != nil && scale != .native
        guard fits || (contract.errorLevels == nil && input.resize != .tile) else {
            return .tiles(try tiles(image))
        }
        var contract = input
        if fits {
            contract.resize = .stretch
            if case .dynamic(let multiple) = contract.size {
                let side = InputPreparation.tileSide(multiple: multiple)
                contract.size = .fixed(height: side, width: side)
            }
        }
        let preparation = InputPreparation(contract, input: imageInput)
        return .whole(preparation, try preparation.placements(width: image.width, height: image.height)[0])
    }

    private func tiles(_ image: RGBImage) throws -> Tiles {
        switch input.size {
        case .fixed(let height, let width):
            return try Tiles(
                width: image.width, height: image.height, tileWidth: width, tileHeight: height, smallMultiple: nil)
        case .dynamic(let multiple):
            let side = InputPreparation.tileSide(multiple: multiple)
            return try Tiles(
                width: image.width, height: image.height, tileWidth: side, tileHeight: side, smallMultiple: multiple)
        }
    }

    private func classifyWhole(
        _ image: RecompressedVariants, _ preparation: InputPreparation, _ placement: InputPlacement,
        _ warnings: [String]
    ) throws -> Result {
        let tensor: Tensor
        if let errorLevels {
            let size = RecompressedVariants.Size.resized(width: placement.inputWidth, height: placement.inputHeight)
            tensor = try preparation.tensor(
                errorLevels: image.variant(errorLevels.get(), size).planes(), width: placement.inputWidth,
                height: placement.inputHeight)
        } else {
            tensor = try preparation.tensor(image.image, placement)
        }
        let place = try look(at: tensor)
        let views = heads.indices.map { index in
            View(
                name: heads[index].name, number: numbers[index], logit: place[index].logit,
                explainedClass: place[index].explainedClass,
                activation: ActivationView(name: heads[index].name, map: place[index].map, placement: placement))
        }
        return Result(views: views, placeLogits: [mean(place.map(\.logit))], warnings: warnings)
    }

    /// Tiles that are looked at together. Their maps are added to the whole in order, whichever is done first.
    private static let wave = 8

    /// Overlapping tiles; their raw maps are blended before anything is normalised.
    private func classifyTiles(
        _ image: RecompressedVariants, _ tiles: Tiles, _ warnings: [String], _ threads: Int?,
        _ progress: (Double) -> Void
    ) throws -> Result {
        let source = try source(of: tiles, in: image)
        var blends: [TileBlend] = []
        var logits = [[Double]](repeating: [], count: heads.count)
        var classes = [[Int]](repeating: [], count: heads.count)
        for first in stride(from: 0, to: tiles.count, by: Self.wave) {
            let seen = try mapConcurrently(count: min(Self.wave, tiles.count - first), threads: threads) { index in
                try look(at: source(first + index))
            }
            for (index, place) in seen.enumerated() {
                if blends.isEmpty {
                    // A map of the whole image needs no more samples than the network gives for its tiles.
                    blends = try place.map { view in
                        try TileBlend(
                            tiles, width: Self.samples(tiles.width, view.map.width, of: tiles.tileWidth),
                            height: Self.samples(tiles.height, view.map.height, of: tiles.tileHeight))
                    }
                }
                for (head, view) in place.enumerated() {
                    blends[head].add(view.map, tile: first + index)
                    logits[head].append(view.logit)
                    classes[head].append(view.explainedClass)
                }
            }
            progress(Double(first + seen.count) / Double(tiles.count))
        }
        let whole = InputPlacement.stretched(
            imageWidth: tiles.width, imageHeight: tiles.height, inputWidth: tiles.width, inputHeight: tiles.height)
        let views = heads.indices.map { index in
            let best = logits[index].indices.max { logits[index][$0] < logits[index][$1] } ?? 0
            return View(
                name: heads[index].name, number: numbers[index], logit: logits[index][best],
                explainedClass: classes[index][best],
                activation: ActivationView(name: heads[index].name, map: blends[index].map, placement: whole))
        }
        let means = (0..<tiles.count).map { tile in mean(logits.map { $0[tile] }) }
        return Result(views: views, placeLogits: means, warnings: warnings)
    }

    /// What gives the network's input for a tile. Nothing of it is made before it is asked for.
    private func source(of tiles: Tiles, in image: RecompressedVariants) throws -> @Sendable (Int) throws -> Tensor {
        let preparation = InputPreparation(input, input: imageInput)
        let (width, height) = (tiles.tileWidth, tiles.tileHeight)
        if let errorLevels {
            let size = RecompressedVariants.Size.reflected(width: tiles.paddedWidth, height: tiles.paddedHeight)
            let recompressed = try image.variant(errorLevels.get(), size)
            return { tile in
                let (x, y) = tiles.origin(of: tile)
                return try preparation.tensor(
                    errorLevels: recompressed.planes(x: x, y: y, width: width, height: height), width: width,
                    height: height)
            }
        }
        let padded = try image.image.reflected(width: tiles.paddedWidth, height: tiles.paddedHeight)
        return { tile in
            let (x, y) = tiles.origin(of: tile)
            return try preparation.tensor(
                padded.cropped(x: x, y: y, width: width, height: height),
                .stretched(imageWidth: width, imageHeight: height, inputWidth: width, inputHeight: height))
        }
    }

    private static func samples(_ side: Int, _ mapSide: Int, of tileSide: Int) -> Int {
        max(1, (side * mapSide + tileSide - 1) / tileSide)
    }

    /// Logit and raw activation map of each view: of all views with a closed form by one run, of each other by its own.
    private func look(at tensor: Tensor) throws -> [ClassifierHead.Seen] {
        let inputs = [imageInput.name: tensor]
        let names = Array(Set(heads.flatMap(\.values))).sorted()
        let values = names.isEmpty ? [:] : try inference.run(inputs, outputs: names)
        return try heads.map { head in
            try head.linear.map { try head.see(values, $0) } ?? head.see(inputs, with: inference)
        }
    }

    private var errorLevels: Swift.Result<ErrorLevels, ErrorLevelsError>? {
        contract.errorLevels.map { settings in
            Swift.Result { () throws(ErrorLevelsError) in
                try ErrorLevels(
                    quality: settings.quality, subsampling: settings.subsampling, gain: settings.gain)
            }
        }
    }

    private var imageInput: ModelSignature.Value { contract.signature.inputs[0] }
}

private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
