import Synchronization

/// The square that SAM's encoder sees: the image in proportion at its top left, padding to the right and below.
struct SAMFrame: Sendable, Hashable {
    let imageWidth: Int
    let imageHeight: Int
    /// The side of the square, 1024 as published.
    let side: Int
    /// The resized image's size.
    let contentWidth: Int
    let contentHeight: Int

    /// - Parameters:
    ///   - widthLimit: the widest content that the encoder takes; nil for the frame's side.
    ///   - heightLimit: the highest.
    init(imageWidth: Int, imageHeight: Int, side: Int, widthLimit: Int? = nil, heightLimit: Int? = nil) {
        self.imageWidth = imageWidth
        self.imageHeight = imageHeight
        self.side = side
        let widest = min(side, widthLimit ?? side)
        let highest = min(side, heightLimit ?? side)
        let scale = min(
            Double(side) / Double(max(imageWidth, imageHeight)), Double(widest) / Double(imageWidth),
            Double(highest) / Double(imageHeight))
        contentWidth = min(max(Int(Double(imageWidth) * scale + 0.5), 1), widest)
        contentHeight = min(max(Int(Double(imageHeight) * scale + 0.5), 1), highest)
    }

    /// A point of the image in the frame's coordinates.
    func point(x: Double, y: Double) -> (x: Float, y: Float) {
        (
            Float(x * Double(contentWidth) / Double(imageWidth)),
            Float(y * Double(contentHeight) / Double(imageHeight))
        )
    }

    /// Brings low-resolution masks to the image's size as published: enlarged to the frame, cropped to the content, resized
    /// to the image, both bilinear.
    func axes(maskWidth: Int, maskHeight: Int) -> (columns: ResamplingAxis, rows: ResamplingAxis) {
        (
            axis(mask: maskWidth, content: contentWidth, image: imageWidth),
            axis(mask: maskHeight, content: contentHeight, image: imageHeight)
        )
    }

    private func axis(mask: Int, content: Int, image: Int) -> ResamplingAxis {
        let toFrame = ResamplingAxis.bilinear(
            sourceCount: mask, count: side, scale: Double(mask) / Double(side))
        let toImage = ResamplingAxis.bilinear(
            sourceCount: content, count: image, scale: Double(content) / Double(image))
        return toImage.composed(after: toFrame)
    }
}

/// The axes from low-resolution masks to an image, made once for all masks of the same size.
final class MaskAxes: Sendable {
    private struct Made {
        var maskWidth: Int
        var maskHeight: Int
        var columns: ResamplingAxis
        var rows: ResamplingAxis
    }

    private let frame: SAMFrame
    private let made = Mutex<Made?>(nil)

    init(_ frame: SAMFrame) {
        self.frame = frame
    }

    func axes(maskWidth: Int, maskHeight: Int) -> (columns: ResamplingAxis, rows: ResamplingAxis) {
        made.withLock { made in
            if let made, made.maskWidth == maskWidth, made.maskHeight == maskHeight { return (made.columns, made.rows) }
            let (columns, rows) = frame.axes(maskWidth: maskWidth, maskHeight: maskHeight)
            made = Made(maskWidth: maskWidth, maskHeight: maskHeight, columns: columns, rows: rows)
            return (columns, rows)
        }
    }
}
