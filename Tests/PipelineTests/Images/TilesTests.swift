import TestSupport
import Testing

@testable import Pipeline

@Suite struct TilesTests {
    /// Worked out by hand from "stride ¾, the last tile ends at the edge".
    @Test(arguments: [
        (384, [0]), (385, [0, 1]), (672, [0, 288]), (673, [0, 288, 289]), (1000, [0, 288, 576, 616]),
    ])
    func originsOf384(side: Int, expected: [Int]) throws {
        let tiles = try Tiles(width: side, height: 384, tileWidth: 384, tileHeight: 384)
        #expect(tiles.columns == expected && tiles.rows == [0])
        #expect(tiles.count == expected.count)
        #expect(tiles.origin(of: expected.count - 1) == (expected[expected.count - 1], 0))
        #expect(tiles.paddedWidth == side && tiles.tileWidth == 384)
    }

    @Test(
        arguments: [
            // Side, multiple, tile, padded side.
            (1, 32, 32, 32), (32, 32, 32, 32), (33, 32, 64, 64), (383, 32, 384, 384), (100, nil, 384, 384),
            (500, 32, 384, 500),
        ] as [(Int, Int?, Int, Int)])
    func smallPictures(side: Int, multiple: Int?, tile: Int, padded: Int) throws {
        let tiles = try Tiles(
            width: 1000, height: side, tileWidth: 384, tileHeight: 384, smallMultiple: multiple)
        #expect(tiles.tileHeight == tile && tiles.paddedHeight == padded)
        #expect(tiles.tileWidth == 384 && tiles.paddedWidth == 1000)
    }

    @Test func everyPixelIsCoveredAndNoTileLiesOutside() throws {
        var generator = SplitMix64(state: 7)
        for _ in 0..<200 {
            let side = Int.random(in: 1...900, using: &generator)
            let tile = Int.random(in: 1...300, using: &generator)
            let tiles = try Tiles(
                width: side, height: 10, tileWidth: tile, tileHeight: 10,
                stride: .random(in: 0.1...1, using: &generator))
            #expect(tiles.columns.first == 0)
            #expect(tiles.columns.last == tiles.paddedWidth - tiles.tileWidth)
            for (left, right) in zip(tiles.columns, tiles.columns.dropFirst()) {
                #expect(left < right && right <= left + tiles.tileWidth)
            }
        }
    }

    @Test func sizesThatCannotBe() {
        #expect(throws: RasterError.self) { try Tiles(width: 0, height: 1, tileWidth: 1, tileHeight: 1) }
        #expect(throws: RasterError.self) { try Tiles(width: 1, height: 1, tileWidth: 1, tileHeight: -5) }
    }

    /// numpy.pad(mode: "reflect") of [0, 1, 2] by six, and of single values.
    @Test func reflection() throws {
        #expect((0..<9).map { reflectedIndex($0, count: 3) } == [0, 1, 2, 1, 0, 1, 2, 1, 0])
        #expect((0..<5).map { reflectedIndex($0, count: 2) } == [0, 1, 0, 1, 0])
        #expect((0..<4).map { reflectedIndex($0, count: 1) } == [0, 0, 0, 0])

        let pixel = try RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
        let square = try pixel.reflected(width: 32, height: 32)
        #expect(square.width == 32 && square.height == 32)
        #expect(square.pixels == Array(repeatElement([1, 2, 3], count: 1024).joined()))

        let row = try RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(try row.reflected(width: 3, height: 1).pixels == [1, 2, 3, 4, 5, 6, 1, 2, 3])
        #expect(try row.reflected(width: 2, height: 1) == row)
        #expect(throws: RasterError.self) { try row.reflected(width: 1, height: 1) }
    }

    @Test func parts() throws {
        let image = try RGBImage(width: 3, height: 2, pixels: Array(0..<18))
        #expect(try image.cropped(x: 1, y: 1, width: 2, height: 1).pixels == Array(12..<18))
        #expect(try image.cropped(x: 0, y: 0, width: 3, height: 2) == image)
        for (x, y, width, height) in [(2, 0, 2, 1), (-1, 0, 1, 1), (0, 2, 1, 1), (0, 0, 0, 1), (1, 1, Int.max, 1)] {
            #expect(throws: RasterError.outside(x: x, y: y, width: width, height: height)) {
                try image.cropped(x: x, y: y, width: width, height: height)
            }
        }
    }
}

@Suite struct TileBlendTests {
    /// Shares of all tiles add up to one, whatever the sizes.
    @Test(arguments: [
        (100, 70, 32, 100, 70), (33, 5, 64, 33, 5), (1, 1, 32, 1, 1), (90, 90, 30, 23, 11), (50, 40, 20, 100, 80),
        (64, 64, 16, 3, 3),
    ])
    func constantMapsStayConstant(width: Int, height: Int, tile: Int, columns: Int, rows: Int) throws {
        for stride in [0.5, 0.75, 1] {
            let tiles = try Tiles(width: width, height: height, tileWidth: tile, tileHeight: tile, stride: stride)
            var blend = try TileBlend(tiles, width: columns, height: rows)
            for index in 0..<tiles.count {
                blend.add(try FloatMap(width: 4, height: 3, values: [Float](repeating: 2, count: 12)), tile: index)
            }
            #expect(blend.map.width == columns && blend.map.height == rows)
            for value in blend.map.values { #expect(abs(value - 2) < 1e-5) }
        }
    }

    /// One tile: interpolation alone, as `FloatMap.resized` does it (which is tested against PyTorch).
    @Test func aSingleTileIsResized() throws {
        let tiles = try Tiles(width: 64, height: 32, tileWidth: 64, tileHeight: 32)
        let map = try FloatMap(width: 5, height: 4, values: (0..<20).map { Float(($0 * 7) % 11) })
        var blend = try TileBlend(tiles)
        blend.add(map, tile: 0)
        let wanted = try map.resized(width: 64, height: 32)
        for (got, wanted) in zip(blend.map.values, wanted.values) { #expect(abs(got - wanted) < 1e-5) }
    }

    /// Two tiles of 8 at 0 and 4 in a row of 12. At column 5 the first tile's tent is 8 − 5.5 = 2.5, the second's 1.5.
    @Test func tents() throws {
        let tiles = try Tiles(width: 12, height: 1, tileWidth: 8, tileHeight: 1, stride: 0.5)
        #expect(tiles.columns == [0, 4])
        var blend = try TileBlend(tiles)
        blend.add(try FloatMap(width: 8, height: 1, values: [Float](repeating: 0, count: 8)), tile: 0)
        blend.add(try FloatMap(width: 8, height: 1, values: [Float](repeating: 1, count: 8)), tile: 1)
        let wanted: [Float] = [0, 0, 0, 0, 0.5 / 4, 1.5 / 4, 2.5 / 4, 3.5 / 4, 1, 1, 1, 1]
        for (got, wanted) in zip(blend.map.values, wanted) { #expect(abs(got - wanted) < 1e-6) }
    }

    /// A padded tile's map is cut to the picture: value i at column i of 32, of which 20 belong to the picture.
    @Test func paddingIsCutOff() throws {
        let tiles = try Tiles(width: 20, height: 1, tileWidth: 384, tileHeight: 384)
        #expect(tiles.tileWidth == 32 && tiles.tileHeight == 32)
        var blend = try TileBlend(tiles)
        let values = (0..<1024).map { Float($0 % 32) }
        blend.add(try FloatMap(width: 32, height: 32, values: values), tile: 0)
        #expect(blend.map.values == (0..<20).map(Float.init))
    }
}
