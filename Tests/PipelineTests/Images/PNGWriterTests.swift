import Foundation
import Testing

@testable import Pipeline

@Suite struct PNGWriterTests {
    /// Read back by hand: the PNG's chunks, its one stream through zlib's `inflate` as libpng has it, is what ImageFile
    /// does; 16-bit values are checked in the raw stream.
    @Test func picturesSurvive() throws {
        let folder = try TemporaryFolder()
        let image = try ImageFile.load(ImageFixtures.path("420.jpg")).image
        try PNGWriter.write(image, to: folder.path("a.png"))
        let back = try ImageFile.load(folder.path("a.png"))
        #expect(back.image == image)
        #expect(back.warnings.isEmpty)
        #expect(try header(folder.path("a.png")) == Header(width: 35, height: 21, depth: 8, color: 2))
    }

    @Test func masksAre0And255() throws {
        let folder = try TemporaryFolder()
        let mask = try BinaryMask(width: 3, height: 1, values: [true, false, true])
        try PNGWriter.write(mask, to: folder.path("mask.png"))
        #expect(try ImageFile.load(folder.path("mask.png")).image.pixels == [255, 255, 255, 0, 0, 0, 255, 255, 255])
        #expect(try header(folder.path("mask.png")) == Header(width: 3, height: 1, depth: 8, color: 0))
    }

    /// libpng's rounding from 16 bits to 8 gives the nearest level.
    @Test func heatMapsHave16Bits() throws {
        let folder = try TemporaryFolder()
        let values: [Float] = [0, 1, 0.5, -3, 7, .nan, .infinity, 1.0 / 255]
        try PNGWriter.write(heatMap: FloatMap(width: 4, height: 2, values: values), to: folder.path("heat.png"))
        #expect(try header(folder.path("heat.png")) == Header(width: 4, height: 2, depth: 16, color: 0))
        let reds = try ImageFile.load(folder.path("heat.png")).image.pixels.enumerated().filter { $0.offset % 3 == 0 }
        #expect(reds.map(\.element) == [0, 255, 128, 0, 255, 0, 255, 1])
    }

    @Test func ribbonsAndSinglePixels() throws {
        let folder = try TemporaryFolder()
        for (width, height) in [(1, 1), (40000, 8), (8, 40000)] {
            let values = (0..<(3 * width * height)).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let image = try RGBImage(width: width, height: height, pixels: values)
            try PNGWriter.write(image, to: folder.path("x.png"))
            #expect(try ImageFile.load(folder.path("x.png")).image == image)
        }
    }

    /// More rows than one band holds, and more bands than are in memory at a time; smooth samples and noise.
    @Test(arguments: [(1000, 2500), (3, 400_000), (300_000, 5), (400_001, 3)]) func picturesOfManyBands(
        width: Int, height: Int
    ) throws {
        let folder = try TemporaryFolder()
        var state: UInt32 = 1
        let pixels = (0..<(3 * width * height)).map { index in
            state = state &* 1_664_525 &+ 1_013_904_223
            return index % 5000 < 2500 ? UInt8(truncatingIfNeeded: index / 300) : UInt8(state >> 24)
        }
        let image = try RGBImage(width: width, height: height, pixels: pixels)
        try PNGWriter.write(image, to: folder.path("x.png"))
        let limits = ImageLimits(maximumSide: 1 << 20)
        #expect(try ImageFile.load(folder.path("x.png"), limits: limits).image == image)
        let mask = try BinaryMask(width: width, height: height, values: (0..<width * height).map { pixels[$0] > 99 })
        try PNGWriter.write(mask, to: folder.path("m.png"))
        let back = try ImageFile.load(folder.path("m.png"), limits: limits).image.pixels
        #expect(mask.values.indices.allSatisfy { back[3 * $0] == (mask.values[$0] ? 255 : 0) })
    }

    @Test func anOlderFileIsReplacedAndNothingElseIsLeft() throws {
        let folder = try TemporaryFolder()
        try Data("old".utf8).write(to: URL(filePath: folder.path("m.png")))
        try PNGWriter.write(BinaryMask(width: 1, height: 1, values: [true]), to: folder.path("m.png"))
        #expect(try ImageFile.load(folder.path("m.png")).image.pixels == [255, 255, 255])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["m.png"])
    }

    @Test func placesThatCannotBeWritten() throws {
        let folder = try TemporaryFolder()
        let mask = try BinaryMask(width: 1, height: 1, values: [true])
        try FileManager.default.createDirectory(atPath: folder.path("taken.png"), withIntermediateDirectories: false)
        for path in [folder.path("none/m.png"), folder.path("taken.png"), "/proc/m.png", ""] {
            let error = try #require(throws: ImageError.self) { try PNGWriter.write(mask, to: path) }
            #expect(error.file == path)
            guard case .unwritable(let reason) = error.problem else {
                Issue.record("\(error)")
                continue
            }
            #expect(!reason.isEmpty)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["taken.png"])
    }

    /// /dev/full answers every write as a full disk does.
    @Test func aFullDisk() throws {
        let file = open("/dev/full", O_WRONLY)
        try #require(file >= 0)
        defer { close(file) }
        let failure = PNGWriter.encode(into: file, width: 300, height: 300, bitDepth: 8, channels: 1) { y, row in
            for x in 0..<row.count { row[x] = UInt8(truncatingIfNeeded: x &* y) }
        }
        #expect(failure == ENOSPC)
    }

    private struct Header: Equatable {
        let width: Int
        let height: Int
        let depth: Int
        let color: Int
    }

    /// The IHDR chunk, which the PNG specification puts at byte 16.
    private func header(_ path: String) throws -> Header {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        try #require(bytes.count > 26)
        func number(_ at: Int) -> Int { bytes[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) } }
        return Header(width: number(16), height: number(20), depth: Int(bytes[24]), color: Int(bytes[25]))
    }
}
