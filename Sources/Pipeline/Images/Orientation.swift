/// How a stored picture is turned to be looked at: tag 274 of TIFF 6.0 and Exif.
///
/// The names say where the stored picture's top edge belongs, and whether it is mirrored on the way.
public enum Orientation: Int, Sendable, Hashable, CaseIterable {
    case up = 1
    case upMirrored = 2
    case down = 3
    case downMirrored = 4
    case leftMirrored = 5
    case right = 6
    case rightMirrored = 7
    case left = 8

    /// Whether the stored width is the height to look at.
    public var swapsSides: Bool { rawValue >= 5 }

    /// Where the pixel to look at in column `x`, row `y` is stored: `start + x * xStep + y * yStep` in row-major order.
    func strides(storedWidth width: Int, storedHeight height: Int) -> (start: Int, xStep: Int, yStep: Int) {
        switch self {
        case .up: (0, 1, width)
        case .upMirrored: (width - 1, -1, width)
        case .down: (width * height - 1, -1, -width)
        case .downMirrored: (width * (height - 1), 1, -width)
        case .leftMirrored: (0, width, 1)
        case .right: (width * (height - 1), -width, 1)
        case .rightMirrored: (width * height - 1, -width, -1)
        case .left: (width - 1, width, -1)
        }
    }

    /// Where a place of the picture to look at lies in the stored picture. Places are distances from the left and the upper
    /// edge: the middle of the first pixel is (0.5, 0.5).
    func storedPosition(
        x: Double, y: Double, storedWidth width: Double, storedHeight height: Double
    ) -> (x: Double, y: Double) {
        switch self {
        case .up: (x, y)
        case .upMirrored: (width - x, y)
        case .down: (width - x, height - y)
        case .downMirrored: (x, height - y)
        case .leftMirrored: (y, x)
        case .right: (y, height - x)
        case .rightMirrored: (width - y, height - x)
        case .left: (width - y, x)
        }
    }

    fileprivate func apply<Element>(_ stored: [Element], width: Int, height: Int, channels: Int) -> [Element] {
        let (start, xStep, yStep) = strides(storedWidth: width, storedHeight: height)
        let columns = swapsSides ? height : width
        let rows = swapsSides ? width : height
        return [Element](unsafeUninitializedCapacity: stored.count) { turned, count in
            stored.withUnsafeBufferPointer { stored in
                // Square blocks, so that columns are read while their cache lines are still there.
                for top in stride(from: 0, to: rows, by: 64) {
                    for left in stride(from: 0, to: columns, by: 64) {
                        for y in top..<min(top + 64, rows) {
                            for x in left..<min(left + 64, columns) {
                                let from = (start + x * xStep + y * yStep) * channels
                                let to = (y * columns + x) * channels
                                for channel in 0..<channels {
                                    (turned.baseAddress.unsafelyUnwrapped + to + channel)
                                        .initialize(to: stored[from + channel])
                                }
                            }
                        }
                    }
                }
            }
            count = stored.count
        }
    }
}

extension RGBImage {
    /// The picture as it is looked at, from the picture as it is stored.
    public func oriented(_ orientation: Orientation) -> RGBImage {
        guard orientation != .up else { return self }
        return RGBImage(
            uncheckedWidth: orientation.swapsSides ? height : width,
            height: orientation.swapsSides ? width : height,
            pixels: orientation.apply(pixels, width: width, height: height, channels: 3))
    }
}

extension FloatMap {
    /// The map of the picture as it is looked at, from the map of the picture as it is stored.
    public func oriented(_ orientation: Orientation) -> FloatMap {
        guard orientation != .up else { return self }
        return FloatMap(
            uncheckedWidth: orientation.swapsSides ? height : width,
            height: orientation.swapsSides ? width : height,
            values: orientation.apply(values, width: width, height: height, channels: 1))
    }
}

extension BinaryMask {
    /// The mask of the picture as it is looked at, from the mask of the picture as it is stored.
    public func oriented(_ orientation: Orientation) -> BinaryMask {
        guard orientation != .up else { return self }
        return BinaryMask(
            uncheckedWidth: orientation.swapsSides ? height : width,
            height: orientation.swapsSides ? width : height,
            values: orientation.apply(values, width: width, height: height, channels: 1))
    }
}

extension Mask {
    /// The mask of the picture as it is looked at, from the mask of the picture as it is stored.
    public func oriented(_ orientation: Orientation) -> Mask {
        guard orientation != .up else { return self }
        let box = boundingBox
        let turned = box.oriented(orientation, storedWidth: width, storedHeight: height)
        let pixels = orientation.apply(dense(in: box), width: box.width, height: box.height, channels: 1)
        var builder = MaskBuilder(
            width: orientation.swapsSides ? height : width, height: orientation.swapsSides ? width : height)
        for y in 0..<turned.height {
            for x in 0..<turned.width where pixels[y * turned.width + x] {
                builder.append(row: turned.y + y, columns: turned.x + x..<turned.x + x + 1)
            }
        }
        return builder.build()
    }
}

extension BoundingBox {
    /// The box as it is looked at, in a picture of the stored size given.
    public func oriented(_ orientation: Orientation, storedWidth: Int, storedHeight: Int) -> BoundingBox {
        let fromRight = storedWidth - x - width
        let fromBottom = storedHeight - y - height
        return switch orientation {
        case .up: self
        case .upMirrored: BoundingBox(x: fromRight, y: y, width: width, height: height)
        case .down: BoundingBox(x: fromRight, y: fromBottom, width: width, height: height)
        case .downMirrored: BoundingBox(x: x, y: fromBottom, width: width, height: height)
        case .leftMirrored: BoundingBox(x: y, y: x, width: height, height: width)
        case .right: BoundingBox(x: fromBottom, y: x, width: height, height: width)
        case .rightMirrored: BoundingBox(x: fromBottom, y: fromRight, width: height, height: width)
        case .left: BoundingBox(x: y, y: fromRight, width: height, height: width)
        }
    }
}
