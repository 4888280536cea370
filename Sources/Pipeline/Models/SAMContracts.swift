import ONNXLoader

/// The encoder half of SAM, recognised by its inputs and outputs.
public struct SAMEncoderContract: Sendable, Hashable {
    public enum Form: Sendable, Hashable {
        /// `[1, 3, S, S]`, normalised and padded by the caller → `image_embeddings`: the published export.
        case normalised
        /// `[H, W, 3]` in 0 ... 255, resized by the caller, normalised and padded by the graph → `image_embeddings`:
        /// samexporter with pre-processing inside.
        case bytes
        /// `pixel_values [B, 3, S, S]` → `image_embeddings`, `image_positional_embeddings`: Hugging Face.
        case huggingFace
    }

    public let form: Form
    public let input: ModelSignature.Value
    /// The side of the square frame that the longest side of an image is resized to; 1024 as published.
    public internal(set) var frameSide: Int
    /// `[batch, channels, height, width]` of the embeddings as far as the file fixes them; nil when it declares no rank.
    public let embeddingShape: [Int?]?

    /// The longest side of an input that is filled on a file's word.
    static let largestSide = 4096
    /// Pixels of the frame that one place of the embedding stands for, in every published model.
    static let patchSide = 16

    static let expected =
        "image [1, 3, S, S] → image_embeddings [1, C, h, w]; input_image [H, W, 3] → image_embeddings;"
        + " or pixel_values [B, 3, S, S] → image_embeddings, image_positional_embeddings"

    /// - Throws: `ContractError.wrongSignature`.
    public init(_ signature: ModelSignature) throws(ContractError) {
        let wrong = ContractError.wrongSignature(.samEncoder, found: signature.summary, expected: Self.expected)
        guard signature.inputs.count == 1, let input = signature.inputs.first,
            [.float32, .float16, .uint8, nil].contains(input.elementType),
            let embeddings = signature.output("image_embeddings"), embeddings.allows([nil, nil, nil, nil])
        else { throw wrong }
        self.input = input
        embeddingShape = embeddings.shape
        let rank = input.shape?.count
        if input.name == "pixel_values", signature.output("image_positional_embeddings") != nil,
            input.allows([nil, 3, nil, nil])
        {
            form = .huggingFace
        } else if rank == 3, input.allows([nil, nil, 3]) {
            form = .bytes
        } else if rank == 4, input.allows([nil, 3, nil, nil]) {
            form = .normalised
        } else {
            throw wrong
        }
        let fromEmbeddings = Self.frameSide(ofEmbedding: embeddings.shape)
        let fromInput = form == .bytes ? nil : input.shape?.last.flatMap { $0 }
        frameSide = fromInput ?? fromEmbeddings ?? 1024
        let fixedSides = form == .bytes ? (input.shape ?? []).prefix(2).compactMap { $0 } : [frameSide]
        guard (16...Self.largestSide).contains(frameSide), fixedSides.allSatisfy((1...Self.largestSide).contains),
            form == .bytes || input.allows([nil, 3, frameSide, frameSide]),
            input.elementType != .uint8 || form == .bytes
        else { throw wrong }
    }

    /// The frame that an embedding of a declared width stands for.
    static func frameSide(ofEmbedding shape: [Int?]?) -> Int? {
        shape?.last.flatMap { $0 }.flatMap { (1...largestSide / patchSide).contains($0) ? $0 * patchSide : nil }
    }
}

/// The decoder half of SAM, recognised by its inputs and outputs.
public struct SAMDecoderContract: Sendable, Hashable {
    public enum Form: Sendable, Hashable {
        /// One prompt a call: `point_coords [1, N, 2]` in the encoder's frame, `point_labels [1, N]`, an earlier mask and the
        /// image's size → `iou_predictions [1, 4]`, `low_res_masks [1, 4, h, w]`. The caller appends a padding point.
        case official
        /// Several prompts a call: `input_points [B, P, N, 2]`, `input_labels [B, P, N]` → `iou_scores [B, P, 3]`,
        /// `pred_masks [B, P, 3, h, w]`. The graph pads by itself.
        case huggingFace
    }

    public let form: Form
    /// Sides of the earlier mask that the official decoder takes.
    public let maskInputSide: Int
    /// Prompts that one call takes: a number when the file fixes it, nil when it is free.
    public let promptsPerCall: Int?
    /// Points that one prompt takes: a number when the file fixes it, nil when it is free.
    public let pointsPerPrompt: Int?
    /// Masks that it gives for a prompt: 4, or 3 without the one for prompts that are not ambiguous, or only the best;
    /// nil when the file does not say.
    public let masksPerPrompt: Int?
    /// Whether a prompt may be a box. A Hugging Face graph that takes boxes wants one with every prompt.
    public let takesBoxes: Bool
    /// `[batch, channels, height, width]` of the embeddings as far as the file fixes them; nil when it declares no rank.
    public let embeddingShape: [Int?]?

    static let expected =
        "image_embeddings, point_coords, point_labels, mask_input, has_mask_input, orig_im_size → iou_predictions,"
        + " low_res_masks; or image_embeddings, image_positional_embeddings, input_points, input_labels → iou_scores,"
        + " pred_masks; the latter with input_boxes [B, P, 4] or without"

    /// - Throws: `ContractError.wrongSignature`; `contradiction` when the file fixes the number of points below what a prompt needs.
    public init(_ signature: ModelSignature) throws(ContractError) {
        let inputs = Set(signature.inputs.map(\.name))
        let outputs = Set(signature.outputs.map(\.name))
        func allows(_ name: String, _ shape: [Int?]) -> Bool { signature.input(name)?.allows(shape) ?? false }
        embeddingShape = signature.input("image_embeddings")?.shape
        let masks = signature.output("low_res_masks") ?? signature.output("pred_masks")
        masksPerPrompt = masks?.shape.flatMap { $0.count >= 3 ? $0[$0.count - 3] : nil }

        let official: Set = [
            "image_embeddings", "point_coords", "point_labels", "mask_input", "has_mask_input", "orig_im_size",
        ]
        let huggingFace: Set = ["image_embeddings", "image_positional_embeddings", "input_points", "input_labels"]
        if inputs == official, outputs.isSuperset(of: ["iou_predictions", "low_res_masks"]),
            allows("point_coords", [1, nil, 2]), allows("point_labels", [1, nil]),
            allows("mask_input", [1, 1, nil, nil]), allows("image_embeddings", [1, nil, nil, nil])
        {
            form = .official
            takesBoxes = true
            promptsPerCall = 1
            pointsPerPrompt = signature.input("point_coords")?.shape?[1]
            let sides = [signature.input("mask_input")?.shape?.last, signature.input("image_embeddings")?.shape?.last]
            maskInputSide = sides[0].flatMap { $0 } ?? sides[1].flatMap { $0 }.map { min($0, 1024) * 4 } ?? 256
            guard (4...4096).contains(maskInputSide) else {
                throw .wrongSignature(.samDecoder, found: signature.summary, expected: Self.expected)
            }
            if let pointsPerPrompt, !(2...64).contains(pointsPerPrompt) {
                throw .contradiction(
                    "the decoder takes \(pointsPerPrompt) points, but a prompt is a point and a padding point: export it"
                        + " with a dynamic number of points")
            }
        } else if inputs.isSuperset(of: huggingFace), inputs.isSubset(of: huggingFace.union(["input_boxes"])),
            outputs.isSuperset(of: ["iou_scores", "pred_masks"]), allows("input_points", [nil, nil, nil, 2]),
            allows("input_labels", [nil, nil, nil]),
            !inputs.contains("input_boxes") || allows("input_boxes", [nil, nil, 4])
        {
            form = .huggingFace
            takesBoxes = inputs.contains("input_boxes")
            promptsPerCall = signature.input("input_points")?.shape?[1]
            pointsPerPrompt = signature.input("input_points")?.shape?[2]
            maskInputSide = 256
            if let promptsPerCall, !(1...1024).contains(promptsPerCall) {
                throw .contradiction(
                    "the decoder takes \(promptsPerCall) prompts a call: export it with a dynamic number of prompts")
            }
            if let pointsPerPrompt, pointsPerPrompt != 1 {
                throw .contradiction(
                    "the decoder takes \(pointsPerPrompt) points a prompt, but the grid has one: export it with a dynamic"
                        + " number of points")
            }
        } else {
            throw .wrongSignature(.samDecoder, found: signature.summary, expected: Self.expected)
        }
    }
}
