/// What SAM is to segment: points, a box around it, or both, in pixels of the image.
public struct SAMPrompt: Sendable, Hashable {
    /// A pixel of the thing (foreground), or one that does not belong to it.
    public struct Point: Sendable, Hashable {
        public var x: Double
        public var y: Double
        public var isForeground: Bool

        public init(x: Double, y: Double, isForeground: Bool = true) {
            self.x = x
            self.y = y
            self.isForeground = isForeground
        }
    }

    /// The box's left and upper edge and its size.
    public struct Box: Sendable, Hashable {
        public var x: Double
        public var y: Double
        public var width: Double
        public var height: Double

        public init(x: Double, y: Double, width: Double, height: Double) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }

        public init(_ box: BoundingBox) {
            self.init(x: Double(box.x), y: Double(box.y), width: Double(box.width), height: Double(box.height))
        }
    }

    public var points: [Point]
    public var box: Box?

    public init(points: [Point], box: Box? = nil) {
        self.points = points
        self.box = box
    }

    public init(box: Box) {
        self.init(points: [], box: box)
    }

    /// Whether it may mean several things that lie in each other: SAM then gives three masks. A second point or a box
    /// leaves one.
    public var isAmbiguous: Bool { box == nil && points.count < 2 }

    /// The most points of one prompt.
    static let largestPointCount = 62

    /// The prompt with its box cut to an image.
    /// - Throws: `SAMPromptError` when nothing of it lies in the image.
    func clipped(width: Int, height: Int) throws(SAMPromptError) -> SAMPrompt {
        guard !points.isEmpty || box != nil else { throw .empty }
        guard points.count <= Self.largestPointCount else {
            throw .tooManyPoints(points.count, limit: Self.largestPointCount)
        }
        for point in points {
            guard (0..<Double(width)).contains(point.x), (0..<Double(height)).contains(point.y) else {
                throw .pointOutside(x: point.x, y: point.y, width: width, height: height)
            }
        }
        guard let box else { return self }
        let left = max(box.x, 0)
        let top = max(box.y, 0)
        let right = min(box.x + box.width, Double(width))
        let bottom = min(box.y + box.height, Double(height))
        // A comparison with what is not a number does not hold.
        guard left < right, top < bottom else { throw .boxOutside(box, width: width, height: height) }
        return SAMPrompt(points: points, box: Box(x: left, y: top, width: right - left, height: bottom - top))
    }

    /// The prompt for the image as it is stored, from one for the image as it is looked at.
    ///
    /// - Parameters:
    ///   - orientation: how the stored image is turned to be looked at.
    ///   - storedWidth: columns of the stored image.
    ///   - storedHeight: rows of the same.
    public func stored(_ orientation: Orientation, storedWidth: Int, storedHeight: Int) -> SAMPrompt {
        let (width, height) = (Double(storedWidth), Double(storedHeight))
        let points = points.map { point in
            // A point names a pixel: its centre is half a pixel further.
            let (x, y) = orientation.storedPosition(
                x: point.x + 0.5, y: point.y + 0.5, storedWidth: width, storedHeight: height)
            return Point(x: x - 0.5, y: y - 0.5, isForeground: point.isForeground)
        }
        let box = box.map { box in
            let start = orientation.storedPosition(x: box.x, y: box.y, storedWidth: width, storedHeight: height)
            let end = orientation.storedPosition(
                x: box.x + box.width, y: box.y + box.height, storedWidth: width, storedHeight: height)
            return Box(
                x: min(start.x, end.x), y: min(start.y, end.y), width: abs(end.x - start.x),
                height: abs(end.y - start.y))
        }
        return SAMPrompt(points: points, box: box)
    }
}

/// Why a prompt cannot be answered, and what to do.
public enum SAMPromptError: Error, Sendable, Hashable, CustomStringConvertible {
    case empty
    case pointOutside(x: Double, y: Double, width: Int, height: Int)
    case boxOutside(SAMPrompt.Box, width: Int, height: Int)
    /// More points than one prompt may have, or than the decoder's file fixes.
    case tooManyPoints(Int, limit: Int)
    /// The decoder has no input for boxes.
    case boxesNotTaken
    /// The decoder's file wants a box with every prompt.
    case boxWanted

    public var description: String {
        switch self {
        case .empty: "the prompt has neither a point nor a box"
        case .pointOutside(let x, let y, let width, let height):
            "the point (\(x), \(y)) lies outside the picture of \(width) × \(height) pixels"
        case .boxOutside(let box, let width, let height):
            "the box of \(box.width) × \(box.height) pixels at (\(box.x), \(box.y)) has no part in the picture of"
                + " \(width) × \(height) pixels"
        case .tooManyPoints(let count, let limit):
            "the prompt has \(count) points, but the decoder takes \(limit): name fewer, or export the decoder with a"
                + " dynamic number of points"
        case .boxesNotTaken:
            "this decoder takes no boxes: its graph has no input input_boxes; export it with one, use the published"
                + " export, or prompt with points"
        case .boxWanted:
            "this decoder takes no prompt without a box: its graph wants input_boxes; export it without that input, or"
                + " prompt with boxes"
        }
    }
}
