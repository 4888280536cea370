import Foundation
import Testing

@testable import Pipeline

@Suite struct ImageFileTests {
    @Test func fixturesAreThere() {
        #expect(ImageFixtures.expectations.count > 40)
    }

    /// The reference is the array that a file was made from, or Pillow's decoding where the format loses something.
    @Test(arguments: ImageFixtures.expectations.keys.sorted())
    func pixelsOrientationAndWarnings(name: String) throws {
        let expected = try #require(ImageFixtures.expectations[name])
        let file = try ImageFile.load(ImageFixtures.path(name))
        #expect(file.image.width == expected.width)
        #expect(file.image.height == expected.height)
        #expect(file.image.pixels == [UInt8](expected.rgb))
        #expect(file.orientation.rawValue == expected.orientation)
        #expect(file.warnings.count == expected.warnings, "\(file.warnings)")
        #expect(file.name == ImageFixtures.path(name))
        let formats: [String: ImageFormat] = ["jpg": .jpeg, "png": .png, "tif": .tiff, "webp": .webp, "bmp": .bmp]
        #expect(file.format == formats[URL(filePath: name).pathExtension])
    }

    /// The digest of "abc" stands in FIPS 180-4's examples.
    @Test func checksum() throws {
        #expect(
            try Checksum.sha256(Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let bytes = try ImageFixtures.bytes("rgb8.png")
        #expect(try ImageFile.load(ImageFixtures.path("rgb8.png")).sha256 == Checksum.sha256(bytes))
    }

    @Test func theNameDoesNotDecideTheFormat() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("photo.jpg")
        try Data(ImageFixtures.bytes("rgb8.png")).write(to: URL(filePath: path))
        #expect(try ImageFile.load(path).format == .png)
        #expect(try ImageFile.load(URL(filePath: path)).format == .png)
    }

    @Test func aRibbonOf40000By8() throws {
        let file = try ImageFile.load(ImageFixtures.path("ribbon.jpg"))
        #expect(file.image.width == 40000 && file.image.height == 8)
        // Pillow wrote (90, 120, 150) everywhere; a flat picture survives JPEG to a level.
        let (red, green, blue) = file.image[39999, 7]
        #expect(abs(Int(red) - 90) <= 1 && abs(Int(green) - 120) <= 1 && abs(Int(blue) - 150) <= 1)
    }

    @Test(arguments: [
        ("cmyk.jpg", ImageFormat.jpeg), ("cmyk.tif", .tiff), ("float.tif", .tiff),
    ])
    func kindsThatAreNotRead(name: String, format: ImageFormat) throws {
        let error = try #require(throws: ImageError.self) { try ImageFile.load(ImageFixtures.path(name)) }
        guard case .unsupported(format, _) = error.problem else {
            Issue.record("\(error)")
            return
        }
        #expect(error.file == ImageFixtures.path(name))
    }

    /// 20 000 × 20 000 pixels (16 384 × 16 384 for WebP, its most) are more than the limit.
    @Test(arguments: [
        "huge.jpg", "huge-progressive.jpg", "huge.png", "huge-interlaced.png", "huge.bmp", "huge-rle8.bmp", "huge.tif",
        "huge.webp",
    ])
    func moreThan100Megapixels(name: String) throws {
        let error = try #require(throws: ImageError.self) { try ImageFile.load(ImageFixtures.path(name)) }
        guard case .tooManyPixels(let width, let height, 104_857_600) = error.problem else {
            Issue.record("\(error)")
            return
        }
        #expect(width == height && width >= 16384)
    }

    /// Headers within the limits with nothing behind them.
    @Test(arguments: [
        "hollow.jpg", "hollow-progressive.jpg", "hollow.png", "hollow-interlaced.png", "hollow.bmp", "hollow-rle8.bmp",
        "hollow.tif", "hollow.webp",
    ])
    func headersWithoutData(name: String) throws {
        let error = try #require(throws: ImageError.self) { try ImageFile.load(ImageFixtures.path(name)) }
        switch error.problem {
        case .truncated, .corrupt: break
        default: Issue.record("\(error)")
        }
    }

    @Test func limitsCanBeChosen() throws {
        let path = ImageFixtures.path("rgb8.png")
        let problem = { (limits: ImageLimits) in
            #expect(throws: ImageError.self) { try ImageFile.load(path, limits: limits) }?.problem
        }
        #expect(problem(ImageLimits(maximumPixels: 246)) == .tooManyPixels(width: 19, height: 13, limit: 246))
        #expect(problem(ImageLimits(maximumSide: 18)) == .sideTooLong(width: 19, height: 13, limit: 18))
        let count = try ImageFixtures.bytes("rgb8.png").count
        #expect(problem(ImageLimits(maximumFileBytes: count - 1)) == .fileTooLarge(bytes: count, limit: count - 1))
        let huge = ImageLimits(maximumPixels: .max, maximumSide: .max, maximumFileBytes: .max)
        #expect(try ImageFile.load(path, limits: huge).image.width == 19)
        _ = try ImageFile.load(
            path, limits: ImageLimits(maximumPixels: 247, maximumSide: 19, maximumFileBytes: count))
    }

    @Test func filesThatAreNone() throws {
        let folder = try TemporaryFolder()
        func problem(_ name: String, _ bytes: [UInt8]? = nil) throws -> ImageError.Problem {
            if let bytes { try Data(bytes).write(to: URL(filePath: folder.path(name))) }
            let error = try #require(throws: ImageError.self) { try ImageFile.load(folder.path(name)) }
            #expect(error.file == folder.path(name))
            #expect(error.description.hasPrefix("\(folder.path(name)): "))
            return error.problem
        }
        #expect(try problem("missing.jpg") == .notFound)
        #expect(try problem("missing.jpg/inside.jpg") == .notFound)
        #expect(try problem("empty.jpg", []) == .empty)
        #expect(try problem("text.jpg", Array("hello\n".utf8)) == .unknownFormat(name: nil))
        #expect(try problem("one.jpg", [0xFF]) == .unknownFormat(name: nil))
        #expect(try problem("movie.gif", Array("GIF89a".utf8)) == .unknownFormat(name: "GIF"))
        #expect(try problem("phone.heic", [0, 0, 0, 24] + Array("ftypheic".utf8)) == .unknownFormat(name: "HEIF"))
        #expect(throws: ImageError(file: folder.url.path, problem: .isDirectory)) {
            try ImageFile.load(folder.url.path)
        }
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        #expect(try problem("pipe") == .notAFile)
        #expect(throws: ImageError(file: "/dev/null", problem: .notAFile)) { try ImageFile.load("/dev/null") }
        #expect(throws: ImageError(file: "", problem: .notFound)) { try ImageFile.load("") }
        #expect(throws: ImageError(file: "upload", problem: .empty)) { try ImageFile.decode([], name: "upload") }
    }

    @Test(.enabled(if: geteuid() != 0, "left out for root, who may read everything")) func aFileWithoutPermission()
        throws
    {
        let folder = try TemporaryFolder()
        let path = folder.path("secret.png")
        try Data(ImageFixtures.bytes("rgb8.png")).write(to: URL(filePath: path))
        #expect(chmod(path, 0) == 0)
        let error = try #require(throws: ImageError.self) { try ImageFile.load(path) }
        guard case .unreadable = error.problem else {
            Issue.record("\(error)")
            return
        }
    }
}
