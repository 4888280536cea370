import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Files that break off or were changed: an error each, or a picture; never a crash, never without end.
@Suite struct DamagedFileTests {
    /// So that a changed size does not make a test of millions of pixels.
    private static let limits = ImageLimits(maximumPixels: 1 << 19)

    /// Every picture here is refused when as much as `spare` bytes are missing at its end. JPEGs do without their end
    /// marker of two bytes; TIFF and bitmap files may have padding.
    private static let spare = ["jpg": 3, "png": 1, "tif": 2, "webp": 1, "bmp": 1]

    @Test(
        arguments: ImageFixtures.expectations.keys.sorted().filter { !$0.hasSuffix(".tif") && !$0.hasPrefix("rle") })
    func cutOffAnywhere(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let spare = try #require(Self.spare[URL(filePath: name).pathExtension])
        for count in 0...(bytes.count - spare) {
            #expect(throws: ImageError.self, "\(count) of \(bytes.count) bytes") {
                try ImageFile.decode(Array(bytes[..<count]), name: name, limits: Self.limits)
            }
        }
    }

    /// A TIFF may keep its directory before its pixels or after them, and end in bytes that nobody needs: what can be
    /// read must be the whole picture.
    @Test(arguments: ImageFixtures.expectations.keys.sorted().filter { $0.hasSuffix(".tif") })
    func cutOffTIFF(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        let whole = try ImageFile.decode(bytes, name: name)
        var refused = 0
        for count in 0..<bytes.count {
            let file = decoded(Array(bytes[..<count]))
            if let file { #expect(file.image == whole.image, "\(count) of \(bytes.count) bytes") }
            refused += file == nil ? 1 : 0
        }
        #expect(refused > bytes.count / 3)
    }

    /// Run lengths may end without the end code once the last row is full.
    @Test(arguments: ["rle4.bmp", "rle8.bmp"]) func cutOffRunLengths(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        for count in 0..<(bytes.count - 4) {
            #expect(throws: ImageError.self, "\(count) of \(bytes.count) bytes") {
                try ImageFile.decode(Array(bytes[..<count]), name: name, limits: Self.limits)
            }
        }
        let whole = try ImageFile.decode(bytes, name: name)
        #expect(try ImageFile.decode(Array(bytes.dropLast(4)), name: name).image == whole.image)
    }

    @Test func aJPEGWithoutEndMarker() throws {
        let bytes = try ImageFixtures.bytes("420.jpg")
        let whole = try ImageFile.decode(bytes, name: "420.jpg")
        let cut = try ImageFile.decode(bytes.dropLast(2), name: "420.jpg")
        #expect(cut.image == whole.image)
        #expect(cut.warnings.count == 1)
    }

    /// libjpeg would fill the rest with grey, with no more than a warning.
    @Test(arguments: ["420.jpg", "grey.jpg", "progressive.jpg", "restarts.jpg"])
    func aJPEGThatIsCutOffSaysSo(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        for count in [bytes.count * 3 / 4, bytes.count - 20, bytes.count - 3] {
            let error = try #require(throws: ImageError.self) {
                try ImageFile.decode(Array(bytes[..<count]), name: name)
            }
            guard case .truncated(.jpeg, _) = error.problem else {
                Issue.record("\(count) bytes: \(error)")
                continue
            }
        }
    }

    /// The same with an end marker behind the cut, as a repair tool would leave it.
    @Test func aJPEGThatWasMendedIsStillCutOff() throws {
        let bytes = try ImageFixtures.bytes("420.jpg")
        let error = try #require(throws: ImageError.self) {
            try ImageFile.decode(bytes[..<(bytes.count * 3 / 4)] + [0xFF, 0xD9], name: "mended.jpg")
        }
        guard case .truncated(.jpeg, _) = error.problem else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func remarksAboutSlightDamageAreKept() throws {
        let bytes = try ImageFixtures.bytes("420.jpg")
        // Junk behind the first segment, which ends at byte 20 (JFIF 1.02): libjpeg skips it and says so.
        let file = try ImageFile.decode(bytes[..<20] + [0, 0, 0] + bytes[20...], name: "junk.jpg")
        #expect(file.image == (try ImageFile.decode(bytes, name: "whole.jpg")).image)
        #expect(file.warnings.contains { $0.contains("extraneous") })
    }

    @Test(.timeLimit(.minutes(5)), arguments: ["jpg", "png", "tif", "webp", "bmp"])
    func changedAnywhere(kind: String) throws {
        let names = ImageFixtures.expectations.keys.sorted().filter { $0.hasSuffix(kind) }
        var generator = SplitMix64(state: 42)
        var (pictures, errors) = (0, 0)
        for round in 0..<4000 {
            var bytes = try Self.cache(names[round % names.count])
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                // Half of the changes hit the first bytes, where the structure is.
                let reach = Bool.random(using: &generator) ? min(64, bytes.count) : bytes.count
                bytes[Int.random(in: 0..<reach, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            // Without right checksums libpng reads no chunk at all.
            if kind == "png" && round % 2 == 0 { PNGChecksums.correct(&bytes) }
            if round % 7 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            if let file = decoded(bytes) {
                #expect(file.image.pixels.count == 3 * file.image.width * file.image.height)
                #expect(file.image.width * file.image.height <= Self.limits.maximumPixels)
                pictures += 1
            } else {
                errors += 1
            }
        }
        #expect(pictures > 0 && errors > 0)
    }

    /// The picture, or nil where there is an error.
    private func decoded(_ bytes: [UInt8]) -> ImageFile? {
        try? ImageFile.decode(bytes, name: "changed", limits: Self.limits)
    }

    private static let files: [String: [UInt8]] = Dictionary(
        uniqueKeysWithValues: ImageFixtures.expectations.keys.compactMap { name in
            (try? ImageFixtures.bytes(name)).map { (name, $0) }
        })

    private static func cache(_ name: String) throws -> [UInt8] { try #require(files[name]) }
}

/// CRC-32 of PNG chunks, by the bitwise definition of the PNG specification's annex D.
private enum PNGChecksums {
    static func correct(_ bytes: inout [UInt8]) {
        var start = 8
        while start + 12 <= bytes.count {
            let length = bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - start - 12 else { return }
            let end = start + 8 + length
            var remainder = UInt32.max
            for byte in bytes[(start + 4)..<end] {
                remainder ^= UInt32(byte)
                for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
            }
            for index in 0..<4 { bytes[end + index] = UInt8(truncatingIfNeeded: ~remainder >> UInt32(24 - 8 * index)) }
            start = end + 4
        }
    }
}
