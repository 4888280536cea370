import Foundation
import ONNXLoader
import Testing

@testable import Pipeline

@Suite struct ExternalMapsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ levels: [UInt16], width: Int, to name: String) throws {
        let file = folder.url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try PNGWriter.write(
            LevelMap(width: width, height: levels.count / width, levels: levels), to: file.path)
    }

    @Test func sixteenBitsSurvive() throws {
        let levels: [UInt16] = [0, 1, 255, 256, 32767, 32768, 65534, 65535]
        try write(levels, width: 4, to: "a.png")
        let map = try ExternalMaps.read(folder.url.appending(path: "a.png"))
        #expect(map == (try LevelMap(width: 4, height: 2, levels: levels)))
    }

    /// The same picture in every kind of PNG that the image fixtures have.
    @Test(arguments: [
        "grey8.png", "grey16.png", "grey4.png", "grey1.png", "grey-alpha.png", "grey16.tif", "palette8.png",
    ])
    func otherDepthsAgreeWithTheImageReader(_ name: String) throws {
        let map = try ExternalMaps.read(ImageFixtures.folder.appending(path: name))
        let image = try ImageFile.load(ImageFixtures.path(name)).image
        #expect(map.width == image.width && map.height == image.height)
        for index in map.levels.indices {
            let (red, green, blue) = (image.pixels[3 * index], image.pixels[3 * index + 1], image.pixels[3 * index + 2])
            guard red == green, green == blue else { continue }
            #expect(abs(Double(map.levels[index]) / 257 - Double(red)) <= 0.51, "pixel \(index)")
        }
    }

    @Test func arraysOfNumPy() throws {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }"
        let text = header + String(repeating: " ", count: 128 - 11 - header.count) + "\n"
        var bytes = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(text.utf8))
        for value in [Float(0), 0.25, 0.5, 0.75, 1, 0.1] {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        try bytes.write(to: folder.url.appending(path: "m.npy"))
        let map = try ExternalMaps.read(folder.url.appending(path: "m.npy"))
        #expect(map.width == 3 && map.height == 2)
        #expect(map.levels == [0, 16384, 32768, 49151, 65535, 6554])
    }

    @Test func mapsPairByPathThenByName() throws {
        for name in ["x.png", "b.jpg.png", "Tp/c.png", "Au/c.png", "one/d.png", "two/d.png"] {
            try write([0], width: 1, to: name)
        }
        let maps = try ExternalMaps(name: "M", folder: folder.url)
        func name(_ sample: String, isOnly: Bool = true) throws -> String {
            let parts = try maps.file(for: sample, isOnly: isOnly).pathComponents
            return parts.suffix(2).joined(separator: "/")
        }
        #expect(try name("Tp/x.tif").hasSuffix("/x.png"))
        #expect(try name("Tp/b.jpg").hasSuffix("/b.jpg.png"))
        #expect(try name("Tp/c.jpg", isOnly: false) == "Tp/c.png")
        #expect(try name("Au/c.jpg", isOnly: false) == "Au/c.png")
        #expect(throws: ExternalMapsError.missing(name: "M", stem: "y")) { try name("Tp/y.jpg") }
        #expect(throws: ExternalMapsError.sharedStem(name: "M", stem: "x")) { try name("Tp/x.jpg", isOnly: false) }
        #expect(throws: ExternalMapsError.ambiguous(name: "M", stem: "d", files: ["d.png", "d.png"])) {
            try name("Tp/d.jpg")
        }
    }

    @Test func whatIsNoMapIsRefused() throws {
        #expect(throws: ExternalMapsError.unreadable(folder: "/nowhere")) {
            try ExternalMaps(name: "M", folder: URL(fileURLWithPath: "/nowhere"))
        }
        try Data("text".utf8).write(to: folder.url.appending(path: "a.png"))
        #expect(throws: ImageError.self) { try ExternalMaps.read(folder.url.appending(path: "a.png")) }
        let png = try Data(contentsOf: URL(filePath: ImageFixtures.path("grey16.png")))
        for count in [8, 40, png.count / 2] {
            try png.prefix(count).write(to: folder.url.appending(path: "cut.png"))
            #expect(throws: ImageError.self) { try ExternalMaps.read(folder.url.appending(path: "cut.png")) }
        }
        #expect(throws: ImageError.self) { try ExternalMaps.read(URL(filePath: ImageFixtures.path("huge.png"))) }
    }
}
