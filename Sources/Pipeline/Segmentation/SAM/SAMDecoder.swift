import ONNXLoader
import Runtime

/// SAM's mask decoder, asked for what is needed only: the quality that it predicts, and masks at its own resolution.
public struct SAMDecoder: Sendable {
    public let contract: SAMDecoderContract
    private let inference: any Inference

    public init(_ contract: SAMDecoderContract, _ inference: any Inference) {
        self.contract = contract
        self.inference = inference
    }

    /// Prompts that one call takes at most.
    public var promptsPerCall: Int { contract.promptsPerCall ?? 16 }

    /// The masks for one point prompt.
    struct Prediction {
        /// The intersection over union that the decoder predicts for each mask.
        let qualities: [Float]
        let width: Int
        let height: Int
        fileprivate let masks: Tensor
        fileprivate let name: String
        /// Where each mask begins among the elements.
        fileprivate let offsets: [Int]

        /// The logits of one mask, row-major.
        func logits(_ index: Int) throws -> [Float] {
            try masks.withFloats(named: name) { Array($0[offsets[index]..<offsets[index] + width * height]) }
        }
    }

    /// The masks for each of some foreground points, in the coordinates of the encoder's frame. Of four masks the first,
    /// meant for prompts of several points, is left out.
    ///
    /// - Throws: `InferenceError` when the outputs are not those of a decoder, or what the run throws.
    func predict(_ embedding: SAMEncoder.Embedding, points: [(x: Float, y: Float)]) throws -> [Prediction] {
        switch contract.form {
        case .official: try points.map { try predictOfficial(embedding, $0) }
        case .huggingFace: try predictHuggingFace(embedding, points)
        }
    }

    private func predictOfficial(_ embedding: SAMEncoder.Embedding, _ point: (x: Float, y: Float)) throws -> Prediction
    {
        let count = contract.pointsPerPrompt ?? 2
        let side = contract.maskInputSide
        var inputs = embedding.tensors
        inputs["point_coords"] = try Tensor(
            [point.x, point.y] + [Float](repeating: 0, count: 2 * (count - 1)), shape: [1, count, 2])
        inputs["point_labels"] = try Tensor([1] + [Float](repeating: -1, count: count - 1), shape: [1, count])
        inputs["mask_input"] = try Tensor([Float](repeating: 0, count: side * side), shape: [1, 1, side, side])
        inputs["has_mask_input"] = try Tensor([Float(0)], shape: [1])
        inputs["orig_im_size"] = try Tensor(
            [Float(embedding.frame.imageHeight), Float(embedding.frame.imageWidth)], shape: [2])
        let names = ["iou_predictions", "low_res_masks"]
        let results = try inference.values(names, of: inputs)
        return try predictions(results[0], results[1], names, prompts: 1)[0]
    }

    private func predictHuggingFace(
        _ embedding: SAMEncoder.Embedding, _ points: [(x: Float, y: Float)]
    ) throws -> [Prediction] {
        var inputs = embedding.tensors
        let count = contract.promptsPerCall ?? points.count
        // A file may fix the number of prompts: the last one is repeated.
        let prompts = points + Array(repeating: points.last ?? (0, 0), count: max(0, count - points.count))
        inputs["input_points"] = try Tensor(prompts.flatMap { [$0.x, $0.y] }, shape: [1, prompts.count, 1, 2])
        inputs["input_labels"] = try Tensor([Int64](repeating: 1, count: prompts.count), shape: [1, prompts.count, 1])
        let names = ["iou_scores", "pred_masks"]
        let results = try inference.values(names, of: inputs)
        return Array(try predictions(results[0], results[1], names, prompts: prompts.count).prefix(points.count))
    }

    /// Splits `[…, prompts, masks]` qualities and `[…, prompts, masks, h, w]` logits.
    private func predictions(_ qualities: Tensor, _ masks: Tensor, _ names: [String], prompts: Int) throws
        -> [Prediction]
    {
        let shape = masks.shape
        guard shape.count >= 4, let width = shape.last, width > 0, width <= 4096 else {
            throw unexpected(masks, names[1], prompts)
        }
        let height = shape[shape.count - 2]
        let count = shape[shape.count - 3]
        guard height > 0, height <= 4096, count > 0, masks.count == prompts * count * height * width else {
            throw unexpected(masks, names[1], prompts)
        }
        guard qualities.count == prompts * count else {
            throw InferenceError.unexpectedShape(
                value: names[0], shape: qualities.shape, expected: "\(prompts) x \(count) qualities")
        }
        let values = try qualities.floats(named: names[0])
        let first = count == 4 ? 1 : 0
        return (0..<prompts).map { prompt in
            let indices = prompt * count + first..<(prompt + 1) * count
            return Prediction(
                qualities: Array(values[indices]), width: width, height: height, masks: masks, name: names[1],
                offsets: indices.map { $0 * width * height })
        }
    }

    private func unexpected(_ tensor: Tensor, _ name: String, _ prompts: Int) -> InferenceError {
        .unexpectedShape(
            value: name, shape: tensor.shape, expected: "masks [1, \(prompts == 1 ? "" : "\(prompts), ")4 or 3, h, w]")
    }
}
