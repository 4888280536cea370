import ONNXLoader
import Runtime

/// SAM's image encoder. Encode an image once, then prompt the decoder as often as needed.
public struct SAMEncoder: Sendable {
    public internal(set) var contract: SAMEncoderContract
    /// Where embeddings are kept from one run to the next; nil for nowhere.
    public let cache: EmbeddingCache?
    private let inference: any Inference

    /// SAM's own normalisation, in 0 ... 255.
    static let mean: [Float] = [123.675, 116.28, 103.53]
    static let std: [Float] = [58.395, 57.12, 57.375]

    /// - Parameters:
    ///   - inference: runs the model that the contract belongs to.
    ///   - cache: made for the same model.
    public init(_ contract: SAMEncoderContract, _ inference: any Inference, cache: EmbeddingCache? = nil) {
        self.contract = contract
        self.inference = inference
        self.cache = cache
    }

    /// An encoded image, or a part of one.
    public struct Embedding: Sendable {
        /// What the decoder takes, by the name of its input.
        public let tensors: [String: Tensor]
        let frame: SAMFrame
    }

    /// - Throws: `InferenceError` when the encoder does not give embeddings, `RasterError`, `ImageError` when the cache
    ///   cannot be written, or what the run throws.
    public func encode(_ image: RGBImage) throws -> Embedding {
        let whole = BoundingBox(x: 0, y: 0, width: image.width, height: image.height)
        return try encode([whole], of: image) { _, embedding in embedding }[0]
    }

    /// Encodes parts of an image one after another.
    ///
    /// - Parameter body: called with the number of a part and its embedding, before the next is made.
    /// - Throws: as `encode(_:)`, and what `body` throws.
    func encode<Result>(
        _ parts: [BoundingBox], of image: RGBImage, _ body: (Int, Embedding) throws -> Result
    ) throws -> [Result] {
        let source = try cache.map { _ in try EmbeddingCache.Source(image) }
        return try parts.enumerated().map { index, part in
            let frame = frame(width: part.width, height: part.height)
            guard let cache, let source else {
                return try body(index, Embedding(tensors: try run(on: image, part, frame), frame: frame))
            }
            let tensors = try cache.tensors(named: outputNames, of: source, part: part) {
                try run(on: image, part, frame)
            }
            return try body(index, Embedding(tensors: tensors, frame: frame))
        }
    }

    private var outputNames: [String] {
        contract.form == .huggingFace ? ["image_embeddings", "image_positional_embeddings"] : ["image_embeddings"]
    }

    private func run(on image: RGBImage, _ part: BoundingBox, _ frame: SAMFrame) throws -> [String: Tensor] {
        let results = try inference.values(outputNames, of: [contract.input.name: try input(image, part, frame)])
        return Dictionary(uniqueKeysWithValues: zip(outputNames, results))
    }

    private func frame(width: Int, height: Int) -> SAMFrame {
        let sides = contract.form == .bytes ? contract.input.shape ?? [nil, nil, 3] : [nil, nil, 3]
        return SAMFrame(
            imageWidth: width, imageHeight: height, side: contract.frameSide, widthLimit: sides[1],
            heightLimit: sides[0])
    }

    private func input(_ image: RGBImage, _ part: BoundingBox, _ frame: SAMFrame) throws -> Tensor {
        switch contract.form {
        case .normalised, .huggingFace:
            let side = contract.frameSide
            let input = InputContract(
                layout: .channelsFirst, range: .bytes, mean: Self.mean, std: Self.std,
                size: .fixed(height: side, width: side), resize: .longestPad)
            let placement = InputPlacement(
                source: part, contentWidth: frame.contentWidth, contentHeight: frame.contentHeight, inputWidth: side,
                inputHeight: side)
            return try InputPreparation(input, input: contract.input).tensor(image, placement)
        case .bytes:
            let sides = contract.input.shape ?? [nil, nil, 3]
            let input = InputContract(
                layout: .channelsLast, range: .bytes, size: .dynamic(multiple: 1), resize: .longestPad)
            let placement = InputPlacement(
                source: part, contentWidth: frame.contentWidth, contentHeight: frame.contentHeight,
                inputWidth: sides[1] ?? frame.contentWidth, inputHeight: sides[0] ?? frame.contentHeight)
            // The graph normalises by itself: the mean becomes its zero.
            return try InputPreparation(input, input: contract.input).tensor(image, placement, padding: Self.mean)
        }
    }
}
