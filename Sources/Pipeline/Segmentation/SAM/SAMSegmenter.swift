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
        /// The most threads that prompt the decoder at once; nil for one per core.
        public var threads: Int?

        public init(
            pointsPerSide: Int = 32, predictedIoUThreshold: Float = 0.88, stabilityThreshold: Double = 0.95,
            stabilityOffset: Float = 1, boxOverlapThreshold: Double = 0.7, cropLayers: Int = 0,
            cropOverlapThreshold: Double = 0.7, cropOverlap: Double = 512.0 / 1500, cropPointsDivisor: Int = 1,
            minimumRegionArea: Int = 0, threads: Int? = nil
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
            self.threads = threads
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
        try masks(in: image, progress: progress).map { mask in
            Candidate(mask: mask.mask, score: mask.quality, stability: mask.stability, segmenter: name)
        }
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
        let found = try encoder.encode(crops.map(\.box), of: image) { index, embedding in
            try self.masks(crops[index], embedding, imageWidth: image.width, imageHeight: image.height) { share in
                progress((Double(index) + share) / Double(crops.count))
            }
        }
        var masks = found.flatMap { $0 }
        if crops.count > 1 {
            let scores = masks.map { 1 / Double($0.crop.area) }
            masks = suppress(masks, scores: scores, threshold: options.cropOverlapThreshold)
        }
        if options.minimumRegionArea > 0 { masks = tidied(masks) }
        return masks
    }

    private func masks(
        _ crop: ImageCrops.Crop, _ embedding: SAMEncoder.Embedding, imageWidth: Int, imageHeight: Int,
        progress: @escaping @Sendable (Double) -> Void
    ) throws -> [GeneratedMask] {
        let box = crop.box
        let points = grid(layer: crop.layer).map { place in
            embedding.frame.point(x: place.x * Double(box.width), y: place.y * Double(box.height))
        }
        let batch = max(1, decoder.promptsPerCall)
        let axes = MaskAxes(embedding.frame)
        let done = Counter()
        let calls = (points.count + batch - 1) / batch
        let found = try mapConcurrently(count: calls, threads: options.threads) { call in
            let prompts = points[call * batch..<min((call + 1) * batch, points.count)].map { point in
                SAMDecoder.Prompt(points: [(point.x, point.y, true)])
            }
            let predictions = try decoder.predict(embedding, prompts)
            let masks = try predictions.flatMap { prediction in
                try accepted(prediction, axes, box, imageWidth: imageWidth, imageHeight: imageHeight)
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
        for index in prediction.several {
            let quality = prediction.qualities[index]
            // As published: a threshold of 0 lets everything pass, a negative prediction too.
            guard quality > options.predictedIoUThreshold || (options.predictedIoUThreshold <= 0 && !quality.isNaN)
            else { continue }
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
