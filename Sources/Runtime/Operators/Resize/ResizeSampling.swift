/// Which input coordinate an output coordinate corresponds to (`coordinate_transformation_mode`).
enum ResizeSampling: String, CaseIterable, Sendable {
    case halfPixel = "half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case halfPixelForNearest = "tf_half_pixel_for_nn"
    case cropAndResize = "tf_crop_and_resize"

    /// Whether resizing along this axis leaves every element where it is.
    func keeps(_ axis: ResizedAxis) -> Bool {
        guard axis.inputSize == axis.outputSize, abs(axis.scale - 1) <= 1e-9 else { return false }
        switch self {
        case .cropAndResize: return axis.regionStart == 0 && axis.regionEnd == 1
        case .halfPixelForNearest: return false
        default: return true
        }
    }

    /// The input coordinate, in elements; nil where it lies outside the input and the extrapolation value goes.
    /// - Throws: `OperatorError` when it is no number.
    func coordinate(of position: Int, _ axis: ResizedAxis) throws -> Double? {
        let x = Double(position)
        let size = Double(axis.inputSize)
        let resized = axis.scale * size
        let coordinate: Double
        switch self {
        case .halfPixel: coordinate = (x + 0.5) / axis.scale - 0.5
        case .halfPixelSymmetric:
            // The centre of the output is the centre of the input, though the output was cut to a whole size.
            let adjustment = Double(axis.outputSize) / resized
            coordinate = size / 2 * (1 - adjustment) + (x + 0.5) / axis.scale - 0.5
        case .pytorchHalfPixel: coordinate = resized == 1 ? -0.5 : (x + 0.5) / axis.scale - 0.5
        case .alignCorners: coordinate = resized == 1 ? 0 : x * (size - 1) / (resized - 1)
        case .asymmetric: coordinate = x / axis.scale
        case .halfPixelForNearest: coordinate = (x + 0.5) / axis.scale
        case .cropAndResize:
            let extent = (axis.regionEnd - axis.regionStart) * (size - 1)
            coordinate = (resized == 1 ? extent / 2 : x * extent / (resized - 1)) + axis.regionStart * (size - 1)
            if coordinate < 0 || coordinate > size - 1 { return nil }
        }
        guard coordinate.isFinite else { throw OperatorError("a scale of \(axis.scale) samples no coordinate") }
        return coordinate
    }
}

/// How a coordinate between two elements is rounded to one (`nearest_mode`).
enum NearestMode: String, CaseIterable, Sendable {
    case roundPreferFloor = "round_prefer_floor"
    case roundPreferCeiling = "round_prefer_ceil"
    case floor
    case ceiling = "ceil"

    func index(of coordinate: Double, _ axis: ResizedAxis) -> Int {
        let below = coordinate.rounded(.down)
        let fraction = coordinate - below
        let isUpper =
            switch self {
            case .roundPreferFloor: fraction > 0.5
            case .roundPreferCeiling: fraction >= 0.5
            case .floor: false
            case .ceiling: fraction > 0
            }
        return Int(min(max(isUpper ? below + 1 : below, 0), Double(axis.inputSize - 1)))
    }
}
