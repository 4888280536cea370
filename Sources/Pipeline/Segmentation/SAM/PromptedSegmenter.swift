/// Candidates from SAM for prompts: three for a single point, which may mean a part as well as the whole, and one for a box
/// or several points.
public struct PromptedSegmenter: Segmenter {
    /// In pixels of the image as it is looked at.
    public let prompts: [SAMPrompt]
    private let sam: SAMModel
    private let threads: Int?

    /// - Parameters:
    ///   - prompts: in pixels of the image as it is looked at.
    ///   - threads: the most threads that prompt the decoder at once; nil for one per core.
    public init(_ sam: SAMModel, prompts: [SAMPrompt], threads: Int? = nil) {
        self.sam = sam
        self.prompts = prompts
        self.threads = threads
    }

    public var name: String { "sam" }

    public func candidates(in image: RGBImage, progress: @escaping @Sendable (Double) -> Void) throws -> [Candidate] {
        try candidates(in: image, orientation: .up, progress: progress)
    }

    /// - Throws: `SAMPromptError` for a prompt outside the image or of a kind that the decoder's file does not take.
    public func candidates(
        in image: RGBImage, orientation: Orientation, progress: @escaping @Sendable (Double) -> Void
    ) throws -> [Candidate] {
        let prompts = prompts.map { prompt in
            prompt.stored(orientation, storedWidth: image.width, storedHeight: image.height)
        }
        for prompt in prompts { _ = try prompt.clipped(width: image.width, height: image.height) }
        let predictor = try sam.predictor(for: image)
        let done = Counter()
        let predictions = try mapConcurrently(count: prompts.count, threads: threads) { index in
            let prompt = prompts[index]
            let masks = prompt.isAmbiguous ? try predictor.masks(for: prompt) : [try predictor.mask(for: prompt)]
            progress(Double(done.increment()) / Double(prompts.count))
            return masks
        }
        return predictions.flatMap { $0 }.filter { !$0.mask.isEmpty }.map { prediction in
            Candidate(
                mask: prediction.mask, score: prediction.predictedIoU, stability: prediction.stability, segmenter: name)
        }
    }
}
