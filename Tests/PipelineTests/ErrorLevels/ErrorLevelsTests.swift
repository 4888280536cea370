import Foundation
import Testing

@testable import Pipeline

@Suite struct ErrorLevelsTests {
    struct Picture: Decodable {
        struct Case: Decodable {
            let quality: Int
            let subsampling: String
            /// Signed bytes, interleaved R, G, B.
            let differences: Data
        }
        let width: Int
        let height: Int
        let rgb: Data
        let cases: [Case]
    }

    /// Pillow encoded and decoded with a libjpeg-turbo of its own: the same tables, "islow" transform and fancy
    /// upsampling are exact integer arithmetic, so every difference must be the same.
    @Test func againstPillow() throws {
        let pictures: [Picture] = try ImageFixtures.json("error-levels.json")
        #expect(pictures.map(\.cases.count) == [4, 4, 4])
        for picture in pictures {
            let image = try RGBImage(width: picture.width, height: picture.height, pixels: [UInt8](picture.rgb))
            for expected in picture.cases {
                let levels = try ErrorLevels(
                    quality: expected.quality,
                    subsampling: #require(ErrorLevels.Subsampling(rawValue: expected.subsampling)))
                let planes = try levels.planes(of: image)
                let area = image.width * image.height
                #expect(planes.count == 3 * area)
                let wanted = (0..<(3 * area)).map {
                    Float(Int8(bitPattern: expected.differences[3 * ($0 % area) + $0 / area])) / 255
                }
                #expect(
                    planes == wanted, "\(image.width) × \(image.height), \(expected.quality), \(expected.subsampling)")
            }
        }
    }

    /// Grey levels whose offset from 128 the quantiser keeps: the mean of a block, eight times it, is a multiple of the
    /// table's first entry at quality 90, which is 3 (round(16 · 20 / 100)); 128 ± 3k/8 with k a multiple of 8.
    @Test(arguments: [UInt8(128), 131, 125, 152, 101]) func aFlatPictureLosesNothing(level: UInt8) throws {
        let image = try RGBImage(width: 33, height: 20, pixels: [UInt8](repeating: level, count: 3 * 660))
        #expect(try ErrorLevels().planes(of: image).allSatisfy { $0 == 0 })
    }

    /// A bright dot in the dark is smeared by a coarse quantiser: it loses (positive), its neighbours gain (negative).
    @Test func theSignIsKept() throws {
        var pixels = [UInt8](repeating: 60, count: 3 * 256)
        for channel in 0..<3 { pixels[3 * (8 * 16 + 8) + channel] = 250 }
        let planes = try ErrorLevels(quality: 20).planes(of: RGBImage(width: 16, height: 16, pixels: pixels))
        #expect(planes[8 * 16 + 8] > 0)
        #expect(planes.contains { $0 < 0 })
        #expect(planes.allSatisfy { $0 >= -1 && $0 <= 1 })
    }

    @Test func gainMultiplies() throws {
        let image = try ImageFile.load(ImageFixtures.path("rgb8.png")).image
        let single = try ErrorLevels().planes(of: image)
        let tenfold = try ErrorLevels(gain: -10).planes(of: image)
        #expect(single.contains { $0 != 0 })
        for (single, tenfold) in zip(single, tenfold) { #expect(abs(tenfold + 10 * single) < 1e-6) }
    }

    @Test func partsAreCutFromTheWhole() throws {
        let image = try ImageFile.load(ImageFixtures.path("rgb8.png")).image
        let whole = try ErrorLevels().planes(of: image)
        let compared = try ErrorLevels().compare(image)
        #expect(compared.planes() == whole)
        let part = try compared.planes(x: 4, y: 5, width: 7, height: 3)
        for channel in 0..<3 {
            for y in 0..<3 {
                for x in 0..<7 {
                    #expect(part[(channel * 3 + y) * 7 + x] == whole[(channel * 13 + 5 + y) * 19 + 4 + x])
                }
            }
        }
        for (x, y, width, height) in [(13, 0, 7, 1), (0, 0, 0, 1), (-1, 0, 1, 1), (1, 1, Int.max, 1)] {
            #expect(throws: ErrorLevelsError.outside(x: x, y: y, width: width, height: height)) {
                try compared.planes(x: x, y: y, width: width, height: height)
            }
        }
    }

    /// Bands of a few units of rows give what one band of the whole picture gives.
    @Test(arguments: ErrorLevels.Subsampling.allCases, [75, 203]) func bandsJoinWithoutASeam(
        _ subsampling: ErrorLevels.Subsampling, height: Int
    ) throws {
        let pixels = (0..<(3 * 53 * height)).map { UInt8(truncatingIfNeeded: $0 &* $0 / 97 ^ $0 / 160) }
        let image = try RGBImage(width: 53, height: height, pixels: pixels)
        let levels = try ErrorLevels(quality: 70, subsampling: subsampling)
        let whole = try levels.recompress(image, bandRows: .max)
        #expect(whole != image)
        for rows in [1, 16, 40, 64] { #expect(try levels.recompress(image, bandRows: rows) == whole, "\(rows)") }
    }

    @Test func sizesOfOnePixelAndOfARibbon() throws {
        let pixel = try RGBImage(width: 1, height: 1, pixels: [255, 0, 0])
        #expect(try ErrorLevels().planes(of: pixel).count == 3)
        let ribbon = try RGBImage(width: 40000, height: 8, pixels: [UInt8](repeating: 90, count: 960_000))
        #expect(try ErrorLevels(subsampling: .s422).planes(of: ribbon).count == 960_000)
        let tooLong = try RGBImage(width: 65501, height: 1, pixels: [UInt8](repeating: 90, count: 3 * 65501))
        #expect(throws: ErrorLevelsError.sideTooLong(width: 65501, height: 1)) { try ErrorLevels().planes(of: tooLong) }
    }

    @Test func settingsThatCannotBe() {
        #expect(throws: ErrorLevelsError.badQuality(0)) { try ErrorLevels(quality: 0) }
        #expect(throws: ErrorLevelsError.badQuality(101)) { try ErrorLevels(quality: 101) }
        #expect(throws: ErrorLevelsError.self) { try ErrorLevels(gain: .nan) }
        #expect(ErrorLevels.Subsampling(rawValue: "4:1:1") == nil)
    }
}
