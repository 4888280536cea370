import Foundation
import Testing

@testable import Pipeline

@Suite struct OrientationTests {
    struct Case: Decodable {
        let orientation: Int
        let width: Int
        let height: Int
        let rgb: Data
    }

    /// A grid of 3 × 2 as Pillow's `exif_transpose` shows it.
    @Test func allEightAgainstPillow() throws {
        let stored = try RGBImage(width: 3, height: 2, pixels: Array(0..<18))
        let map = try FloatMap(width: 3, height: 2, values: (0..<6).map { Float(3 * $0) })
        let mask = try BinaryMask(width: 3, height: 2, values: (0..<6).map { $0 == 1 })
        let cases: [Case] = try ImageFixtures.json("orientations.json")
        #expect(cases.map(\.orientation) == Array(1...8))
        for expected in cases {
            let orientation = try #require(Orientation(rawValue: expected.orientation))
            let seen = stored.oriented(orientation)
            #expect(seen.width == expected.width && seen.height == expected.height)
            #expect(seen.pixels == [UInt8](expected.rgb), "\(orientation)")
            let reds = stride(from: 0, to: 18, by: 3).map { expected.rgb[$0] }
            #expect(map.oriented(orientation).values == reds.map(Float.init))
            #expect(mask.oriented(orientation).values == reds.map { $0 == 3 })
            #expect(map.oriented(orientation).width == expected.width)
            #expect(mask.oriented(orientation).height == expected.height)
        }
    }

    /// Larger than the blocks that are turned at a time; by the definition "row 0 is seen on the right, column 0 on top".
    @Test func manyBlocks() throws {
        let map = try FloatMap(width: 130, height: 70, values: (0..<9100).map(Float.init))
        let seen = map.oriented(.right)
        #expect(seen.width == 70 && seen.height == 130)
        for y in 0..<130 {
            for x in 0..<70 { #expect(seen[x, y] == map[y, 69 - x]) }
        }
    }

    /// Run lengths are turned as the same mask pixel by pixel.
    @Test(arguments: Orientation.allCases) func masks(_ orientation: Orientation) {
        for dense in denseMasks {
            let turned = dense.mask.oriented(orientation)
            #expect(turned.binaryMask == dense.mask.binaryMask.oriented(orientation))
        }
        let empty = Mask(width: 7, height: 4).oriented(orientation)
        #expect(empty.isEmpty && empty.width == (orientation.swapsSides ? 4 : 7))
    }

    /// Blocks laid out by hand after Exif 2.32: byte order, 42, directory at 8, entries of 12 bytes.
    @Test(
        arguments: [
            ("4949 2A00 08000000 0100 1201 0300 01000000 0600 0000", Orientation.right),
            ("4D4D 002A 00000008 0001 0112 0003 00000001 0003 0000", .down),
            ("45786966 0000 4D4D 002A 00000008 0001 0112 0003 00000001 0008 0000", .left),
            ("4D4D 002A 00000008 0002 0100 0004 00000001 00000010 0112 0003 00000001 0002 0000", .upMirrored),
            // No such tag; no such value; another type; cut off; directory outside; nothing.
            ("4D4D 002A 00000008 0001 0100 0003 00000001 0003 0000", nil),
            ("4D4D 002A 00000008 0001 0112 0003 00000001 0009 0000", nil),
            ("4D4D 002A 00000008 0001 0112 0002 00000001 0003 0000", nil),
            ("4D4D 002A 00000008 0001 0112 0003 000000", nil),
            ("4D4D 002A FFFFFFFF 0001 0112 0003 00000001 0003 0000", nil),
            ("", nil),
        ] as [(String, Orientation?)])
    func exif(hexadecimal: String, expected: Orientation?) throws {
        let digits = Array(hexadecimal.filter { $0 != " " })
        let bytes = try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        }
        #expect(Exif.orientation(in: bytes) == expected)
    }
}
