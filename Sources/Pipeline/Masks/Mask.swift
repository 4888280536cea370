/// A binary image as run lengths: the pixels that are set, as stretches of columns, row by row.
///
/// Memory goes with the outline (12 bytes a run), not with the image. Two masks of equal pixels are equal.
public struct Mask: Sendable, Hashable {
    /// Neighbouring set pixels of one row: columns `start ..< end`.
    public struct Run: Sendable, Hashable {
        public let row: Int32
        public let start: Int32
        public let end: Int32

        /// The number of pixels.
        public var count: Int { Int(end) - Int(start) }
    }

    public let width: Int
    public let height: Int
    /// Ordered by row, then by column; runs of one row neither overlap nor touch.
    public let runs: [Run]
    /// The number of set pixels.
    public let area: Int
    /// The smallest box around the set pixels; of no size when there are none.
    public let boundingBox: BoundingBox

    init(_ builder: MaskBuilder) {
        width = builder.width
        height = builder.height
        runs = builder.runs
        area = builder.area
        if let first = runs.first, let last = runs.last {
            boundingBox = BoundingBox(
                x: Int(builder.left), y: Int(first.row), width: Int(builder.right) - Int(builder.left),
                height: Int(last.row) - Int(first.row) + 1)
        } else {
            boundingBox = BoundingBox(x: 0, y: 0, width: 0, height: 0)
        }
    }

    /// A mask without a set pixel.
    public init(width: Int, height: Int) {
        self.init(MaskBuilder(width: width, height: height))
    }

    /// The pixels for which `isSet(x, y)` holds.
    public init(width: Int, height: Int, where isSet: (_ x: Int, _ y: Int) throws -> Bool) rethrows {
        var builder = MaskBuilder(width: width, height: height)
        for y in 0..<height {
            var start: Int?
            for x in 0..<width {
                if try isSet(x, y) {
                    if start == nil { start = x }
                } else if let first = start {
                    builder.append(row: y, columns: first..<x)
                    start = nil
                }
            }
            if let first = start { builder.append(row: y, columns: first..<width) }
        }
        self.init(builder)
    }

    /// The pixels of a map whose value is at least `threshold`.
    public init(_ map: FloatMap, atLeast threshold: Float) {
        self = map.values.withUnsafeBufferPointer { values in
            Mask(width: map.width, height: map.height) { x, y in values[y * map.width + x] >= threshold }
        }
    }

    /// The pixels that are set in a dense mask.
    public init(_ mask: BinaryMask) {
        self = mask.values.withUnsafeBufferPointer { values in
            Mask(width: mask.width, height: mask.height) { x, y in values[y * mask.width + x] }
        }
    }

    /// Runs in any order.
    init(width: Int, height: Int, unordered runs: [Run]) {
        var builder = MaskBuilder(width: width, height: height)
        for run in runs.sorted(by: { ($0.row, $0.start) < ($1.row, $1.start) }) { builder.append(run) }
        self.init(builder)
    }

    public var isEmpty: Bool { runs.isEmpty }

    /// The share of the image that is set, 0 to 1; 0 for an image without pixels.
    public var areaFraction: Double { width > 0 && height > 0 ? Double(area) / Double(width * height) : 0 }

    /// The runs of one row.
    public func runs(inRow row: Int) -> ArraySlice<Run> {
        let start = firstRun(fromRow: row)
        return runs[start...].prefix { $0.row == row }
    }

    /// Whether the pixel is set; false outside the image.
    public func contains(x: Int, y: Int) -> Bool {
        runs(inRow: y).contains { $0.start <= x && x < $0.end }
    }

    /// The pixels of a box, row-major; what lies outside the image is not set.
    public func dense(in box: BoundingBox) -> [Bool] {
        var pixels = [Bool](repeating: false, count: box.area)
        for run in runs[firstRun(fromRow: box.y)...] {
            guard run.row < box.bottom else { break }
            let start = max(Int(run.start), box.x)
            let end = min(Int(run.end), box.right)
            guard start < end else { continue }
            let line = (Int(run.row) - box.y) * box.width - box.x
            for x in start..<end { pixels[line + x] = true }
        }
        return pixels
    }

    /// The whole mask, one value a pixel.
    /// - Precondition: the mask has at least one row and one column.
    public var binaryMask: BinaryMask {
        let image = BoundingBox(x: 0, y: 0, width: width, height: height)
        return BinaryMask(uncheckedWidth: width, height: height, values: dense(in: image))
    }

    /// Calls `body` with the row-major index of every set pixel, in order.
    func forEachPixelIndex(_ body: (Int) -> Void) {
        for run in runs {
            let line = Int(run.row) * width
            for index in line + Int(run.start)..<line + Int(run.end) { body(index) }
        }
    }

    /// Index of the first run in `row` or below.
    private func firstRun(fromRow row: Int) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].row < row { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
