/// One map of a picture from maps of its tiles.
///
/// Where tiles overlap, each counts by its tent: the distance to its nearest edge, horizontally times vertically, divided
/// by the sum over all tiles there. A tile's map may have any size: it is interpolated (bilinear, half-pixel centres).
public struct TileBlend: Sendable {
    public let tiles: Tiles
    /// What was added so far; complete when every tile was.
    public private(set) var map: FloatMap
    private let columnSums: [Float]
    private let rowSums: [Float]

    /// - Parameters:
    ///   - tiles: the tiles of the picture.
    ///   - width: columns of the map; nil for the picture's. Fewer save memory where a network's maps are coarse.
    ///   - height: rows of the map; nil for the picture's.
    /// - Throws: `RasterError.badSize`.
    public init(_ tiles: Tiles, width: Int? = nil, height: Int? = nil) throws(RasterError) {
        let (width, height) = (width ?? tiles.width, height ?? tiles.height)
        try checkSize(width: width, height: height)
        self.tiles = tiles
        map = FloatMap(uncheckedWidth: width, height: height, values: [Float](repeating: 0, count: width * height))
        columnSums = Self.sums(tiles.columns, tile: tiles.tileWidth, side: tiles.width, count: width)
        rowSums = Self.sums(tiles.rows, tile: tiles.tileHeight, side: tiles.height, count: height)
    }

    /// Adds the map of a tile. Add each once.
    public mutating func add(_ tileMap: FloatMap, tile: Int) {
        let (x, y) = tiles.origin(of: tile)
        let columns = TileSamples(
            origin: x, tile: tiles.tileWidth, side: tiles.width, count: map.width, mapCount: tileMap.width,
            sums: columnSums)
        let rows = TileSamples(
            origin: y, tile: tiles.tileHeight, side: tiles.height, count: map.height, mapCount: tileMap.height,
            sums: rowSums)
        let width = map.width
        tileMap.values.withUnsafeBufferPointer { from in
            map.values.withUnsafeMutableBufferPointer { to in
                columns.samples.withUnsafeBufferPointer { columns in
                    for row in rows.samples {
                        let upper = row.lower * tileMap.width
                        let lower = row.upper * tileMap.width
                        for column in columns {
                            let right = column.fraction
                            let left = 1 - right
                            let top = from[upper &+ column.lower] * left + from[upper &+ column.upper] * right
                            let bottom = from[lower &+ column.lower] * left + from[lower &+ column.upper] * right
                            to[row.index &* width &+ column.index] +=
                                row.weight * column.weight * (top * (1 - row.fraction) + bottom * row.fraction)
                        }
                    }
                }
            }
        }
    }

    private static func sums(_ origins: [Int], tile: Int, side: Int, count: Int) -> [Float] {
        var sums = [Float](repeating: 0, count: count)
        for origin in origins {
            for index in TileSamples.range(origin: origin, tile: tile, side: side, count: count) {
                sums[index] += TileSamples.tent(index, origin: origin, tile: tile, side: side, count: count)
            }
        }
        return sums
    }
}

/// Where the columns (or rows) of a blended map fall in a tile.
private struct TileSamples {
    struct Sample {
        /// Column of the blended map.
        let index: Int
        /// Columns of the tile's map around it, and how far it is from the first to the second.
        let lower: Int
        let upper: Int
        let fraction: Float
        /// The tent's share.
        let weight: Float
    }

    let samples: [Sample]

    init(origin: Int, tile: Int, side: Int, count: Int, mapCount: Int, sums: [Float]) {
        samples = Self.range(origin: origin, tile: tile, side: side, count: count).map { index in
            let inTile = Self.center(index, side: side, count: count) - Double(origin)
            let position = min(max(inTile / Double(tile) * Double(mapCount) - 0.5, 0), Double(mapCount - 1))
            let lower = Int(position)
            return Sample(
                index: index, lower: lower, upper: min(lower + 1, mapCount - 1),
                fraction: Float(position - Double(lower)),
                weight: Self.tent(index, origin: origin, tile: tile, side: side, count: count) / sums[index])
        }
    }

    /// The columns of the blended map whose centres lie in a tile.
    static func range(origin: Int, tile: Int, side: Int, count: Int) -> Range<Int> {
        let scale = Double(count) / Double(side)
        var first = max(0, Int(Double(origin) * scale - 0.5))
        var end = min(count, Int(Double(origin + tile) * scale + 1))
        while first < end, center(first, side: side, count: count) < Double(origin) { first += 1 }
        while end > first, center(end - 1, side: side, count: count) >= Double(origin + tile) { end -= 1 }
        return first..<end
    }

    /// Positive inside the tile, so that a column at the edge of its only tile still counts.
    static func tent(_ index: Int, origin: Int, tile: Int, side: Int, count: Int) -> Float {
        let inTile = center(index, side: side, count: count) - Double(origin)
        return Float(max(min(inTile, Double(tile) - inTile) / Double(tile), 1e-6))
    }

    private static func center(_ index: Int, side: Int, count: Int) -> Double {
        (Double(index) + 0.5) * Double(side) / Double(count)
    }
}
