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

    /// A prompt in the coordinates of the encoder's frame.
    struct Prompt {
        var points: [(x: Float, y: Float, isForeground: Bool)]
        var box: (left: Float, top: Float, right: Float, bottom: Float)?

        init(points: [(x: Float, y: Float, isForeground: Bool)]) {
            self.points = points
        }

        /// - Throws: `SAMPromptError` for a prompt that does not belong to the frame's image.
        init(_ prompt: SAMPrompt, _ frame: SAMFrame) throws(SAMPromptError) {
            let prompt = try prompt.clipped(width: frame.imageWidth, height: frame.imageHeight)
            points = prompt.points.map { point in
                let (x, y) = frame.point(x: point.x, y: point.y)
                return (x, y, point.isForeground)
            }
            box = prompt.box.map { box in
                let start = frame.point(x: box.x, y: box.y)
                let end = frame.point(x: box.x + box.width, y: box.y + box.height)
                return (start.x, start.y, end.x, end.y)
            }
        }
    }

    /// The masks for one prompt.
    struct Prediction {
        /// The intersection over union that the decoder predicts for each mask.
        let qualities: [Float]
        let width: Int
        let height: Int
        fileprivate let masks: Tensor
        fileprivate let name: String
        /// Where the first mask begins among the elements.
        fileprivate let start: Int

        /// The logits of one mask, row-major.
        func logits(_ index: Int) throws -> [Float] {
            let offset = start + index * width * height
            return try masks.withFloats(named: name) { Array($0[offset..<offset + width * height]) }
        }

        /// The masks for an ambiguous prompt. Of four masks the first is meant for the others and left out.
        var several: Range<Int> { (qualities.count == 4 ? 1 : 0)..<qualities.count }

        /// The mask for a prompt that is not ambiguous: the first of four; the best of those of a graph that has left out
        /// the first.
        var single: Int {
            guard qualities.count != 4 else { return 0 }
            return qualities.indices.reduce(0) { qualities[$1] > qualities[$0] ? $1 : $0 }
        }
    }

    /// The masks for each of some prompts of equally many points.
    ///
    /// - Throws: `SAMPromptError` when the file takes no such prompts, `InferenceError` when the outputs are not those of a
    ///   decoder, or what the run throws.
    func predict(_ embedding: SAMEncoder.Embedding, _ prompts: [Prompt]) throws -> [Prediction] {
        switch contract.form {
        case .official: try prompts.map { try predictOfficial(embedding, $0) }
        case .huggingFace: try predictHuggingFace(embedding, prompts)
        }
    }

    private func predictOfficial(_ embedding: SAMEncoder.Embedding, _ prompt: Prompt) throws -> Prediction {
        // An export of a single mask takes the right one only for three points or more.
        let isSingle = contract.masksPerPrompt == 1
        let prediction = try predictOfficial(embedding, prompt, leastPoints: isSingle ? 3 : 0)
        if prediction.qualities.count == 1, !isSingle, prompt.box != nil, prompt.points.isEmpty {
            return try predictOfficial(embedding, prompt, leastPoints: 3)
        }
        return prediction
    }

    /// - Parameter leastPoints: a box is padded to as many.
    private func predictOfficial(
        _ embedding: SAMEncoder.Embedding, _ prompt: Prompt, leastPoints: Int
    ) throws -> Prediction {
        var coordinates = prompt.points.flatMap { [$0.x, $0.y] }
        var labels: [Float] = prompt.points.map { $0.isForeground ? 1 : 0 }
        if let box = prompt.box {
            coordinates += [box.left, box.top, box.right, box.bottom]
            labels += [2, 3]
        }
        let padded = prompt.box == nil ? labels.count + 1 : max(labels.count, leastPoints)
        let count = contract.pointsPerPrompt ?? padded
        guard labels.count <= count, padded <= count || prompt.box != nil else {
            throw SAMPromptError.tooManyPoints(
                prompt.points.count, limit: max(count - (padded - prompt.points.count), 0))
        }
        coordinates += [Float](repeating: 0, count: 2 * (count - labels.count))
        labels += [Float](repeating: -1, count: count - labels.count)

        let side = contract.maskInputSide
        var inputs = embedding.tensors.filter { $0.key == "image_embeddings" }
        inputs["point_coords"] = try Tensor(coordinates, shape: [1, count, 2])
        inputs["point_labels"] = try Tensor(labels, shape: [1, count])
        inputs["mask_input"] = try Tensor([Float](repeating: 0, count: side * side), shape: [1, 1, side, side])
        inputs["has_mask_input"] = try Tensor([Float(0)], shape: [1])
        inputs["orig_im_size"] = try Tensor(
            [Float(embedding.frame.imageHeight), Float(embedding.frame.imageWidth)], shape: [2])
        let names = ["iou_predictions", "low_res_masks"]
        let results = try inference.values(names, of: inputs)
        return try predictions(results[0], results[1], names, prompts: 1)[0]
    }

    private func predictHuggingFace(_ embedding: SAMEncoder.Embedding, _ prompts: [Prompt]) throws -> [Prediction] {
        guard let last = prompts.last else { return [] }
        let hasBox = last.box != nil
        guard hasBox || !contract.takesBoxes else { throw SAMPromptError.boxWanted }
        guard !hasBox || contract.takesBoxes else { throw SAMPromptError.boxesNotTaken }
        // The graph pads by itself. A box alone has no points, or as many that are none (label -1) as the file fixes.
        let points = contract.pointsPerPrompt ?? last.points.count
        guard last.points.count == points || (hasBox && last.points.count < points) else {
            throw SAMPromptError.tooManyPoints(last.points.count, limit: points)
        }
        // A file may fix the number of prompts: the last one is repeated.
        let count = max(contract.promptsPerCall ?? prompts.count, prompts.count)
        let all = prompts + Array(repeating: last, count: count - prompts.count)
        var coordinates: [Float] = []
        var labels: [Int64] = []
        for prompt in all {
            let missing = points - prompt.points.count
            coordinates += prompt.points.flatMap { [$0.x, $0.y] } + [Float](repeating: 0, count: 2 * missing)
            labels += prompt.points.map { $0.isForeground ? 1 : 0 } + [Int64](repeating: -1, count: missing)
        }
        var inputs = embedding.tensors
        inputs["input_points"] = try Tensor(coordinates, shape: [1, count, points, 2])
        inputs["input_labels"] = try Tensor(labels, shape: [1, count, points])
        if hasBox {
            let boxes = all.flatMap { prompt in
                prompt.box.map { [$0.left, $0.top, $0.right, $0.bottom] } ?? []
            }
            inputs["input_boxes"] = try Tensor(boxes, shape: [1, count, 4])
        }
        let names = ["iou_scores", "pred_masks"]
        let results = try inference.values(names, of: inputs)
        return Array(try predictions(results[0], results[1], names, prompts: count).prefix(prompts.count))
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
        return (0..<prompts).map { prompt in
            Prediction(
                qualities: Array(values[prompt * count..<(prompt + 1) * count]), width: width, height: height,
                masks: masks, name: names[1], start: prompt * count * width * height)
        }
    }

    private func unexpected(_ tensor: Tensor, _ name: String, _ prompts: Int) -> InferenceError {
        .unexpectedShape(
            value: name, shape: tensor.shape, expected: "masks [1, \(prompts == 1 ? "" : "\(prompts), ")4 or 3, h, w]")
    }
}
