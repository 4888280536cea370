import Runtime

/// How a feature tensor lies over the image: channels at places of a grid.
struct SpatialFeatures: Sendable, Hashable {
    let channels, height, width: Int
    /// Elements from one channel to the next, and from one place to the next.
    let channelStride, placeStride: Int
    /// The element of the first channel at the first place.
    let start: Int

    var area: Int { height * width }

    /// - Parameters:
    ///   - shape: of the first image's features: `[1, C, H, W]`, with `channelsLast` `[1, H, W, C]`; or a transformer's
    ///     tokens `[1, T, C]`, T a square, perhaps after one token that stands for the class.
    ///   - name: of the value, for the message.
    /// - Throws: `InferenceError.unexpectedShape`.
    init(shape: [Int], channelsLast: Bool, named name: String) throws {
        func refused() -> InferenceError {
            .unexpectedShape(
                value: name, shape: shape,
                expected: "[N, C, H, W] of a convolution, or [N, T, C] of a transformer with a square of tokens")
        }
        guard shape.allSatisfy({ $0 > 0 }) else { throw refused() }
        switch shape.count {
        case 4 where channelsLast:
            (channels, height, width) = (shape[3], shape[1], shape[2])
            (channelStride, placeStride, start) = (1, shape[3], 0)
        case 4:
            (channels, height, width) = (shape[1], shape[2], shape[3])
            (channelStride, placeStride, start) = (shape[2] * shape[3], 1, 0)
        case 3:
            let side = Int(Double(shape[1]).squareRoot())
            let skipped = shape[1] - side * side
            guard side > 0, skipped <= 1 else { throw refused() }
            (channels, height, width) = (shape[2], side, side)
            (channelStride, placeStride, start) = (1, shape[2], skipped * shape[2])
        default: throw refused()
        }
    }
}
