/// SAM on one image: the image is encoded once, then every prompt costs one run of the decoder.
///
///     var models = ModelOpener(folder: folder)
///     let predictor = try models.sam().predictor(for: photo.image)
///     let best = try predictor.mask(for: SAMPrompt(box: .init(x: 40, y: 60, width: 300, height: 200)))
///     let three = try predictor.masks(for: SAMPrompt(points: [.init(x: 120, y: 80)]))
///
/// Coordinates are pixels of the image that was given. For a prompt that was made on the photo as it is looked at, take
/// `prompt.stored(orientation, storedWidth:storedHeight:)` first. Safe to use from several threads.
public struct SAMPredictor: Sendable {
    /// A mask with what is known of it.
    public struct Prediction: Sendable {
        /// Of the image's size: pixels whose logit is above 0. It may be empty.
        public var mask: Mask
        /// The intersection over union with the truth that the decoder predicts.
        public var predictedIoU: Float
        /// Pixels whose logit is above 1 divided by those above -1, 0 to 1; nil when there are none of these.
        public var stability: Double?
    }

    private let decoder: SAMDecoder
    private let embedding: SAMEncoder.Embedding
    private let axes: MaskAxes

    /// Encodes an image.
    /// - Throws: `InferenceError` when the encoder does not give embeddings, `RasterError`, or what the run throws.
    public init(_ image: RGBImage, encoder: SAMEncoder, decoder: SAMDecoder) throws {
        self.init(try encoder.encode(image), decoder: decoder)
    }

    /// Goes on with an image that was encoded earlier.
    public init(_ embedding: SAMEncoder.Embedding, decoder: SAMDecoder) {
        self.embedding = embedding
        self.decoder = decoder
        axes = MaskAxes(embedding.frame)
    }

    /// The one mask for a prompt. For a box, or several points, it is the decoder's mask for prompts that are not ambiguous
    /// (the first of four); for a single point, and for graphs without that mask, the one of the highest predicted
    /// intersection over union.
    ///
    /// - Throws: `SAMPromptError` for a prompt outside the image or of a kind that the decoder's file does not take,
    ///   `InferenceError`, or what the run throws.
    public func mask(for prompt: SAMPrompt) throws -> Prediction {
        let prediction = try predict(prompt)
        let index =
            prompt.isAmbiguous
            ? prediction.several.reduce(prediction.several.lowerBound) {
                prediction.qualities[$1] > prediction.qualities[$0] ? $1 : $0
            } : prediction.single
        return try enlarged(prediction, index)
    }

    /// The masks for a prompt that may mean a part, a whole, or something between: three, in the decoder's order; one of
    /// graphs that give no more.
    ///
    /// - Throws: as `mask(for:)`.
    public func masks(for prompt: SAMPrompt) throws -> [Prediction] {
        let prediction = try predict(prompt)
        return try prediction.several.map { try enlarged(prediction, $0) }
    }

    private func predict(_ prompt: SAMPrompt) throws -> SAMDecoder.Prediction {
        try decoder.predict(embedding, [SAMDecoder.Prompt(prompt, embedding.frame)])[0]
    }

    private func enlarged(_ prediction: SAMDecoder.Prediction, _ index: Int) throws -> Prediction {
        let frame = embedding.frame
        let enlarged = MaskUpsampling(
            logits: try prediction.logits(index),
            axes: axes.axes(maskWidth: prediction.width, maskHeight: prediction.height),
            part: BoundingBox(x: 0, y: 0, width: frame.imageWidth, height: frame.imageHeight),
            imageWidth: frame.imageWidth, imageHeight: frame.imageHeight, offset: 1)
        return Prediction(
            mask: enlarged.mask, predictedIoU: prediction.qualities[index], stability: enlarged.stability)
    }
}
