/// Candidates from SAM by automatic mask generation, as published: a grid of point prompts, three masks for each, of which
/// those stay that the decoder trusts, that are stable, and that are not covered by better ones.
public struct SAMSegmenter: Segmenter {
    public struct Options: Sendable, Hashable {
        /// Points of the grid along each side.
        public var pointsPerSide: Int
        /// Masks of a lower predicted intersection over union go.
        public var predictedIoUThreshold: Float
        /// Masks of a lower stability go.
        public var stabilityThreshold: Double
        /// How far the thresholds of the stability lie from 0, in logits.
        public var stabilityOffset: Float
        /// Overlap of boxes above which the worse of two masks goes.
        public var boxOverlapThreshold: Double
        /// Layers of crops beside the whole image, each of which is encoded on its own.
        public var cropLayers: Int
        /// The same as `boxOverlapThreshold` between crops; masks of smaller crops are preferred.
        public var cropOverlapThreshold: Double
        /// How much crops of the first layer overlap, as a share of the image's shorter side.
        public var cropOverlap: Double
        /// The grid's side is divided by this with every layer.
        public var cropPointsDivisor: Int
        /// Islands and holes of fewer pixels are removed; 0 leaves masks as they are.
        public var minimumRegionArea: Int

        public init(
            pointsPerSide: Int = 32, predictedIoUThreshold: Float = 0.88, stabilityThreshold: Double = 0.95,
            stabilityOffset: Float = 1, boxOverlapThreshold: Double = 0.7, cropLayers: Int = 0,
            cropOverlapThreshold: Double = 0.7, cropOverlap: Double = 512.0 / 1500, cropPointsDivisor: Int = 1,
            minimumRegionArea: Int = 0
        ) {
            self.pointsPerSide = pointsPerSide
            self.predictedIoUThreshold = predictedIoUThreshold
            self.stabilityThreshold = stabilityThreshold
            self.stabilityOffset = stabilityOffset
            self.boxOverlapThreshold = boxOverlapThreshold
            self.cropLayers = cropLayers
            self.cropOverlapThreshold = cropOverlapThreshold
            self.cropOverlap = cropOverlap
            self.cropPointsDivisor = cropPointsDivisor
            self.minimumRegionArea = minimumRegionArea
        }
    }

    public let options: Options
    private let encoder: SAMEncoder
    private let decoder: SAMDecoder

    public init(_ encoder: SAMEncoder, _ decoder: SAMDecoder, options: Options = Options()) {
        self.encoder = encoder
        self.decoder = decoder
        self.options = options
    }

    public var name: String { "sam" }

    /// Each with the predicted intersection over union as its score.
    public func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate] {
        try masks(in: image, progress: progress).map { Candidate(mask: $0.mask, score: $0.quality) }
    }

    struct GeneratedMask: Sendable {
        var mask: Mask
        var quality: Float
        var stability: Double
        var crop: BoundingBox

        var box: NonMaximumSuppression.Box { NonMaximumSuppression.Box(mask.boundingBox) }
    }

    func masks(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [GeneratedMask] {
        let crops = ImageCrops(
            width: image.width, height: image.height, layers: options.cropLayers, overlap: options.cropOverlap
        ).crops
        var masks: [GeneratedMask] = []
        for (index, crop) in crops.enumerated() {
            masks += try self.masks(in: image, crop) { share in
                progress((Double(index) + share) / Double(crops.count))
            }
        }
        if crops.count > 1 {
            let scores = masks.map { 1 / Double($0.crop.area) }
            masks = suppress(masks, scores: scores, threshold: options.cropOverlapThreshold)
        }
        if options.minimumRegionArea > 0 { masks = tidied(masks) }
        return masks
    }

    private func masks(
        in image: RGBImage, _ crop: ImageCrops.Crop, progress: @escaping @Sendable (Double) -> Void
    ) throws -> [GeneratedMask] {
        let box = crop.box
        let part =
            crop.layer == 0 ? image : try image.cropped(x: box.x, y: box.y, width: box.width, height: box.height)
        let embedding = try encoder.encode(part)
        let points = grid(layer: crop.layer).map {
            embedding.frame.point(x: $0.x * Double(box.width), y: $0.y * Double(box.height))
        }
        let batch = max(1, decoder.promptsPerCall)
        let axes = MaskAxes(embedding.frame)
        let done = Counter()
        let calls = (points.count + batch - 1) / batch
        let found = try mapConcurrently(count: calls) { call in
            let prompts = Array(points[call * batch..<min((call + 1) * batch, points.count)])
            let predictions = try decoder.predict(embedding, points: prompts)
            let masks = try predictions.flatMap { prediction in
                try accepted(prediction, axes, box, imageWidth: image.width, imageHeight: image.height)
            }
            progress(Double(done.increment()) / Double(calls))
            return masks
        }
        let masks = found.flatMap { $0 }
        return suppress(masks, scores: masks.map { Double($0.quality) }, threshold: options.boxOverlapThreshold)
    }

    /// The centres of a square grid over 0 ... 1, row by row.
    private func grid(layer: Int) -> [(x: Double, y: Double)] {
        var side = options.pointsPerSide
        for _ in 0..<layer { side /= max(options.cropPointsDivisor, 1) }
        let centres = (0..<side).map { (Double($0) + 0.5) / Double(side) }
        return centres.flatMap { y in centres.map { x in (x, y) } }
    }

    /// The masks of one prompt that are good enough; only those that the decoder trusts are enlarged.
    private func accepted(
        _ prediction: SAMDecoder.Prediction, _ axes: MaskAxes, _ crop: BoundingBox, imageWidth: Int, imageHeight: Int
    ) throws -> [GeneratedMask] {
        var masks: [GeneratedMask] = []
        for (index, quality) in prediction.qualities.enumerated() where quality > options.predictedIoUThreshold {
            let enlarged = MaskUpsampling(
                logits: try prediction.logits(index),
                axes: axes.axes(maskWidth: prediction.width, maskHeight: prediction.height), part: crop,
                imageWidth: imageWidth, imageHeight: imageHeight, offset: options.stabilityOffset)
            guard let stability = enlarged.stability, stability >= options.stabilityThreshold, !enlarged.mask.isEmpty,
                !isCut(enlarged.mask.boundingBox, by: crop, imageWidth: imageWidth, imageHeight: imageHeight)
            else { continue }
            masks.append(GeneratedMask(mask: enlarged.mask, quality: quality, stability: stability, crop: crop))
        }
        return masks
    }

    /// Whether a mask ends within 20 pixels of an edge of its crop that is no edge of the image: the rest of what it shows
    /// probably lies outside the crop.
    private func isCut(_ box: BoundingBox, by crop: BoundingBox, imageWidth: Int, imageHeight: Int) -> Bool {
        let reach = 20
        let edges = [box.x, box.y, box.right - 1, box.bottom - 1]
        let cropEdges = [crop.x, crop.y, crop.right, crop.bottom]
        let imageEdges = [0, 0, imageWidth, imageHeight]
        return edges.indices.contains { index in
            abs(edges[index] - cropEdges[index]) <= reach && abs(edges[index] - imageEdges[index]) > reach
        }
    }

    private func suppress(_ masks: [GeneratedMask], scores: [Double], threshold: Double) -> [GeneratedMask] {
        NonMaximumSuppression.keep(masks.map(\.box), scores: scores, threshold: threshold).map { masks[$0] }
    }

    /// Masks without small islands and holes; of those that have become alike, one that needed no change is preferred.
    private func tidied(_ masks: [GeneratedMask]) -> [GeneratedMask] {
        let tidy = masks.map { mask in
            var result = mask
            result.mask = mask.mask.fillingHoles(smallerThan: options.minimumRegionArea)
                .removingIslands(smallerThan: options.minimumRegionArea)
            return result
        }
        let scores = zip(masks, tidy).map { $0.mask == $1.mask ? 1.0 : 0.0 }
        return suppress(
            tidy, scores: scores, threshold: max(options.boxOverlapThreshold, options.cropOverlapThreshold))
    }
}
