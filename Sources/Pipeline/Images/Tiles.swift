/// Overlapping parts of one size that cover a picture. The last column and row end at the picture's edges.
///
/// A picture narrower (or lower) than a tile is continued by reflection up to a multiple of what a network can take, and
/// the tile shrinks to that.
public struct Tiles: Sendable, Hashable {
    /// The picture's size.
    public let width: Int
    public let height: Int
    /// The picture's size after reflection: never smaller than a tile.
    public let paddedWidth: Int
    public let paddedHeight: Int
    public let tileWidth: Int
    public let tileHeight: Int
    /// Left edges of the tiles, ascending.
    public let columns: [Int]
    /// Top edges of the tiles, ascending.
    public let rows: [Int]

    /// - Parameters:
    ///   - width: columns of the picture.
    ///   - height: rows of the picture.
    ///   - tileWidth: columns of a tile.
    ///   - tileHeight: rows of a tile.
    ///   - stride: distance of neighbouring tiles as a part of their size.
    ///   - smallMultiple: what the sides of a smaller tile are multiples of; nil when a network takes whole tiles only.
    /// - Throws: `RasterError.badSize` for sizes that are not positive.
    public init(
        width: Int, height: Int, tileWidth: Int, tileHeight: Int, stride: Double = 0.75, smallMultiple: Int? = 32
    ) throws(RasterError) {
        try checkSize(width: width, height: height)
        try checkSize(width: tileWidth, height: tileHeight)
        self.width = width
        self.height = height
        self.tileWidth = Self.side(of: tileWidth, in: width, smallMultiple)
        self.tileHeight = Self.side(of: tileHeight, in: height, smallMultiple)
        paddedWidth = max(width, self.tileWidth)
        paddedHeight = max(height, self.tileHeight)
        columns = Self.origins(of: self.tileWidth, in: paddedWidth, stride: stride)
        rows = Self.origins(of: self.tileHeight, in: paddedHeight, stride: stride)
    }

    public var count: Int { columns.count * rows.count }

    /// The top left corner of a tile; row by row.
    public func origin(of tile: Int) -> (x: Int, y: Int) {
        precondition(tile >= 0 && tile < count, "no such tile")
        return (columns[tile % columns.count], rows[tile / columns.count])
    }

    private static func side(of tile: Int, in side: Int, _ smallMultiple: Int?) -> Int {
        guard side < tile, let multiple = smallMultiple, multiple > 0 else { return tile }
        return min(tile, (side + multiple - 1) / multiple * multiple)
    }

    private static func origins(of tile: Int, in side: Int, stride: Double) -> [Int] {
        let part = stride > 0 && stride <= 1 ? stride : 1
        let step = max(1, Int((Double(tile) * part).rounded()))
        return Array(Swift.stride(from: 0, to: side - tile, by: step)) + [side - tile]
    }
}
