/// Where a network's input lies on an image, and back: the way that its outputs are brought to the image's pixels.
///
/// A part of the image (`source`) is resampled to `contentWidth` x `contentHeight` and stands at the top left of the
/// input; the rest of `inputWidth` x `inputHeight` is padding.
public struct InputPlacement: Sendable, Hashable {
    /// The part of the image that the network sees.
    public let source: BoundingBox
    public let contentWidth: Int
    public let contentHeight: Int
    public let inputWidth: Int
    public let inputHeight: Int
    /// The part of `source` that takes its outputs from here; where inputs overlap, each pixel belongs to one.
    public let owned: BoundingBox

    public init(
        source: BoundingBox, contentWidth: Int, contentHeight: Int, inputWidth: Int, inputHeight: Int,
        owned: BoundingBox? = nil
    ) {
        self.source = source
        self.contentWidth = contentWidth
        self.contentHeight = contentHeight
        self.inputWidth = inputWidth
        self.inputHeight = inputHeight
        self.owned = owned ?? source
    }

    /// The whole image, stretched over the whole input.
    public static func stretched(imageWidth: Int, imageHeight: Int, inputWidth: Int, inputHeight: Int) -> InputPlacement
    {
        InputPlacement(
            source: BoundingBox(x: 0, y: 0, width: imageWidth, height: imageHeight), contentWidth: inputWidth,
            contentHeight: inputHeight, inputWidth: inputWidth, inputHeight: inputHeight)
    }

    /// Maps the owned part's pixels to an output of the network that spans its input at any resolution. Samples that
    /// show padding alone are left out of the interpolation.
    func axes(outputWidth: Int, outputHeight: Int) -> (columns: ResamplingAxis, rows: ResamplingAxis) {
        (
            columns: Self.axis(
                output: outputWidth, input: inputWidth, content: contentWidth, source: source.x..<source.right,
                owned: owned.x..<owned.right),
            rows: Self.axis(
                output: outputHeight, input: inputHeight, content: contentHeight, source: source.y..<source.bottom,
                owned: owned.y..<owned.bottom)
        )
    }

    /// The number of output samples that show more than padding.
    static func contentCount(output: Int, input: Int, content: Int) -> Int {
        guard input > 0 else { return output }
        return min(output, max(1, (output * content + input - 1) / input))
    }

    private static func axis(
        output: Int, input: Int, content: Int, source: Range<Int>, owned: Range<Int>
    ) -> ResamplingAxis {
        let scale = Double(output) * Double(content) / (Double(input) * Double(source.count))
        return .bilinear(
            sourceCount: contentCount(output: output, input: input, content: content), count: owned.count, scale: scale,
            offset: Double(owned.lowerBound - source.lowerBound) * scale)
    }
}
