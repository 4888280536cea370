import ONNXLoader
import Runtime

/// SAM's image encoder. Encode an image once, then prompt the decoder as often as needed.
public struct SAMEncoder: Sendable {
    public let contract: SAMEncoderContract
    private let inference: any Inference

    /// SAM's own normalisation, in 0 ... 255.
    static let mean: [Float] = [123.675, 116.28, 103.53]
    static let std: [Float] = [58.395, 57.12, 57.375]

    public init(_ contract: SAMEncoderContract, _ inference: any Inference) {
        self.contract = contract
        self.inference = inference
    }

    /// An encoded image.
    public struct Embedding: Sendable {
        /// What the decoder takes, by the name of its input.
        public let tensors: [String: Tensor]
        let frame: SAMFrame
    }

    /// - Throws: `InferenceError` when the encoder does not give embeddings, `RasterError`, or what the run throws.
    public func encode(_ image: RGBImage) throws -> Embedding {
        let (frame, tensor) = try prepare(image)
        var names = ["image_embeddings"]
        if contract.form == .huggingFace { names.append("image_positional_embeddings") }
        let results = try inference.values(names, of: [contract.input.name: tensor])
        return Embedding(tensors: Dictionary(uniqueKeysWithValues: zip(names, results)), frame: frame)
    }

    private func prepare(_ image: RGBImage) throws -> (SAMFrame, Tensor) {
        let source = BoundingBox(x: 0, y: 0, width: image.width, height: image.height)
        switch contract.form {
        case .normalised, .huggingFace:
            let side = contract.frameSide
            let frame = SAMFrame(imageWidth: image.width, imageHeight: image.height, side: side)
            let input = InputContract(
                layout: .channelsFirst, range: .bytes, mean: Self.mean, std: Self.std,
                size: .fixed(height: side, width: side), resize: .longestPad)
            let placement = InputPlacement(
                source: source, contentWidth: frame.contentWidth, contentHeight: frame.contentHeight, inputWidth: side,
                inputHeight: side)
            return (frame, try InputPreparation(input, input: contract.input).tensor(image, placement))
        case .bytes:
            let sides = contract.input.shape ?? [nil, nil, 3]
            let frame = SAMFrame(
                imageWidth: image.width, imageHeight: image.height, side: contract.frameSide, widthLimit: sides[1],
                heightLimit: sides[0])
            let input = InputContract(
                layout: .channelsLast, range: .bytes, size: .dynamic(multiple: 1), resize: .longestPad)
            let placement = InputPlacement(
                source: source, contentWidth: frame.contentWidth, contentHeight: frame.contentHeight,
                inputWidth: sides[1] ?? frame.contentWidth, inputHeight: sides[0] ?? frame.contentHeight)
            // The graph normalises by itself: the mean becomes its zero.
            let tensor = try InputPreparation(input, input: contract.input).tensor(image, placement, padding: Self.mean)
            return (frame, tensor)
        }
    }
}
