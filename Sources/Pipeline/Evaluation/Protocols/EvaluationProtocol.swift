/// A published way of scoring maps. The same maps differ by .1 to .3 between them.
public enum EvaluationProtocol: String, Sendable, Hashable, CaseIterable, Codable {
    /// Native size; images whose mask is not empty.
    case `default`
    /// As `default`, on images that the classifier finds manipulated (WCBnet's paper).
    case paper
    /// IMDLBenCo: 512 × 512, strictly above the threshold, images with an empty mask score 0.
    case benco
    /// TruFor: a band along the outline is ignored, the better of the map and its inverse counts.
    case trufor
    /// MVSS-Net: strictly above the threshold, an empty mask with nothing marked scores 1; images by their map's maximum.
    case mvss

    /// What is done to mask and map before they are compared.
    public enum Preparation: String, Sendable, Hashable, CaseIterable, Codable {
        /// Nothing.
        case native
        /// Mask eroded by a square of 15 and dilated by one of 11 pixels; what lies between is ignored.
        case banded
        /// Both brought to 512 × 512: the map bilinearly, the mask by nearest neighbour.
        case square
    }

    public var preparation: Preparation {
        switch self {
        case .default, .paper, .mvss: .native
        case .benco: .square
        case .trufor: .banded
        }
    }

    /// How this protocol compares with a threshold.
    public func threshold(_ value: Double) -> ScoreThreshold {
        switch self {
        case .default, .paper: ScoreThreshold(value)
        case .benco, .trufor, .mvss: ScoreThreshold(value, isStrict: true)
        }
    }

    /// Whether an image's own score is the maximum of its map, whatever a classifier says.
    public var scoresImagesByMaximum: Bool { self == .mvss }

    /// What a reader must know to compare figures with others'.
    public var note: String {
        switch self {
        case .default:
            "Native size. Means over manipulated images whose mask is not empty. Images with an empty mask have no pixel"
                + " figures; they count for the false-positive and image-level figures."
        case .paper:
            "As default, but pixel figures only of manipulated images that the classifier finds manipulated."
        case .benco:
            "Maps (bilinear) and masks (nearest) at 512 × 512, strictly above the threshold; images with an empty mask"
                + " enter the means with 0, as in IMDLBenCo. Methods see the image at its own size."
        case .trufor:
            "A pixel is manipulated within the mask eroded by 15 × 15 and authentic outside the mask dilated by 11 × 11;"
                + " between them it is ignored. Strictly above the threshold. Every figure is the better of the map's and"
                + " the inverse map's, as TruFor's for F1."
        case .mvss:
            "Native size, strictly above the threshold. An image that is manipulated by label but whose mask is empty"
                + " scores 1 when nothing is marked, else 0; “F1, all” gives authentic images the same. Image score: the"
                + " map's maximum. Image F1: harmonic mean of sensitivity and specificity; Com-F1: that of pixel and image"
                + " F1 (MVSS-Net)."
        }
    }
}

extension EvaluationProtocol.Preparation {
    static let squareSide = 512

    /// The classes of an image's pixels.
    /// - Throws: `RasterError.badSize`.
    func truth(_ mask: BinaryMask) throws(RasterError) -> PixelTruth {
        switch self {
        case .native: PixelTruth(mask)
        case .banded: PixelTruth(mask, eroded: 7, dilated: 5)
        case .square: PixelTruth(try mask.resized(width: Self.squareSide, height: Self.squareSide))
        }
    }

    /// A map as it is compared with the truth.
    /// - Throws: `RasterError.badSize`.
    func map(_ map: LevelMap) throws(RasterError) -> LevelMap {
        switch self {
        case .native, .banded: map
        case .square: try map.resized(width: Self.squareSide, height: Self.squareSide)
        }
    }
}
