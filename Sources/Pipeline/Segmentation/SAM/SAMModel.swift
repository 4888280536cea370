/// Both halves of SAM that belong together.
public struct SAMModel: Sendable {
    public let encoder: SAMEncoder
    public let decoder: SAMDecoder
    /// What the decoder's metadata says of automatic mask generation.
    public let generation: SAMGeneration

    /// - Throws: `ContractError.contradiction` when the decoder does not take what the encoder gives.
    public init(_ encoder: SAMEncoder, _ decoder: SAMDecoder, generation: SAMGeneration = SAMGeneration())
        throws(ContractError)
    {
        if decoder.contract.form == .huggingFace, encoder.contract.form != .huggingFace {
            throw .contradiction(
                "the decoder wants image_positional_embeddings, which this encoder does not give: take encoder and decoder"
                    + " of one export")
        }
        if let given = encoder.contract.embeddingShape, let taken = decoder.contract.embeddingShape,
            !zip(given, taken).allSatisfy({ $0 == nil || $1 == nil || $0 == $1 })
        {
            func text(_ shape: [Int?]) -> String {
                "[" + shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]"
            }
            throw .contradiction(
                "the encoder gives image_embeddings \(text(given)), the decoder takes \(text(taken)): take encoder and"
                    + " decoder of one model")
        }
        var encoder = encoder
        // An encoder that pads by itself may not say to which size; the decoder knows how large its result is.
        if encoder.contract.form == .bytes, encoder.contract.embeddingShape?.last.flatMap({ $0 }) == nil,
            let side = SAMEncoderContract.frameSide(ofEmbedding: decoder.contract.embeddingShape)
        {
            encoder.contract.frameSide = side
        }
        self.encoder = encoder
        self.decoder = decoder
        self.generation = generation
    }

    /// Encodes an image, so that prompts can be answered.
    /// - Throws: as `SAMPredictor.init(_:encoder:decoder:)`.
    public func predictor(for image: RGBImage) throws -> SAMPredictor {
        try SAMPredictor(image, encoder: encoder, decoder: decoder)
    }
}
