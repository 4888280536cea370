import Foundation
import Testing

@testable import Pipeline

@Suite struct ResizingTests {
    struct Fixture: Decodable {
        struct Picture: Decodable {
            let width: Int
            let height: Int
            let rgb: Data
        }
        struct Map: Decodable {
            let width: Int
            let height: Int
            let antialias: Bool
            let values: Data
        }
        struct Mask: Decodable {
            let width: Int
            let height: Int
            let values: Data
        }
        let rgb: Data
        let rgbWidth: Int
        let rgbHeight: Int
        let pillow: [Picture]
        let map: Data
        let mapWidth: Int
        let mapHeight: Int
        let pytorch: [Map]
        let mask: Data
        let maskWidth: Int
        let maskHeight: Int
        let nearest: [Mask]
    }

    private let fixture: Fixture

    init() throws { fixture = try ImageFixtures.json("resampling.json") }

    @Test func picturesAgainstPillow() throws {
        let image = try RGBImage(width: fixture.rgbWidth, height: fixture.rgbHeight, pixels: [UInt8](fixture.rgb))
        #expect(fixture.pillow.count == 8)
        for expected in fixture.pillow {
            let resized = try image.resized(width: expected.width, height: expected.height)
            #expect(resized.width == expected.width && resized.height == expected.height)
            #expect(resized.pixels == [UInt8](expected.rgb), "\(expected.width) × \(expected.height)")
        }
    }

    @Test func mapsAgainstPyTorch() throws {
        let map = try FloatMap(width: fixture.mapWidth, height: fixture.mapHeight, values: floats(fixture.map))
        #expect(fixture.pytorch.count == 12)
        for expected in fixture.pytorch {
            let resized = try map.resized(
                width: expected.width, height: expected.height, antialias: expected.antialias)
            let wanted = floats(expected.values)
            #expect(resized.values.count == wanted.count)
            for (got, wanted) in zip(resized.values, wanted) { #expect(abs(got - wanted) < 1e-5) }
        }
    }

    @Test func masksAgainstPyTorch() throws {
        let mask = try BinaryMask(
            width: fixture.maskWidth, height: fixture.maskHeight, values: fixture.mask.map { $0 == 1 })
        #expect(fixture.nearest.count == 3)
        for expected in fixture.nearest {
            let resized = try mask.resized(width: expected.width, height: expected.height)
            #expect(resized.values == expected.values.map { $0 == 1 })
        }
    }

    /// The value at every pixel by the textbook: two neighbours each way, continued at the edges, in double.
    @Test(arguments: [(5, 4), (13, 7), (40, 31), (1, 9)])
    func withoutAntialiasByTheFormula(width: Int, height: Int) throws {
        let image = try RGBImage(width: fixture.rgbWidth, height: fixture.rgbHeight, pixels: [UInt8](fixture.rgb))
        let resized = try image.resized(width: width, height: height, antialias: false)
        func neighbours(_ index: Int, _ source: Int, _ result: Int) -> (Int, Int, Double) {
            let position = max((Double(index) + 0.5) * Double(source) / Double(result) - 0.5, 0)
            return (Int(position), min(Int(position) + 1, source - 1), position - position.rounded(.down))
        }
        for y in 0..<height {
            for x in 0..<width {
                let (left, right, across) = neighbours(x, image.width, width)
                let (top, bottom, down) = neighbours(y, image.height, height)
                func red(_ x: Int, _ y: Int) -> Double { Double(image[x, y].red) }
                let value =
                    (1 - down) * ((1 - across) * red(left, top) + across * red(right, top))
                    + down * ((1 - across) * red(left, bottom) + across * red(right, bottom))
                // Half a level for each of the two roundings.
                #expect(abs(Double(resized[x, y].red) - value) <= 1.01)
            }
        }
    }

    @Test func aFlatPictureStaysFlat() throws {
        let image = try RGBImage(
            width: 3, height: 2, pixels: Array(repeatElement([255, 0, 128], count: 6).joined()))
        for (width, height) in [(1, 1), (1000, 3), (2, 700)] {
            let resized = try image.resized(width: width, height: height)
            #expect(resized.pixels == Array(repeatElement([255, 0, 128], count: width * height).joined()))
        }
    }

    @Test func theSameSizeChangesNothing() throws {
        let image = try RGBImage(width: fixture.rgbWidth, height: fixture.rgbHeight, pixels: [UInt8](fixture.rgb))
        #expect(try image.resized(width: image.width, height: image.height) == image)
    }

    @Test(arguments: [(0, 5), (5, 0), (-1, 5), (Int.max, 2), (1 << 20, 1 << 20)])
    func sizesThatCannotBe(width: Int, height: Int) throws {
        let map = try FloatMap(width: 1, height: 1, values: [0])
        let image = try RGBImage(width: 1, height: 1, pixels: [0, 0, 0])
        let mask = try BinaryMask(width: 1, height: 1, values: [true])
        let wanted = RasterError.badSize(width: width, height: height)
        #expect(throws: wanted) { try map.resized(width: width, height: height) }
        #expect(throws: wanted) { try image.resized(width: width, height: height) }
        #expect(throws: wanted) { try mask.resized(width: width, height: height) }
    }

    @Test func valuesMustFitTheSize() {
        #expect(throws: RasterError.self) { try RGBImage(width: 2, height: 2, pixels: [0, 0, 0]) }
        #expect(throws: RasterError.self) { try FloatMap(width: -1, height: -1, values: [0]) }
        #expect(throws: RasterError.self) { try BinaryMask(width: .max, height: .max, values: []) }
        #expect(throws: RasterError.self) { try FloatMap(width: 0, height: 0, values: []) }
    }

    private func floats(_ data: Data) -> [Float] {
        data.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}
