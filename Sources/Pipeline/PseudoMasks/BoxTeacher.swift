import Foundation

/// The teacher of BoxPromptIML: SAM, which learns nothing here, makes a mask of each coarse box.
///
/// The decoder gets a box as two points with the labels 2 and 3, and its mask for unambiguous prompts is taken.
public struct BoxTeacher: Sendable {
    /// From where on a mask is said to be poor.
    public struct Thresholds: Sendable, Hashable, Codable {
        /// Of the intersection over union that SAM predicts.
        public var predictedIoU: Double
        /// Of the share of the mask that lies inside its box.
        public var inside: Double
        /// Of the share of the box that its mask covers.
        public var coverage: Double

        public init(predictedIoU: Double = 0.7, inside: Double = 0.8, coverage: Double = 0.2) {
            self.predictedIoU = predictedIoU
            self.inside = inside
            self.coverage = coverage
        }
    }

    /// Why a mask is poor.
    public enum Flag: String, Sendable, Hashable, Codable, CaseIterable {
        case lowPredictedIoU = "low-iou"
        case leavesBox = "leaves-box"
        case coversLittle = "covers-little"
        /// It has no pixel.
        case empty
    }

    /// What SAM made of a box.
    public struct BoxMask: Sendable {
        public let mask: Mask
        /// The intersection over union with the truth that SAM predicts; nil when that is not a number.
        public let predictedIoU: Double?
        /// Pixels whose logit is above 1 divided by those above -1; nil when there are none of these.
        public let stability: Double?
        /// The share of the mask inside the box, 0 to 1; nil for a mask without a pixel.
        public let inside: Double?
        /// The share of the box that the mask covers, 0 to 1; nil for a box in which no pixel's centre lies.
        public let coverage: Double?
        /// Empty for a good mask.
        public let flags: [Flag]
    }

    public let thresholds: Thresholds
    private let sam: SAMModel
    private let threads: Int?

    /// - Parameter threads: the most threads that prompt the decoder at once; nil for one per core.
    public init(_ sam: SAMModel, thresholds: Thresholds = Thresholds(), threads: Int? = nil) {
        self.sam = sam
        self.thresholds = thresholds
        self.threads = threads
    }

    /// The masks of an image's boxes, in their order. The image is encoded once.
    ///
    /// - Parameters:
    ///   - image: the stored picture.
    ///   - boxes: inside the image, see `PixelBox.fitted`.
    ///   - progress: called with the share of boxes that are done; from any thread.
    /// - Throws: `SAMPromptError`, `InferenceError`, or what the models' runs throw.
    public func masks(
        in image: RGBImage, boxes: [PixelBox], progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws -> [BoxMask] {
        guard !boxes.isEmpty else { return [] }
        let predictor = try sam.predictor(for: image)
        let done = Counter()
        return try mapConcurrently(count: boxes.count, threads: threads) { index in
            let box = boxes[index]
            let prediction = try predictor.mask(
                for: SAMPrompt(box: .init(x: box.left, y: box.top, width: box.width, height: box.height)))
            progress(Double(done.increment()) / Double(boxes.count))
            return BoxMask(prediction, box: box, thresholds)
        }
    }
}

extension BoxTeacher.BoxMask {
    init(_ prediction: SAMPredictor.Prediction, box: PixelBox, _ thresholds: BoxTeacher.Thresholds) {
        mask = prediction.mask
        stability = prediction.stability
        predictedIoU = prediction.predictedIoU.isFinite ? Double(prediction.predictedIoU) : nil
        let pixels = box.pixels
        var filled = MaskBuilder(width: mask.width, height: mask.height)
        for row in pixels.y..<pixels.bottom { filled.append(row: row, columns: pixels.x..<pixels.right) }
        let shared = Double(mask.intersectionArea(filled.build()))
        inside = mask.isEmpty ? nil : shared / Double(mask.area)
        coverage = pixels.area > 0 ? shared / Double(pixels.area) : nil
        var flags: [BoxTeacher.Flag] = []
        if (predictedIoU ?? 0) < thresholds.predictedIoU { flags.append(.lowPredictedIoU) }
        if mask.isEmpty {
            flags.append(.empty)
        } else {
            if let inside, inside < thresholds.inside { flags.append(.leavesBox) }
            if let coverage, coverage < thresholds.coverage { flags.append(.coversLittle) }
        }
        self.flags = flags
    }
}
